/** Cancelling: what has no attempt under way ends at once, what runs is marked for its owner. */
import * as Effect from "effect/Effect"
import type { CancelResult } from "../../TaskBackend.js"
import { isTaskId, type TaskId } from "../../TaskId.js"
import * as TaskRecord from "../../TaskRecord.js"
import type { Terminal } from "../../TaskStatus.js"
import type { Connections } from "./connections.js"
import type { Sql } from "./dialect.js"
import * as Feed from "./feed.js"
import { countedFor, emptyPlan, freeKeys, planEnd } from "./instances.js"
import { cancelledAt } from "./plan.js"
import { fromLive, liveNames } from "./rows.js"
import { apply } from "./write.js"

const maxGivenWay = 3

/** `cancel` of the port. */
export const make = (sql: Sql, connections: Connections, identity: Feed.Identity) => {
  const { dialect, tables } = sql
  const live = tables.live.name
  const cancel = (taskId: TaskId, now: number): Effect.Effect<CancelResult, unknown> =>
    connections.transaction((db) =>
      Effect.gen(function*() {
        const [row] = yield* db.all({
          sql: `SELECT ${liveNames} FROM ${live} WHERE id = ?${dialect.forUpdate}`,
          params: [taskId]
        })
        if (row === undefined) {
          const [ended] = yield* db.all({
            sql: `SELECT status FROM ${tables.done.name} WHERE id = ?`,
            params: [taskId]
          })
          if (ended === undefined) return { _tag: "NotFound" }
          return { _tag: "AlreadyEnded", status: ended["status"] as Terminal } // safe: only ended tasks are there
        }
        const record = fromLive(row)
        if (TaskRecord.isLive(record) && record.owner !== null) {
          yield* db.all({ sql: `UPDATE ${live} SET cancel = 1 WHERE id = ?`, params: [taskId] })
          const asked = { ...record, cancelRequested: true }
          // Asked again is no news.
          yield* Feed.tell(sql, db, identity.id, now, record.cancelRequested ? [] : [asked])
          return { _tag: "Requested", record: asked, owner: record.owner }
        }
        const plan = emptyPlan()
        const cancelled = cancelledAt(record, now)
        planEnd(plan, cancelled)
        yield* freeKeys(sql, db, plan)
        yield* apply(sql, db, plan, now, countedFor)
        yield* Feed.tell(sql, db, identity.id, now, [cancelled])
        return { _tag: "Cancelled", record: cancelled }
      })
    )
  // MySQL locks a row entry by entry, so a claim that makes due tasks ready and this may each have what the other needs. That is
  // answered at once; whoever waited for a lock until it was too long is not made to wait for as long again.
  return (taskId: TaskId, now: number): Effect.Effect<CancelResult, unknown> =>
    isTaskId(taskId)
      ? Effect.retry(cancel(taskId, now), { times: maxGivenWay, while: dialect.gaveWay })
      : Effect.succeed({ _tag: "NotFound" })
}
