/**
 * Which rows of MemoryBackend each instance owns: all of them, those that wait in its window, and its suspects.
 */
import type { InstanceId } from "../TaskEvent.js"
import { isLive, type TaskRecord } from "../TaskRecord.js"
import type { LiveRow } from "./memoryTables.js"

/** Where a row is in the bags of its holding; -1: nowhere. */
export interface Places {
  rows: number
  window: number
}

/**
 * Rows in no particular order. An array in which each row knows its place: a Set that rows pass through keeps them in the
 * tables that it leaves behind, see `ChurnMap`.
 */
class Bag {
  readonly all: Array<LiveRow> = []

  constructor(private readonly as: keyof Places) {}

  add(row: LiveRow): void {
    if (row.places[this.as] !== -1) return
    row.places[this.as] = this.all.length
    this.all.push(row)
  }

  // The last one takes the place that is left.
  remove(row: LiveRow): void {
    const place = row.places[this.as]
    if (place === -1) return
    row.places[this.as] = -1
    const last = this.all.pop()!
    if (last === row) return
    this.all[place] = last
    last.places[this.as] = place
  }
}

/** What one instance owns, each in no particular order. */
export interface Holding {
  readonly rows: Bag
  /** Those without an attempt under way. */
  readonly window: Bag
  /** Few. */
  readonly suspects: Set<LiveRow>
}

/** Whether the next crash of its process may be the task's own doing: it crashed before, and one more reaches the limit. */
export const isSuspect = ({ crashes, maxCrashes }: TaskRecord): boolean => crashes >= 1 && crashes >= maxCrashes - 1

export const make = () => {
  const holdings = new Map<InstanceId, Holding>()

  const of = (instance: InstanceId): Holding => {
    let holding = holdings.get(instance)
    if (holding === undefined) {
      holdings.set(instance, holding = { rows: new Bag("rows"), window: new Bag("window"), suspects: new Set() })
    }
    return holding
  }

  const leave = (row: LiveRow): void => {
    if (row.holder === null) return
    const { rows, suspects, window } = of(row.holder)
    rows.remove(row)
    window.remove(row)
    suspects.delete(row)
    row.holder = null
  }

  return {
    of,
    leave,

    /** Moves the row to its record's owner, if it has one. */
    move: (row: LiveRow, now: number): void => {
      const { claim, owner } = row.record
      if (row.holder !== owner) leave(row)
      if (owner === null) return
      const { rows, suspects, window } = of(owner)
      rows.add(row)
      row.holder = owner
      if (isSuspect(row.record)) suspects.add(row)
      else suspects.delete(row)
      if (isLive(row.record)) window.remove(row)
      else window.add(row)
      if (row.heldClaim === claim) return
      row.heldClaim = claim
      row.heldSince = now
    },

    /** What other instances took into their windows and did not start. */
    *windowsOfOthers(instance: InstanceId): Iterable<LiveRow> {
      for (const [owner, { window }] of holdings) if (owner !== instance) yield* window.all
    },

    forget: (instance: InstanceId): void => void holdings.delete(instance)
  }
}
