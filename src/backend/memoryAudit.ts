/** The audit trail of MemoryBackend, at most 10,000 entries: the oldest go first. Plain data, no effects. */
import type { AuditEntry, AuditPage, AuditQuery } from "../AuditStore.js"
import * as PageCursor from "../internal/pageCursor.js"
import { pageLimit } from "../internal/pageLimit.js"

// Memory keeps no more than this, as it keeps no more finished tasks than it was told.
const maxEntries = 10_000

const isBefore = (a: readonly [number, string], b: readonly [number, string]): boolean =>
  a[0] > b[0] || (a[0] === b[0] && a[1] > b[1])

const placeOf = ({ at, id }: AuditEntry): readonly [number, string] => [at, id]

export const make = () => {
  const ids = new Set<string>()
  // Newest first.
  let entries: Array<AuditEntry> = []

  const keep = (kept: Array<AuditEntry>): void => {
    entries = kept
    ids.clear()
    for (const { id } of kept) ids.add(id)
  }

  return {
    append: (added: ReadonlyArray<AuditEntry>): void => {
      for (const entry of added) {
        if (ids.has(entry.id)) continue
        ids.add(entry.id)
        entries.push(entry)
      }
      entries.sort((a, b) => isBefore(placeOf(a), placeOf(b)) ? -1 : 1)
      if (entries.length > maxEntries) keep(entries.slice(0, maxEntries))
    },

    page: ({ action, cursor, limit: asked, since, target, until, who }: AuditQuery): AuditPage => {
      const limit = pageLimit(asked)
      const behind = cursor === undefined ? null : PageCursor.read(cursor)
      if (cursor !== undefined && behind === null) return { items: [], nextCursor: null }
      const found = entries.filter((entry) =>
        (who === undefined || entry.who === who) &&
        (action === undefined || entry.action === action) &&
        (target === undefined || entry.target === target) &&
        (since === undefined || entry.at >= since) &&
        (until === undefined || entry.at < until) &&
        (behind === null || isBefore(behind, placeOf(entry)))
      )
      const items = found.slice(0, limit)
      return { items, nextCursor: found.length > limit ? PageCursor.write(placeOf(items[limit - 1]!)) : null }
    },

    deleteBefore: (cutoff: number, limit: number): number => {
      const old = entries.filter(({ at }) => at < cutoff).slice(-limit)
      const gone = new Set(limit <= 0 ? [] : old)
      keep(entries.filter((entry) => !gone.has(entry)))
      return gone.size
    }
  }
}
