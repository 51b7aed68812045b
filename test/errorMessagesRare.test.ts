/** Errors that need a transaction, a request, another instance or another key before they happen, in their words. */
import { Reactivity } from "@effect/experimental"
import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema, type Scope, TestClock } from "effect"
import { BackgroundTasks, MemoryBackend, Task, TaskBackend, TaskflowLayer, type TaskManager } from "effect-taskflow"
import { SqlBackend } from "effect-taskflow/sql"
import { TaskflowTest } from "effect-taskflow/testing"
import { InstanceId } from "../src/TaskEvent.js"
import { cipher, key } from "./support/cipher.js"
import { engine, wrappedBackend } from "./support/engine.js"
import { errorOf, expectSaid, secret } from "./support/errors.js"
import { databases } from "./support/sql.js"

const Lonely = Task.make("lonely")
const Send = Task.make("send_email", {
  payload: { address: Schema.String, password: Schema.optional(Schema.Redacted(Schema.String)) },
  success: Schema.Number
})
const handlers = Send.toLayer(({ address }) => Effect.succeed(address.length))

describe("a rare error of a call says what happened, with which value, and what to do", () => {
  it.effect("an idempotency key that stays undecided", () =>
    Effect.gen(function*() {
      const error = yield* Effect.fork(errorOf(Lonely.enqueue(undefined, { idempotencyKey: secret })))
      yield* TestClock.adjust("20 seconds")
      expectSaid(yield* error, {
        tag: "TaskKeyBusy",
        says: "lonely: the idempotency key is in use by a transaction that has not ended: ask again later"
      })
    }).pipe(Effect.provide(engine(
      {},
      wrappedBackend((backend) => ({
        write: (batch) =>
          Effect.map(
            backend.write({ ...batch, changes: [] }),
            () => batch.changes.map(() => ({ _tag: "KeyBusy" as const }))
          )
      }))
    ))))

  it.effect("a request that holds too many background tasks", () =>
    Effect.gen(function*() {
      const route = Effect.gen(function*() {
        const { add } = yield* BackgroundTasks
        for (let n = 0; n < 1_000; n += 1) yield* add(Send, { address: "a" })
        expectSaid(yield* errorOf(add(Send, { address: "a" })), {
          tag: "TaskHoldLimit",
          says:
            "send_email was not added: this request holds 1000 background tasks already. Enqueue many with enqueueMany, " +
            "or one that enqueues the rest"
        })
        return HttpServerResponse.empty()
      })
      yield* Effect.scoped(BackgroundTasks.provide(route)).pipe(
        Effect.provideService(
          HttpServerRequest.HttpServerRequest,
          HttpServerRequest.fromWeb(new Request("http://localhost/"))
        )
      )
    }).pipe(Effect.provide(Layer.provideMerge(handlers, TaskflowTest.layer))))

  it.effect("a batch of an instance that was declared dead", () =>
    Effect.gen(function*() {
      const backend = yield* MemoryBackend.make()
      const instance = InstanceId.make("0191e6a0-0000-7000-8000-000000000001")
      const error = yield* errorOf(backend.write({ instance, lane: "a", number: 1, now: 1, changes: [] }))
      expectSaid(error, {
        tag: "InstanceFenced",
        says:
          /^instance 0191e6a0-\S+ was silent for longer than its lease and declared dead, so what it writes is refused/
      })
    }))

  it.effect("what is encrypted with a key that is not here", () =>
    Effect.gen(function*() {
      const memory = yield* MemoryBackend.make()
      const withKey = (id: string) => engineOn(memory, id)
      const { taskId } = yield* Effect.provide(
        Send.enqueue({ address: "a", password: Redacted.make(secret) }),
        withKey("k1")
      )
      const error = yield* errorOf(Send.awaitResult(taskId)).pipe(
        Effect.provide(Layer.provideMerge(handlers, withKey("k2")))
      )
      expectSaid(error, {
        tag: "TaskStopped",
        says: /: task \S{36} is encrypted with key "k1", which does not decrypt it here:/
      })
    }))
})

const engineOn = (memory: TaskBackend["Type"], id: string) =>
  Layer.orDie(TaskflowLayer({ announce: false, shutdownTimeout: 0 })).pipe(
    Layer.provide(cipher({ keys: [key(id)] })),
    Layer.provide(Layer.succeed(TaskBackend, memory))
  )

const sqlite = databases.find(({ kind }) => kind === "sqlite")!

describe("an error of a transaction says what to do instead", () => {
  const inside = <E>(
    body: Effect.Effect<void, E, TaskManager | SqlClient.SqlClient | Reactivity.Reactivity | Scope.Scope>
  ) =>
    Effect.flatMap(sqlite.place, (place) =>
      body.pipe(
        Effect.provide(
          Lonely.toLayer(() => Effect.void).pipe(
            Layer.provideMerge(TaskflowLayer({ announce: false })),
            Layer.provide(SqlBackend.layer({ prefix: sqlite.prefix(place) })),
            Layer.provideMerge(Layer.scoped(SqlClient.SqlClient, sqlite.open(place)))
          )
        ),
        Effect.provide(Reactivity.layer)
      ))

  it.scopedLive("waiting for a commit inside of it", () =>
    inside(Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      expectSaid(yield* errorOf(sql.withTransaction(Lonely.execute())), {
        tag: "TaskInTransaction",
        says: "lonely.execute inside withTransaction would wait for its own commit: call it after the transaction"
      })
    })))

  it.scopedLive("the transaction of another client", () =>
    inside(Effect.gen(function*() {
      const other = yield* Effect.flatMap(sqlite.place, sqlite.open)
      expectSaid(yield* errorOf(other.withTransaction(Lonely.enqueue())), {
        tag: "TaskWrongTransaction",
        says:
          "lonely is enqueued in a transaction of another SqlClient than its tasks are kept with: give that client to " +
          "SqlBackend.layer, or enqueue after the commit"
      })
    })))
})
