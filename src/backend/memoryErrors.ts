/** The groups of failures of MemoryBackend. Plain data, no effects. */
import type { ErrorGroup, ErrorPage, ErrorQuery } from "../ErrorStore.js"
import { errorsKept, maxErrorGroups } from "../ErrorStore.js"
import { fingerprintOf } from "../internal/fingerprint.js"
import * as PageCursor from "../internal/pageCursor.js"
import { pageLimit } from "../internal/pageLimit.js"
import type { TaskRecord } from "../TaskRecord.js"

export type Errors = ReturnType<typeof make>

export const make = () => {
  // The ones that were seen last stand last.
  const groups = new Map<string, ErrorGroup>()

  const list = ({ cursor, dismissed, limit: asked, order, since, taskName }: ErrorQuery): ErrorPage => {
    const limit = pageLimit(asked)
    const place = ({ count, fingerprint, lastSeenAt }: ErrorGroup) =>
      [order === "count" ? count : lastSeenAt, fingerprint] as const
    const isBefore = (a: readonly [number, string], b: readonly [number, string]) =>
      a[0] > b[0] || (a[0] === b[0] && a[1] < b[1])
    const behind = cursor === undefined ? null : PageCursor.read(cursor)
    if (cursor !== undefined && behind === null) return { items: [], nextCursor: null }
    const found = [...groups.values()].filter((group) =>
      (taskName === undefined || group.taskName === taskName) &&
      (since === undefined || group.lastSeenAt >= since) &&
      (group.dismissed === group.count) === (dismissed ?? false) &&
      (behind === null || isBefore(behind, place(group)))
    ).sort((a, b) => isBefore(place(a), place(b)) ? -1 : 1)
    const items = found.slice(0, limit)
    return { items, nextCursor: found.length > limit ? PageCursor.write(place(items[limit - 1]!)) : null }
  }

  return {
    list,

    get: (fingerprint: string): ErrorGroup | null => groups.get(fingerprint) ?? null,

    count: (record: TaskRecord): void => {
      const found = fingerprintOf(record)
      if (found === null) return
      const { fingerprint, sample } = found
      const at = record.endedAt!
      const before = groups.get(fingerprint)
      const isLatest = before === undefined || at >= before.lastSeenAt
      groups.delete(fingerprint)
      groups.set(fingerprint, {
        fingerprint,
        taskName: record.taskName,
        count: (before?.count ?? 0) + 1,
        dismissed: before?.dismissed ?? 0,
        firstSeenAt: Math.min(before?.firstSeenAt ?? at, at),
        lastSeenAt: isLatest ? at : before.lastSeenAt,
        lastTask: isLatest ? record.taskId : before.lastTask,
        sample: isLatest ? sample : before.sample
      })
      for (const [oldest] of groups) {
        if (groups.size <= maxErrorGroups) break
        groups.delete(oldest)
      }
    },

    dismiss: (fingerprint: string): boolean => {
      const group = groups.get(fingerprint)
      if (group !== undefined) groups.set(fingerprint, { ...group, dismissed: group.count })
      return group !== undefined
    },

    maintain: (now: number): void => {
      for (const [fingerprint, { lastSeenAt }] of groups) if (lastSeenAt < now - errorsKept) groups.delete(fingerprint)
    }
  }
}
