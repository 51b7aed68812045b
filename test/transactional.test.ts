/** `transactional: true`: what a handler writes through the application's client and its task's success are one. */
import { Reactivity } from "@effect/experimental"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer, Ref, Schema } from "effect"
import { Task, TaskBackend, type TaskContext, TaskflowLayer, TaskManager } from "effect-taskflow"
import * as SqlBackend from "../src/backend/SqlBackend.js"
import { engine } from "./support/engine.js"
import { type Database, databases } from "./support/sql.js"

class Broken extends Schema.TaggedError<Broken>()("Broken", {}) {}

const Book = Task.make("book", {
  payload: { order: Schema.String },
  success: Schema.Number,
  error: Broken,
  concurrency: 1,
  timeout: "10 seconds",
  retry: { retries: 1 },
  transactional: true
})

const Mail = Task.make("mail", { payload: { order: Schema.String } })

const parts = (
  { open, prefix }: Database,
  place: string,
  wrap: (backend: TaskBackend["Type"]) => TaskBackend["Type"] = (backend) => backend
) => {
  const client = Layer.scoped(SqlClient.SqlClient, open(place)).pipe(Layer.provide(Reactivity.layer))
  return TaskflowLayer({ announce: false, poll: { min: "50 millis", max: "200 millis" } }).pipe(
    Layer.provide(
      Layer.map(
        SqlBackend.layer({ prefix: prefix(place) }),
        (context) => Context.make(TaskBackend, wrap(Context.get(context, TaskBackend)))
      )
    ),
    Layer.provideMerge(client)
  )
}

