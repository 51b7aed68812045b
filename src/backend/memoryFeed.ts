/**
 * The feed of MemoryBackend: a ring of what was told, numbered through. Nothing is kept until somebody asked for it once.
 */
import { v4 } from "uuid"
import type { FeedPage, FeedQuery, TaskChange } from "../TaskChange.js"

interface Told {
  readonly at: number
  readonly changes: ReadonlyArray<TaskChange>
}

const keptFor = 600_000
const maxChanges = 10_000

/** `onTold` is called after each addition. */
export const make = (onTold: () => void) => {
  // A cursor of another backend is one that is too old.
  const epoch = v4()
  let ring: Array<Told> = []
  let changes = 0
  // The number of what is first in the ring.
  let first = 1
  let watched = false

  const dropFirst = (count: number): void => {
    for (const told of ring.slice(0, count)) changes -= told.changes.length
    ring = ring.slice(count)
    first += count
  }

  const cursorAt = (number: number): string => `${epoch}/${number}`

  const numberOf = (cursor: string): number | null => {
    const [of, number] = cursor.split("/")
    return of === epoch && /^\d+$/.test(number ?? "") ? Number(number) : null
  }

  return {
    isWatched: () => watched,

    tell: (at: number, made: () => ReadonlyArray<TaskChange>): void => {
      if (!watched) return
      const told = made()
      if (told.length === 0) return
      ring.push({ at, changes: told })
      changes += told.length
      onTold()
      if (changes <= maxChanges) return
      // The last batch stays, whatever its size. Half at once, so that not every further one moves the ring.
      let gone = 0
      for (let left = changes; left > maxChanges / 2 && gone < ring.length - 1; gone += 1) {
        left -= ring[gone]!.changes.length
      }
      dropFirst(gone)
    },

    forget: (now: number): void => {
      const young = ring.findIndex(({ at }) => at >= now - keptFor)
      dropFirst(young === -1 ? ring.length : young)
    },

    read: ({ cursor, limit }: FeedQuery): FeedPage => {
      watched = true
      const last = first + ring.length - 1
      const here = { changes: [], cursor: cursorAt(last), more: false }
      if (cursor === null) return { ...here, reset: false }
      const number = numberOf(cursor)
      if (number === null || number + 1 < first || number > last) return { ...here, reset: true }
      const read = Math.min(last, number + Math.max(1, limit))
      return {
        changes: ring.slice(number + 1 - first, read + 1 - first).flatMap((told) => told.changes),
        cursor: cursorAt(read),
        more: read < last,
        reset: false
      }
    }
  }
}
