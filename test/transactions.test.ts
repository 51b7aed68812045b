/** Contract 6 through the engine: what is enqueued in a transaction of the application lives and dies with it. */
import { Reactivity } from "@effect/experimental"
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Either, Exit, Layer, Schema, Tracer } from "effect"
import { type Recorded, Task, TaskflowLayer, TaskManager } from "effect-taskflow"
import * as SqlBackend from "../src/backend/SqlBackend.js"
import { collectedLogs, engine } from "./support/engine.js"
import { type Database, databases } from "./support/sql.js"

const Receipt = Task.make("receipt", {
  payload: { order: Schema.String },
  success: Schema.String,
  idempotencyKey: ({ order }) => order
})
const handler = Receipt.toLayer(({ order }) => Effect.succeed(`sent ${order}`))

/** The application's client, and the engine on it. */
const application = ({ open, prefix }: Database, place: string) => {
  const client = Layer.scoped(SqlClient.SqlClient, open(place)).pipe(Layer.provide(Reactivity.layer))
  return handler.pipe(
    Layer.provideMerge(TaskflowLayer({ announce: false, poll: { min: "50 millis", max: "200 millis" } })),
    Layer.provide(SqlBackend.layer({ prefix: prefix(place) })),
    Layer.provideMerge(client)
  )
}

