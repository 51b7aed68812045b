/**
 * Removing finished tasks that are old enough: children first, a thousand rows at a time, then the tasks. Heartbeats and claims
 * go over the same connection, so every step is short and another may come in between; a process that dies in the middle leaves
 * tasks with some of their log lines gone, and the next round goes on.
 */
import * as Effect from "effect/Effect"
import { howMany, wholeTime } from "../../internal/listing.js"
import * as TaskStatus from "../../TaskStatus.js"
import type { Connections } from "./connections.js"
import type { Db, Row, Sql } from "./dialect.js"
import { type Rollup, rollupRows } from "./ends.js"
import { countedFor } from "./instances.js"
import * as Keys from "./keys.js"
import { deleteIn, selectIn } from "./lists.js"

// Finished tasks are removed so many at a time, and rows that belong to them.
const taskStep = 100
const childStep = 1_000

const ended = TaskStatus.all.filter(TaskStatus.isTerminal)

// Lets others have the connection, and the process its timers and sockets. Real time: there is nothing to wait for.
const pause: Effect.Effect<void> = Effect.async((resume) => {
  const soon = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(soon))
})

const textOf = (row: Row, name: string): string => row[name] as string // safe: asked for columns of texts alone

/** `deleteBefore` of the port. */
export const deleting = (sql: Sql, connections: Connections) => {
  const { dialect, tables } = sql
  const { attempts, done, keys, logs, rollups, tags } = tables

  // Two instances may remove the same at once: whoever is in the other's way looks again.
  const inTurn = <A>(step: Effect.Effect<A, unknown>) =>
    Effect.retry(step, { times: 5, while: (error) => Effect.as(pause, dialect.problemOf(error) === "busy") })

  const deleteLines = (ids: ReadonlyArray<string>): Effect.Effect<void, unknown> =>
    connections.use((db) =>
      Effect.gen(function*() {
        const rows = yield* selectIn(sql, db, logs, "seq", "task_id", ids, ` LIMIT ${childStep}`)
        const list = dialect.in("seq", "bigint", rows.map((row) => Number(row["seq"])))
        if (rows.length > 0) yield* db.all({ sql: `DELETE FROM ${logs.name} WHERE ${list.sql}`, params: list.params })
        return rows.length === childStep
      })
    ).pipe(Effect.flatMap((more) => more ? Effect.zipRight(pause, deleteLines(ids)) : Effect.void))

  // A task has a thousand attempts at most, and rows of one task stand together.
  const deleteOthers = (of: typeof attempts, ids: ReadonlyArray<string>): Effect.Effect<void, unknown> =>
    connections.use((db) =>
      Effect.gen(function*() {
        const rows = yield* selectIn(sql, db, of, "task_id", "task_id", ids, ` LIMIT ${childStep}`)
        yield* deleteIn(sql, db, of, "task_id", [...new Set(rows.map((row) => textOf(row, "task_id")))])
        return rows.length === childStep
      })
    ).pipe(Effect.flatMap((more) => more ? Effect.zipRight(pause, deleteOthers(of, ids)) : Effect.void))

  // What has no children any more. A key that somebody has locked keeps its task for another round: it would be left behind.
  const deleteTasks = (status: TaskStatus.Terminal, all: ReadonlyArray<string>) =>
    connections.transaction((db) =>
      Effect.gen(function*() {
        const rows = yield* selectIn(
          sql,
          db,
          done,
          "id, task, key_hash",
          "id",
          all,
          ` ORDER BY id${dialect.skipLocked}`
        )
        const kept = yield* freeKeys(db, rows)
        const gone = rows.filter((row) => !kept.has(textOf(row, "id")))
        if (gone.length === 0) return 0
        const ids = gone.map((row) => textOf(row, "id"))
        // A line may have come meanwhile.
        for (const children of [logs, attempts, tags]) yield* deleteIn(sql, db, children, "task_id", ids)
        yield* deleteIn(sql, db, done, "id", ids)
        // Durations stay counted; only the number of tasks that are there goes down.
        const removed = new Map<string, Rollup>()
        for (const row of gone) {
          const task = textOf(row, "task")
          const rollup = removed.get(task)
          if (rollup !== undefined) rollup.ends += 1
          else removed.set(task, { task, status, bucket: -2, ends: 1, total: 0, least: null, most: null })
        }
        // At minute 0, which is folded already.
        for (const statement of dialect.addUp(rollups, rollupRows(removed, 0, countedFor))) yield* db.all(statement)
        return gone.length
      })
    )

  /** Frees the keys that these tasks hold; answers the tasks whose keys are locked. */
  const freeKeys = (db: Db, rows: ReadonlyArray<Row>) =>
    Effect.gen(function*() {
      const held = new Map(
        rows.flatMap((row) => row["key_hash"] === null ? [] : [[textOf(row, "key_hash"), row] as const])
      )
      const own = new Map<string, string>()
      for (const row of yield* selectIn(sql, db, keys, "hash, task_id", "hash", [...held.keys()].sort())) {
        const hash = textOf(row, "hash")
        if (row["task_id"] === held.get(hash)?.["id"]) own.set(hash, textOf(row, "task_id"))
      }
      const locked = new Set(yield* Keys.lockOwn(sql, db, own))
      yield* deleteIn(sql, db, keys, "hash", [...locked].sort())
      return new Set([...own].flatMap(([hash, taskId]) => locked.has(hash) ? [] : [taskId]))
    })

  /** At most `limit` tasks of one status, behind those that were passed over. */
  const some = (status: TaskStatus.Terminal, cutoff: number, limit: number, passed: number) =>
    connections.use((db) =>
      db.all({
        sql: `SELECT id FROM ${done.name} WHERE status = ? AND removable_at < ? ORDER BY removable_at LIMIT ? OFFSET ?`,
        params: [status, cutoff, Math.ceil(Math.min(limit, taskStep)), passed]
      })
    )

  return (before: number, limit: number, statuses: ReadonlyArray<TaskStatus.Terminal> = ended) =>
    Effect.gen(function*() {
      const cutoff = wholeTime(before)
      if (cutoff === null) return 0
      let deleted = 0
      for (const status of statuses) {
        let passed = 0
        while (deleted < limit) {
          const ids = (yield* some(status, cutoff, limit - deleted, passed)).map((row) => textOf(row, "id"))
          if (ids.length === 0) break
          yield* inTurn(deleteLines(ids))
          for (const children of [attempts, tags]) yield* inTurn(deleteOthers(children, ids))
          const removed = yield* inTurn(deleteTasks(status, ids))
          deleted += removed
          passed += ids.length - removed
          yield* pause
        }
      }
      return deleted
    })
}

/** `countBefore` of the port: entries of the index that `deleteBefore` goes along. */
export const counting =
  (sql: Sql, connections: Pick<Connections, "use">) =>
  (before: number, asked: number, statuses: ReadonlyArray<TaskStatus.Terminal> = ended) =>
    Effect.gen(function*() {
      const cutoff = wholeTime(before)
      const most = howMany(asked, 0, Number.MAX_SAFE_INTEGER, 0)
      let found = 0
      if (cutoff === null) return found
      for (const status of statuses) {
        if (found >= most) break
        const entries = `SELECT 1 FROM ${sql.tables.done.name} WHERE status = ? AND removable_at < ? LIMIT ?`
        const [row] = yield* connections.use((db) =>
          db.all({ sql: `SELECT COUNT(*) AS many FROM (${entries}) AS r`, params: [status, cutoff, most - found] })
        )
        found += Number(row?.["many"] ?? 0)
      }
      return found
    })
