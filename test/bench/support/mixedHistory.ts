/**
 * Finished tasks as a list of an application has them: ten names, twenty customers as tags, one of fifty failed. 200 tasks
 * really run; the database copies them in turn, with ids and times of their own.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect, Layer, ManagedRuntime, Schema } from "effect"
import { Task, TaskflowLayer, TaskManager } from "effect-taskflow"
import { idOf, numbers } from "./history.js"
import * as Stores from "./stores.js"
import * as Workload from "./workload.js"

const seeds = 200

/** The names of the tasks; the eighth is one of those that fail at times. */
export const names = Array.from({ length: 10 }, (_, index) => `orders.step${index}`)
export const failing = names[7]!

const fails = new Set([7, 58, 109, 160])

const tasks = names.map((name) =>
  Task.make(name, {
    payload: { n: Schema.Number, to: Schema.String },
    error: Schema.String,
    tags: ({ n }) => ({ customer: `c${Math.floor(n / names.length)}` })
  })
)

const handlers = Layer.mergeAll(
  Layer.empty,
  ...tasks.map((task) =>
    task.toLayer(({ n }) => fails.has(n) ? Effect.fail(`the bank refused payment ${n}`) : Effect.void)
  )
)

const run = (store: Stores.Store) =>
  Effect.gen(function*() {
    const manager = yield* TaskManager
    for (let n = 0; n < seeds; n += 1) {
      const { taskId } = yield* tasks[n % names.length]!.enqueue({ n, to: "somebody@example.com" })
      yield* Effect.ignore(manager.awaitResult(taskId))
    }
  }).pipe((seed) => {
    const engine = ManagedRuntime.make(
      Layer.provideMerge(handlers, Layer.provide(TaskflowLayer(), Stores.backend(store))).pipe(
        Layer.provide(Workload.warnings)
      )
    )
    return Effect.promise(() => engine.runPromise(seed).finally(() => engine.dispose()))
  })

/** Makes the tables, and `rows` finished tasks a tenth of a second apart. */
export const fillMixed = (store: Stores.SqlStore, rows: number) =>
  Effect.gen(function*() {
    yield* run(store)
    const client: SqlClient = yield* Stores.client(store)
    const { kind } = store
    const done = Stores.tableOf(store, "done")
    const tags = Stores.tableOf(store, "tags")
    const bigint = kind === "mysql" ? "SIGNED" : "bigint"
    const now = Date.now()
    const step = 100_000
    const columns = "task, status, source, priority, retried_as, key_hash, fingerprint, schedule, record"
    yield* client.unsafe(
      `CREATE TEMPORARY TABLE bench_seeds AS SELECT row_number() OVER (ORDER BY id) - 1 AS n, id, ${columns} FROM ${done}`
    )
    yield* client.unsafe(
      `CREATE TEMPORARY TABLE bench_tags AS SELECT s.n, t.hash, t.tag FROM ${tags} AS t JOIN bench_seeds AS s ON s.id = t.task_id`
    )
    for (const table of ["bench_seeds", "bench_tags"]) yield* client.unsafe(`CREATE INDEX ${table}_n ON ${table} (n)`)
    for (let from = 1; from <= rows; from += step) {
      const to = Math.min(rows, from + step - 1)
      const millis = `(${now - rows * 100} + CAST(i AS ${bigint}) * 100)`
      const id = idOf[kind](millis)
      const asText = kind === "postgres" ? `(${id})::text` : id
      const of = kind === "postgres" ? `${numbers[kind](from, to)} AS n (i)` : `${numbers[kind](from, to)} AS n`
      const record = `REPLACE(s.record, ${kind === "postgres" ? "s.id::text" : "s.id"}, ${asText})`
      yield* client.unsafe(
        `INSERT INTO ${done} (id, created_at, removable_at, ${columns}) SELECT ${id}, ${millis}, ${millis}, ` +
          "s.task, s.status, s.source, s.priority, s.retried_as, s.key_hash, s.fingerprint, s.schedule, " +
          `${record} FROM ${of} JOIN bench_seeds AS s ON s.n = i % ${seeds}`
      )
      yield* client.unsafe(
        `INSERT INTO ${tags} (hash, task_id, tag) SELECT s.hash, ${id}, s.tag FROM ${of} ` +
          `JOIN bench_tags AS s ON s.n = i % ${seeds}`
      )
    }
    if (kind === "sqlite") yield* client.unsafe("PRAGMA wal_checkpoint(TRUNCATE)")
    else if (kind === "postgres") {
      yield* client.unsafe(`VACUUM (ANALYZE) ${done}`)
      yield* client.unsafe(`VACUUM (ANALYZE) ${tags}`)
      yield* client.unsafe("CHECKPOINT")
    } else yield* client.unsafe(`ANALYZE TABLE ${done}, ${tags}`)
  }).pipe(Effect.scoped)
