/** Many tasks in one call: retried, cancelled, removed. Every call is bounded; what is left is gone on with by a cursor. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Bulk from "../bulk.js"
import { logged, type Parts } from "../parts.js"
import type { TaskApi } from "../TaskApi.js"

const units = { min: 60_000, hour: 3_600_000, day: 86_400_000 } as const

const defaultSince = 6 * units.hour

// What one call removes at most.
const maxDeleted = 10_000

export const layer = (api: TaskApi, parts: Parts) =>
  HttpApiBuilder.group(api, "bulk", (group) => {
    const { audited, manager } = parts
    return group
      .handle("bulkRetry", ({ payload, urlParams: { dryRun = false } }) =>
        logged(Bulk.retry(parts, { action: "bulk_retry", target: null, selection: payload, dryRun })))
      .handle("bulkCancel", ({ payload, urlParams: { dryRun = false } }) =>
        logged(Bulk.cancel(parts, { action: "bulk_cancel", target: null, selection: payload, dryRun })))
      .handle("retryFailed", ({ urlParams: { cursor, dryRun = false, since = defaultSince, task } }) =>
        logged(Bulk.retry(parts, {
          action: "retry_failed",
          target: task ?? null,
          selection: {
            // So long ago, not since a moment: a cursor is for the same filter.
            filter: {
              status: ["failed", "interrupted"],
              task,
              q: Number.isFinite(since) ? `since:${since / units.min}m` : undefined
            },
            cursor
          },
          dryRun
        })))
      .handle("deleteHistory", ({ urlParams: { dryRun = false, unit, value } }) =>
        logged(audited(
          {
            action: "delete_history",
            target: null,
            parameters: { value, unit, dryRun },
            permission: "delete",
            outcome: ({ deleted }) => ({ deleted })
          },
          Effect.gen(function*() {
            const now = yield* Clock.currentTimeMillis
            const before = now - value * units[unit]
            if (!dryRun) {
              const deleted = yield* manager.deleteHistory(before)
              return { deleted, complete: deleted < maxDeleted, dryRun }
            }
            const found = yield* manager.countHistory(before, maxDeleted + 1)
            return { deleted: Math.min(maxDeleted, found), complete: found <= maxDeleted, dryRun }
          })
        )))
  })
