/**
 * Who is there: attaching, beating, and giving back what the dead owned.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AttemptEntry } from "../../TaskBackend.js"
import type { InstanceId, TaskFailure } from "../../TaskEvent.js"
import type { TaskId } from "../../TaskId.js"
import type { Heartbeat, InstanceFacts, Peer, Reaped, Vitals } from "../../TaskPeer.js"
import * as TaskRecord from "../../TaskRecord.js"
import type { Connections } from "./connections.js"
import { nothing, pausedOf } from "./controls.js"
import type { Db, Sql } from "./dialect.js"
import { countEnd } from "./ends.js"
import { countFailure } from "./failures.js"
import * as Feed from "./feed.js"
import { byRow, byState } from "./fence.js"
import { addVitals, keepVitals } from "./fleet.js"
import * as Keys from "./keys.js"
import { cancelledAt, type Plan } from "./plan.js"
import { changing, fromLive, isJoined, isSuspect, keyHash, liveNames } from "./rows.js"
import { apply } from "./write.js"

const died: TaskFailure = {
  kind: "crashed",
  name: "InstanceDied",
  message: "the process that ran this attempt died",
  stack: "",
  error: null
}

const emptyPlan = (): Plan => ({
  outcomes: [],
  inserts: [],
  updates: [],
  deletes: [],
  done: [],
  retried: [],
  staleKeys: [],
  putKeys: new Map(),
  tagged: [],
  logs: [],
  attempts: [],
  rollups: new Map(),
  failures: new Map()
})

const entryOf = (record: TaskRecord.TaskRecord, outcome: AttemptEntry["outcome"], now: number): AttemptEntry => ({
  claim: record.claim,
  attempt: record.attempts,
  instance: record.owner!,
  startedAt: record.attemptStartedAt ?? now,
  endedAt: now,
  outcome,
  failure: outcome === "requeued" || outcome === "failed" ? died : null
})

const end = (record: TaskRecord.TaskRecord, event: Parameters<typeof TaskRecord.apply>[1]): TaskRecord.TaskRecord =>
  Option.getOrThrow(TaskRecord.apply(record, event))

/** What becomes of a task whose owner died, and how its attempt counts. */
const afterDeath = (record: TaskRecord.TaskRecord, alone: boolean, now: number) => {
  const common = { taskId: record.taskId, at: now }
  if (!TaskRecord.isLive(record)) {
    return { record: record.kind === "effect" ? cancelledAt(record, now) : { ...record, owner: null }, outcome: null }
  }
  if (record.cancelRequested) return { record: cancelledAt(record, now), outcome: "cancelled" as const }
  if (!record.requeueOnInterrupt) {
    return {
      record: end(record, { _tag: "Interrupted", ...common, stopReason: "instanceDied" }),
      outcome: "interrupted" as const
    }
  }
  const crashes = record.crashes + 1
  if (alone && isSuspect(record) && crashes >= record.maxCrashes) {
    const failed = end(record, { _tag: "Failed", ...common, failure: died, stopReason: "poison" })
    return { record: { ...failed, crashes }, outcome: "failed" as const }
  }
  const requeued = end(record, { _tag: "Requeued", ...common, stopReason: "instanceDied" })
  return { record: { ...requeued, crashes }, outcome: "requeued" as const }
}

/** Adds the end of a task, with all that hangs on it. */
export const planEnd = (plan: Plan, record: TaskRecord.TaskRecord): void => {
  plan.deletes.push(record.taskId)
  plan.done.push(record)
  countEnd(plan.rollups, record)
  countFailure(plan.failures, record)
}

/** Frees the keys of tasks that end other than in success; one that somebody has locked is left for whoever meets it later. */
export const freeKeys = (sql: Sql, db: Db, plan: Plan) => {
  const keys = new Map(plan.done.flatMap((record) => {
    const hash = keyHash(record)
    return hash === null ? [] : [[hash, record.taskId] as const]
  }))
  return Effect.map(Keys.lockOwn(sql, db, keys), (own) => void plan.staleKeys.push(...own))
}

const nobody = "00000000-0000-0000-0000-000000000000"

/** The instance under which ends are counted that nobody's batch wrote. */
export const countedFor = nobody

export { emptyPlan }

