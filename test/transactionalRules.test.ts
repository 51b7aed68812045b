/** What a `transactional` attempt does when it is stale, when another transaction is in the way, and when it is rolled back. */
import { Reactivity } from "@effect/experimental"
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import { Task, TaskBackend, TaskflowLayer, TaskLog, TaskManager, TaskProgress } from "effect-taskflow"
import * as SqlBackend from "../src/backend/SqlBackend.js"
import type { TaskTransaction } from "../src/TaskTransaction.js"
import { collectedLogs } from "./support/engine.js"
import { databases } from "./support/sql.js"

const Book = Task.make("book", {
  payload: { order: Schema.String },
  concurrency: 1,
  timeout: "10 seconds",
  retry: { retries: 1 },
  transactional: true
})
const Other = Task.make("other")
const conflict = new Error("another transaction was in the way")

for (const database of databases) {
  const test = (
    what: string,
    body: (table: string) => Effect.Effect<void, unknown, TaskManager | SqlClient.SqlClient>,
    wrap: (transaction: TaskTransaction) => TaskTransaction = (transaction) => transaction
  ) =>
    it.scopedLive(what, () =>
      Effect.gen(function*() {
        const place = yield* database.place
        const table = `${database.prefix(place)}booked`
        const backend = Layer.map(SqlBackend.layer({ prefix: database.prefix(place) }), (context) => {
          const found = Context.get(context, TaskBackend)
          return Context.make(TaskBackend, { ...found, transaction: wrap(found.transaction!) })
        })
        const app = TaskflowLayer({ announce: false, shutdownTimeout: 0 }).pipe(
          Layer.provide(backend),
          Layer.provideMerge(Layer.scoped(SqlClient.SqlClient, database.open(place))),
          Layer.provide(Reactivity.layer)
        )
        yield* Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          yield* sql.unsafe(`CREATE TABLE ${table} (entry VARCHAR(50))`)
          yield* Effect.ensuring(body(table), Effect.ignore(sql.unsafe(`DROP TABLE ${table}`)))
        }).pipe(Effect.provide(app))
      }).pipe(Effect.provide(collectedLogs().layer)))

  const booked = (table: string) =>
    Effect.flatMap(
      SqlClient.SqlClient,
      (sql) => Effect.map(sql.unsafe(`SELECT entry FROM ${table}`), (rows) => rows.length)
    )
  const book = (table: string) =>
    Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.orDie(sql.unsafe(`INSERT INTO ${table} VALUES ('x')`)))

  describe.skipIf(!database.present)(`a transactional attempt on ${database.name}`, () => {
    let answers = 0
    let bound: Effect.Effect<unknown> = Effect.void
    test(
      "that is stale at its end leaves nothing of what it wrote",
      (table) =>
        Effect.gen(function*() {
          answers = 0
          const { taskId } = yield* Book.enqueue({ order: "o" })
          // Interrupted for its lost lease it is requeued, as `retry` says, and the second attempt ends as it should.
          yield* Effect.flatMap(TaskManager, (manager) => manager.awaitResult(taskId))
          expect(answers).toBe(2)
          expect(yield* booked(table)).toBe(1)
        }).pipe(Effect.provide(Book.toLayer(() => book(table)))),
      (transaction) => ({
        ...transaction,
        finish: (change, now) =>
          Effect.suspend(() => ++answers === 1 ? Effect.succeed("lost" as const) : transaction.finish(change, now))
      })
    )

    if (database.kind === "postgres") {
      const bounds: Array<unknown> = []
      test(
        "that stands still between its fence and its COMMIT is ended by the server after five seconds",
        (table) =>
          Effect.gen(function*() {
            const { taskId } = yield* Book.enqueue({ order: "o" })
            yield* Effect.flatMap(TaskManager, (manager) => manager.awaitResult(taskId))
            expect(bounds).toEqual([[{ idle_in_transaction_session_timeout: "5s" }]])
            expect(yield* booked(table)).toBe(1)
          }).pipe(Effect.provide(Book.toLayer(() =>
            Effect.zipRight(
              Effect.flatMap(SqlClient.SqlClient, (sql) => {
                bound = Effect.orDie(sql.unsafe("SHOW idle_in_transaction_session_timeout"))
                return Effect.void
              }),
              book(table)
            )
          ))),
        (transaction) => ({
          ...transaction,
          // Asked on the same connection, between the fence and the COMMIT.
          finish: (change, now) =>
            Effect.tap(transaction.finish(change, now), () => Effect.map(bound, (rows) => bounds.push(rows)))
        })
      )
    }

    const conflicting = (times: number) => (transaction: TaskTransaction): TaskTransaction => {
      let left = times
      return {
        ...transaction,
        // Not by identity: within a span an error is a Proxy of itself.
        isConflict: (error) =>
          (error instanceof Error && error.message === conflict.message) || transaction.isConflict(error),
        finish: (change, now) =>
          Effect.suspend(() => left-- > 0 ? Effect.die(conflict) : transaction.finish(change, now))
      }
    }
    test(
      "that met another transaction five times goes on: no attempt and no retry is consumed",
      (table) =>
        Effect.gen(function*() {
          const { taskId } = yield* Book.enqueue({ order: "o" })
          const record = yield* Effect.flatMap(TaskManager, (manager) => manager.awaitResult(taskId))
          expect(record).toMatchObject({ status: "success", attempts: 1, failures: 0 })
          expect(yield* booked(table)).toBe(1)
        }).pipe(Effect.provide(Book.toLayer(() => book(table)))),
      conflicting(5)
    )
    test(
      "that met one a sixth time has failed, and is tried again",
      (table) =>
        Effect.gen(function*() {
          const { taskId } = yield* Book.enqueue({ order: "o" })
          const record = yield* Effect.flatMap(TaskManager, (manager) => manager.awaitResult(taskId))
          expect(record).toMatchObject({ status: "success", attempts: 2, failures: 1 })
          expect(yield* booked(table)).toBe(1)
        }).pipe(Effect.provide(Book.toLayer(() => book(table)))),
      conflicting(6)
    )

    test("that is rolled back keeps its log lines and its progress", (table) =>
      Effect.gen(function*() {
        const manager = yield* TaskManager
        const { taskId } = yield* Book.enqueue({ order: "o" })
        const record = yield* manager.awaitResult(taskId)
        expect(record).toMatchObject({ status: "failed", failures: 2, progress: { value: 0.4 } })
        const lines = (yield* manager.logs(taskId)).map(({ message }) => message)
        expect(lines.filter((line) => line === "booked")).toHaveLength(2)
        expect(yield* booked(table)).toBe(0)
      }).pipe(Effect.provide(Book.toLayer(() =>
        Effect.gen(function*() {
          yield* book(table)
          yield* TaskLog.info("booked")
          yield* TaskProgress.set(0.4)
          return yield* Effect.dieMessage("no")
        })
      ))))

    test("cannot wait for another task: execute inside it fails at once", (table) =>
      Effect.gen(function*() {
        const { taskId } = yield* Book.enqueue({ order: "o" })
        const record = yield* Effect.flatMap(TaskManager, (manager) => manager.awaitResult(taskId))
        expect(record.status).toBe("success")
        expect(yield* booked(table)).toBe(1)
      }).pipe(Effect.provide(Layer.merge(
        Other.toLayer(() => Effect.void),
        Book.toLayer(() =>
          Effect.flatMap(Effect.orDie(Effect.flip(Other.execute())), (error) =>
            error._tag === "TaskInTransaction" ? Effect.asVoid(book(table)) : Effect.dieMessage(error._tag))
        )
      ))))
  })
}