for (const database of databases) {
  const test = <E>(what: string, body: Effect.Effect<void, E, TaskManager | SqlClient.SqlClient>) =>
    it.scopedLive(
      what,
      () => Effect.flatMap(database.place, (place) => Effect.provide(body, application(database, place)))
    )

  describe.skipIf(!database.present)(`a transaction on ${database.name}`, () => {
    test(
      "starts its tasks when it commits, and tells of them then",
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const manager = yield* TaskManager
        const events: Array<Recorded["event"]["_tag"]> = []
        manager.tap((event) => {
          events.push(event._tag)
        })
        const within: Array<unknown> = []
        const { taskId } = yield* sql.withTransaction(Effect.gen(function*() {
          const enqueued = yield* Receipt.enqueue({ order: "o1" })
          yield* Effect.sleep("100 millis")
          within.push(enqueued._tag, [...events])
          return enqueued
        }))
        expect(within).toEqual(["Enqueued", []])
        expect(yield* Receipt.awaitResult(taskId)).toBe("sent o1")
        expect(events).toEqual(["Enqueued", "Started", "Succeeded"])
      })
    )

    test(
      "keeps the trace of whoever enqueued in it",
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const manager = yield* TaskManager
        const traceId = "0af7651916cd43dd8448eb211c80319c"
        const request = Tracer.externalSpan({ traceId, spanId: "b7ad6b7169203331" })
        const { taskId } = yield* Effect.withParentSpan(sql.withTransaction(Receipt.enqueue({ order: "o1" })), request)
        expect((yield* manager.awaitResult(taskId)).trace).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
      })
    )

    test(
      "leaves nothing behind when it rolls back",
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const manager = yield* TaskManager
        const exit = yield* Effect.exit(sql.withTransaction(
          Effect.zipRight(
            Receipt.enqueueMany([{ order: "o1" }, { order: "o2" }]),
            Effect.fail("the order was not accepted")
          )
        ))
        expect(exit).toEqual(Exit.fail("the order was not accepted"))
        expect((yield* manager.list()).items).toEqual([])
        // The keys are free.
        expect((yield* Receipt.enqueue({ order: "o1" }))._tag).toBe("Enqueued")
      })
    )

    test(
      "gives the first id for a key that is held",
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const first = yield* Receipt.enqueue({ order: "o1" })
        const second = yield* sql.withTransaction(Receipt.enqueue({ order: "o1" }))
        expect(second).toEqual({ _tag: "Deduplicated", taskId: first.taskId })
        const both = yield* sql.withTransaction(Receipt.enqueueMany([{ order: "o2" }, { order: "o2" }]))
        expect(both.map(({ _tag }) => _tag)).toEqual(["Enqueued", "Deduplicated"])
      })
    )

    test(
      "refuses what would wait for itself, and reads what is there",
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const manager = yield* TaskManager
        const done = yield* Receipt.enqueue({ order: "o0" })
        yield* Receipt.awaitResult(done.taskId)
        yield* sql.withTransaction(Effect.gen(function*() {
          const { taskId } = yield* Receipt.enqueue({ order: "o1" })
          const executed = yield* Effect.either(Receipt.execute({ order: "o2" }))
          expect(Either.getLeft(executed)).toMatchObject({ value: { _tag: "TaskInTransaction" } })
          const awaited = yield* Effect.either(Receipt.awaitResult(taskId))
          expect(Either.getLeft(awaited)).toMatchObject({ value: { _tag: "TaskInTransaction" } })
          const ran = yield* Effect.either(manager.run("once", Effect.void))
          expect(Either.getLeft(ran)).toMatchObject({ value: { _tag: "TaskInTransaction" } })
          const cancelled = yield* Effect.exit(manager.cancel(taskId))
          expect(Exit.isFailure(cancelled) && Cause.squash(cancelled.cause)).toMatchObject({
            _tag: "TaskInTransaction"
          })
          expect((yield* manager.get(done.taskId)).status).toBe("success")
          expect((yield* manager.list({ status: ["success"] })).items.length).toBe(1)
          expect((yield* manager.stats()).counts.success).toBe(1)
        }))
        expect((yield* manager.list()).items.length).toBe(2)
      })
    )

    test(
      "of another client is refused",
      Effect.gen(function*() {
        const own = yield* SqlClient.SqlClient
        const other = yield* Effect.scoped(Effect.gen(function*() {
          const place = yield* database.place
          const client = yield* database.open(place)
          return yield* Effect.either(client.withTransaction(Receipt.enqueue({ order: "o1" })))
        })).pipe(Effect.provide(Reactivity.layer))
        expect(Either.getLeft(other)).toMatchObject({ value: { _tag: "TaskWrongTransaction", task: "receipt" } })
        expect(own).toBeDefined()
        expect((yield* (yield* TaskManager).list()).items).toEqual([])
      })
    )

    if (database.kind !== "sqlite") {
      test(
        "that holds a key keeps nobody else waiting, and is waited for",
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const inside = yield* Deferred.make<string>()
          const mayCommit = yield* Deferred.make<void>()
          const transaction = yield* Effect.fork(sql.withTransaction(Effect.gen(function*() {
            const { taskId } = yield* Receipt.enqueue({ order: "o1" })
            yield* Deferred.succeed(inside, taskId)
            yield* Deferred.await(mayCommit)
          })))
          const taskId = yield* Deferred.await(inside)
          const waiting = yield* Effect.fork(Receipt.enqueue({ order: "o1" }))
          expect(yield* Receipt.execute({ order: "o2" })).toBe("sent o2")
          yield* Deferred.succeed(mayCommit, undefined)
          expect(yield* waiting).toEqual({ _tag: "Deduplicated", taskId })
          yield* transaction
        })
      )
    }
  })
}

describe("a transaction where tasks cannot join one", () => {
  it.scopedLive("is told once that the task does not roll back with it", () =>
    Effect.gen(function*() {
      const { layer, lines } = collectedLogs()
      const place = yield* databases[0]!.place
      const client = yield* databases[0]!.open(place)
      yield* client.withTransaction(
        Effect.zipRight(Receipt.enqueue({ order: "o1" }), Receipt.enqueue({ order: "o2" }))
      ).pipe(Effect.provide(engine()), Effect.provide(layer))
      expect(lines.filter(({ message }) => message.includes("cannot join it")).length).toBe(1)
    }).pipe(Effect.provide(Reactivity.layer)))
})