export const make = (sql: Sql, connections: Connections, identity: Feed.Identity) => {
  const { dialect, tables } = sql
  const name = tables.instances.name
  const live = tables.live.name

  const attach = (facts: InstanceFacts, now: number) =>
    connections.transaction((db) =>
      Effect.flatMap(
        db.all({ sql: `SELECT id FROM ${name} WHERE id = ?`, params: [facts.id] }),
        (rows) =>
          rows.length > 0
            ? Effect.void
            : Effect.zipRight(
              Effect.forEach(
                dialect.insert(tables.instances, [[facts.id, "live", 0, now, null, JSON.stringify(facts)]]),
                db.all,
                { discard: true }
              ),
              addVitals(sql, db, facts.id)
            )
      )
    ).pipe(Effect.tap(() =>
      Effect.sync(() => {
        identity.id = facts.id
      })
    ))

  const setState = (db: Db, id: string, state: "dead" | "gone") =>
    db.all({ sql: `UPDATE ${name} SET state = ? WHERE id = ?`, params: [state, id] })

  const ownsAny = (db: Db, id: string) =>
    Effect.map(
      db.all({ sql: `SELECT id FROM ${live} WHERE owner = ? LIMIT 1`, params: [id] }),
      (rows) => rows.length > 0
    )

  const detach = (id: InstanceId) =>
    connections.transaction((db) =>
      Effect.flatMap(
        db.all({
          sql: `SELECT id FROM ${byState(sql)} WHERE id = ? AND state <> 'gone'${dialect.forUpdate}`,
          params: [id]
        }),
        (rows) =>
          rows.length === 0
            ? Effect.void
            : Effect.flatMap(ownsAny(db, id), (owns) => Effect.asVoid(setState(db, id, owns ? "dead" : "gone")))
      )
    )

  const heartbeat = (id: InstanceId, now: number, vitals?: Vitals): Effect.Effect<Heartbeat, unknown> =>
    connections.urgent((db) =>
      Effect.gen(function*() {
        yield* db.all({
          sql: `UPDATE ${byRow(sql)} SET beat = beat + 1, beat_at = ? WHERE id = ? AND state = 'live'`,
          params: [now, id]
        })
        yield* keepVitals(sql, db, id, vitals)
        // In one statement: on a slow way the round trips of a heartbeat are what the shortest lease depends on.
        const toStop = "WHERE owner = ? AND active = 1 AND cancel = 1"
        const rows = yield* db.all({
          sql: `SELECT state, beat, facts, (SELECT draining FROM ${tables.vitals.name} WHERE id = ?) AS draining, ` +
            `(SELECT COUNT(*) FROM ${live} ${toStop}) AS to_stop, (SELECT COUNT(*) FROM ${tables.controls.name}) AS pauses` +
            `${dialect.clock === null ? "" : `, (${dialect.clock}) AS now_ms`} FROM ${name} WHERE state <> 'gone'`,
          params: [id, id]
        })
        // Mostly there is neither, and it was said already.
        const asked = Number(rows[0]?.["to_stop"] ?? 0) === 0
          ? []
          : yield* db.all({ sql: `SELECT id FROM ${live} ${toStop}`, params: [id] })
        const peers = rows.map((row): Peer => ({
          ...JSON.parse(row["facts"] as string), // safe (all): what attach wrote
          state: row["state"] as Peer["state"],
          beat: Number(row["beat"])
        }))
        return {
          alive: peers.some((peer) => peer.id === id && peer.state === "live"),
          cancels: asked.map((row) => row["id"] as TaskId),
          peers: peers.filter((peer) => peer.id !== id),
          backendNow: dialect.clock === null || rows[0] === undefined ? null : Number(rows[0]["now_ms"]),
          paused: Number(rows[0]?.["pauses"] ?? 1) === 0 ? nothing : yield* pausedOf(sql, db),
          draining: Number(rows[0]?.["draining"] ?? 0) === 1
        }
      })
    )

  // A suspect fails only when no other suspect ran beside it, and that is counted before the first of them is given back.
  const declareDead = (db: Db, id: string) =>
    Effect.gen(function*() {
      const [row] = yield* db.all({
        sql: `SELECT COUNT(*) AS suspects FROM ${live} WHERE owner = ? AND active = 1 AND suspect = 1`,
        params: [id]
      })
      const suspects = Number(row?.["suspects"] ?? 0)
      yield* db.all({ sql: `UPDATE ${name} SET state = 'dead', suspects = ? WHERE id = ?`, params: [suspects, id] })
      return suspects
    })

  const reap = (
    request: { readonly suspect: InstanceId; readonly beat: number; readonly now: number; readonly limit: number }
  ) =>
    connections.transaction((db) =>
      Effect.gen(function*() {
        const { beat, limit, now, suspect } = request
        const none: Reaped = { records: [], left: false }
        const [found] = yield* db.all({
          sql: `SELECT suspects FROM ${byState(sql)} WHERE id = ? AND (state = 'dead' OR state = 'live' AND beat = ?)` +
            dialect.skipLocked,
          params: [suspect, beat]
        })
        if (found === undefined) return none
        const known = found["suspects"]
        const alone = (known === null ? yield* declareDead(db, suspect) : Number(known)) === 1
        const rows = yield* db.all({
          sql: `SELECT ${liveNames} FROM ${live} WHERE owner = ? ORDER BY active, seq LIMIT ?${dialect.skipLocked}`,
          params: [suspect, limit]
        })
        const plan = emptyPlan()
        const records = rows.map((row) => {
          const before = fromLive(row)
          const { outcome, record } = afterDeath(before, alone, now)
          if (outcome !== null) plan.attempts.push([record.taskId, entryOf(before, outcome, now)])
          if (TaskRecord.isDone(record)) planEnd(plan, record)
          else {
            plan.updates.push({
              id: record.taskId,
              ...changing(record, now),
              log_lines: record.logLines,
              log_bytes: record.logBytes
            })
          }
          return record
        })
        yield* freeKeys(sql, db, plan)
        yield* apply(sql, db, plan, now, nobody)
        yield* Feed.tell(sql, db, identity.id, now, records)
        const left = yield* ownsAny(db, suspect)
        if (!left) yield* setState(db, suspect, "gone")
        return { records, left }
      })
    )

  const owned = (id: InstanceId) =>
    connections.use((db) =>
      Effect.map(db.all({ sql: `SELECT ${liveNames} FROM ${live} WHERE owner = ?`, params: [id] }), (rows) => ({
        records: rows.map(fromLive),
        // safe: a text column
        joined: rows.filter((row) => Number(row["claim"]) === 1 && isJoined(row)).map((row) => row["id"] as TaskId)
      }))
    )

  return { attach, owned, detach, heartbeat, reap }
}