for (const database of databases) {
  const test = (
    what: string,
    body: (table: string) => Effect.Effect<void, unknown, TaskManager | SqlClient.SqlClient>,
    wrap?: (backend: TaskBackend["Type"]) => TaskBackend["Type"]
  ) =>
    it.scopedLive(what, () =>
      Effect.gen(function*() {
        const place = yield* database.place
        const table = `${database.prefix(place)}booked`
        yield* Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          yield* sql.unsafe(`CREATE TABLE ${table} (entry VARCHAR(50))`)
          yield* Effect.ensuring(body(table), Effect.ignore(sql.unsafe(`DROP TABLE ${table}`)))
        }).pipe(Effect.provide(parts(database, place, wrap)))
      }))

  const booked = (table: string) =>
    Effect.flatMap(
      SqlClient.SqlClient,
      (sql) =>
        Effect.map(sql.unsafe<{ readonly entry: string }>(`SELECT entry FROM ${table}`), (rows) =>
          rows.map(({ entry }) => entry))
    )

  const book = (table: string, entry: string): Effect.Effect<void, SqlError, SqlClient.SqlClient> =>
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(`INSERT INTO ${table} VALUES ('${entry}')`))

  const withHandler = (
    handler: (
      order: string
    ) => Effect.Effect<number, Broken | SqlError, SqlClient.SqlClient | TaskContext | TaskManager>
  ) =>
  <A, E, R>(body: Effect.Effect<A, E, R>) =>
    Effect.provide(
      body,
      Book.toLayer(({ order }) => Effect.catchTag(handler(order), "SqlError", (error) => Effect.die(error)))
    )

  describe.skipIf(!database.present)(`transactional on ${database.name}`, () => {
    test("commits what the handler wrote with its success", (table) =>
      Effect.gen(function*() {
        const manager = yield* TaskManager
        expect(yield* Book.execute({ order: "o1" })).toBe(7)
        expect(yield* booked(table)).toEqual(["o1"])
        const { items } = yield* manager.list()
        expect(items.map(({ status }) => status)).toEqual(["success"])
        expect((yield* manager.stats()).counts).toMatchObject({ success: 1, running: 0 })
        const [sums] = yield* manager.rollups({ since: 0, until: Number.MAX_SAFE_INTEGER, width: Infinity })
        expect(sums).toMatchObject({ ends: { success: 1 }, durations: { count: 1 }, waits: { count: 1 } })
      }).pipe(withHandler((order) => Effect.as(book(table, order), 7))))

    test("rolls back what a failed attempt wrote, and tries again", (table) =>
      Effect.gen(function*() {
        const tries = yield* Ref.make(0)
        yield* Effect.gen(function*() {
          expect(yield* Book.execute({ order: "o1" })).toBe(2)
          expect(yield* booked(table)).toEqual(["try 2"])
        }).pipe(withHandler(() =>
          Effect.gen(function*() {
            const nth = yield* Ref.updateAndGet(tries, (n) => n + 1)
            yield* book(table, `try ${nth}`)
            if (nth === 1) return yield* new Broken()
            return nth
          })
        ))
      }))

    test("starts what the handler enqueued only with its commit", (table) =>
      Effect.gen(function*() {
        const manager = yield* TaskManager
        const exit = yield* Effect.exit(Book.execute({ order: "fails" }))
        expect(Exit.isFailure(exit)).toBe(true)
        expect((yield* manager.list({ taskName: "mail" })).items).toEqual([])
        yield* Book.execute({ order: "works" })
        expect((yield* manager.list({ taskName: "mail" })).items.length).toBe(1)
      }).pipe(withHandler((order) =>
        Effect.gen(function*() {
          yield* book(table, order)
          yield* Effect.orDie(Mail.enqueue({ order }))
          return order === "fails" ? yield* new Broken() : 1
        })
      )))

    // On SQLite nobody can write while the handler's transaction is open, so a cancel comes behind it.
    const late = database.kind === "sqlite"
    test(
      late ? "a cancel waits for the transaction, and is too late" : "a cancelled attempt leaves nothing",
      (table) =>
        Effect.gen(function*() {
          const manager = yield* TaskManager
          const started = yield* Effect.makeLatch()
          yield* Effect.gen(function*() {
            const { taskId } = yield* Book.enqueue({ order: "o1" })
            yield* started.await
            const cancelled = yield* Effect.either(manager.cancel(taskId))
            expect(cancelled._tag).toBe(late ? "Left" : "Right")
            expect((yield* manager.awaitResult(taskId)).status).toBe(late ? "success" : "cancelled")
            expect(yield* booked(table)).toEqual(late ? ["o1"] : [])
          }).pipe(withHandler((order) =>
            book(table, order).pipe(
              Effect.zipRight(started.open),
              Effect.zipRight(Effect.sleep(late ? "300 millis" : "20 seconds")),
              Effect.as(1)
            )
          ))
        })
    )

    const runAs = (lost: "answer" | "commit") => (backend: TaskBackend["Type"]): TaskBackend["Type"] => {
      let first = true
      return {
        ...backend,
        transaction: {
          ...backend.transaction!,
          run: (body) => {
            if (!first) return backend.transaction!.run(body)
            first = false
            const dies = Effect.die(new Error("connection lost"))
            const { run } = backend.transaction!
            return lost === "answer" ? Effect.zipRight(run(body), dies) : run(Effect.zipRight(body, dies))
          }
        }
      }
    }

    test("a commit whose answer was lost counts as the success it is", (table) =>
      Effect.gen(function*() {
        const manager = yield* TaskManager
        const { taskId } = yield* Book.enqueue({ order: "o1" })
        const { attempts, status } = yield* manager.awaitResult(taskId)
        expect([status, attempts]).toEqual(["success", 1])
        expect(yield* booked(table)).toEqual(["o1"])
      }).pipe(withHandler((order) => Effect.as(book(table, order), 1))), runAs("answer"))

    test("a commit that did not happen is a failed attempt, and is tried again", (table) =>
      Effect.gen(function*() {
        const manager = yield* TaskManager
        const { taskId } = yield* Book.enqueue({ order: "o1" })
        const { attempts, status } = yield* manager.awaitResult(taskId)
        expect([status, attempts]).toEqual(["success", 2])
        expect(yield* booked(table)).toEqual(["o1"])
      }).pipe(withHandler((order) => Effect.as(book(table, order), 1))), runAs("commit"))
  })
}

describe("a transactional task is refused", () => {
  const message = <E>(exit: Exit.Exit<unknown, E>) =>
    Exit.isFailure(exit) ? String((Cause.squash(exit.cause) as Error).message) : "accepted"
  const Plain = Task.make("plain", { transactional: true })

  it.scopedLive("where its handler shares no client with the backend", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Layer.build(Plain.toLayer(() => Effect.void).pipe(Layer.provide(engine()))))
      expect(message(exit)).toContain("plain is transactional: the memory backend shares no SqlClient")
    }))

  it.scopedLive("when it could take all connections, or the one writer for too long", () =>
    Effect.gen(function*() {
      const database = databases[0]!
      const place = yield* database.place
      const build = (task: typeof Plain) =>
        Effect.map(
          Effect.exit(Layer.build(task.toLayer(() => Effect.void).pipe(Layer.provide(parts(database, place))))),
          message
        )
      expect(yield* build(Plain)).toContain("set its concurrency to at most 1")
      const alone = Task.make("plain", { transactional: true, concurrency: 1 })
      expect(yield* build(alone)).toContain("set a timeout of at most 15s, half the lease")
      expect(yield* build(Task.make("plain", { transactional: true, concurrency: 1, timeout: "5 seconds" }))).toBe(
        "accepted"
      )
    }))
})
