/** Retries with another payload, on each backend, encrypted and not: what follows from a payload follows from the new one. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Reactivity } from "@effect/experimental"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel, Redacted, Schema, TestClock } from "effect"
import { MemoryBackend, Task, type TaskBackend, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import * as SqliteBackend from "../src/backend/SqliteBackend.js"
import { cipher } from "./support/cipher.js"
import { freshMysql, freshPostgres, freshRedis, hasMysql, hasPostgres, hasRedis } from "./support/databases.js"
import { engine, oneOf, sharedBackend } from "./support/engine.js"

class Declined extends Schema.TaggedError<Declined>()("Declined", {}) {}

const Charge = Task.make("charge", {
  payload: {
    order: Schema.String,
    amount: Schema.Int,
    at: Schema.optional(Schema.Date),
    token: Schema.optional(Schema.Redacted(Schema.String))
  },
  success: Schema.String,
  error: Declined,
  priority: 3,
  version: 2,
  idempotencyKey: ({ order }) => `charge-${order}`,
  tags: ({ amount, order }) => ({ order, size: amount > 100 ? "large" : "small" })
})

const seen: Array<unknown> = []
const handler = Charge.toLayer((payload) =>
  Effect.suspend(() => {
    seen.push(payload.token === undefined ? payload : { ...payload, token: Redacted.value(payload.token) })
    return payload.amount < 0 ? Effect.fail(new Declined()) : Effect.succeed(payload.order)
  })
)

const failed = (options?: Task.EnqueueOptions) =>
  Effect.gen(function*() {
    const { taskId } = yield* Charge.enqueue({ order: "o-1", amount: -1, token: Redacted.make("s3cret") }, options)
    yield* TaskflowTest.awaitStatus(taskId, "failed")
    return taskId
  })

const folder = mkdtempSync(join(tmpdir(), "taskflow-"))
const file = (name: string): Layer.Layer<TaskBackend> =>
  Layer.orDie(SqliteBackend.layer({ filename: join(folder, name) })).pipe(Layer.provide(Reactivity.layer))

const places: ReadonlyArray<readonly [string, (name: string) => Layer.Layer<TaskBackend>, present?: boolean]> = [
  ["memory", () => MemoryBackend.layer()],
  ["SQLite", file],
  ["SQLite, encrypted", (name) => Layer.provide(cipher(), file(`sealed-${name}`)) as Layer.Layer<TaskBackend>],
  ["PostgreSQL", () => Layer.orDie(freshPostgres), await hasPostgres()],
  ["MySQL or MariaDB", () => Layer.orDie(freshMysql), await hasMysql()],
  ["Redis", () => Layer.orDie(freshRedis), await hasRedis()]
]

for (const [where, backend, present = true] of places) {
  describe.skipIf(!present)(`a retry with another payload on ${where}`, () => {
    const on = (name: string) =>
      Layer.provideMerge(handler, engine({ maxPayloadSize: 500 }, backend(`${name}.db`))).pipe(
        Layer.provide(Logger.minimumLogLevel(LogLevel.Error))
      )

    it.scopedLive("runs with that one; tags and key are those that the definition makes of it", () =>
      Effect.gen(function*() {
        const manager = yield* TaskManager
        const taskId = yield* failed({ tags: { by: "ada" }, priority: 9 })
        const again = yield* manager.retry(taskId, {
          payload: { order: "o-2", amount: 200, at: "2026-01-01T00:00:00Z" }
        })
        const record = yield* manager.awaitResult(again)
        expect(record).toMatchObject({
          status: "success",
          retryOf: taskId,
          idempotencyKey: "charge-o-2",
          tags: { order: "o-2", size: "large", by: "ada" },
          priority: 9,
          definitionVersion: 2,
          source: "manual"
        })
        expect(JSON.parse(record.payload)).toEqual({ order: "o-2", amount: 200, at: "2026-01-01T00:00:00.000Z" })
        expect(seen.at(-1)).toEqual({ order: "o-2", amount: 200, at: new Date("2026-01-01") })
        expect(yield* manager.get(taskId)).toMatchObject({ retriedAs: again, tags: { order: "o-1" } })
        expect(yield* Effect.flip(manager.retry(taskId, { payload: { order: "o-3", amount: 1 } }))).toMatchObject({
          _tag: "TaskAlreadyRetried",
          retriedAs: again
        })
      }).pipe(Effect.provide(on("runs"))))

    it.scopedLive("is refused where the payload does not fit, and nothing is written", () =>
      Effect.gen(function*() {
        const manager = yield* TaskManager
        const taskId = yield* failed()
        const refused = (payload: unknown) => Effect.flip(manager.retry(taskId, { payload }))
        expect(yield* refused({ order: "o-2", amount: 1.5 })).toMatchObject({
          _tag: "TaskArgumentError",
          task: "charge",
          path: "amount"
        })
        expect(yield* refused({ amount: 1 })).toMatchObject({ _tag: "TaskArgumentError", path: "order" })
        expect(yield* refused(null)).toMatchObject({ _tag: "TaskArgumentError", path: "order" })
        const secret = yield* refused({ order: "o-2", amount: 1, token: { inner: "s3cret" } })
        expect(secret).toMatchObject({ _tag: "TaskArgumentError", path: "token" })
        expect(secret.message).not.toContain("s3cret")
        expect(yield* refused({ order: "x".repeat(600), amount: 1 })).toMatchObject({ path: "" })
        expect((yield* manager.list({ taskName: "charge" })).items).toHaveLength(1)
        expect((yield* manager.get(taskId)).retriedAs).toBeNull()
        // The key that it would have is held.
        const held = yield* Charge.enqueue({ order: "o-9", amount: 1 })
        expect(yield* refused({ order: "o-9", amount: 1 })).toMatchObject({
          _tag: "TaskKeyHeld",
          heldBy: held.taskId
        })
        expect(yield* Effect.flip(manager.retry(held.taskId, { payload: {} }))).toMatchObject({
          _tag: "TaskWrongStatus"
        })
      }).pipe(Effect.provide(on("refused"))))

    it.scopedLive("runs once when several ask for it at the same time", () =>
      Effect.gen(function*() {
        const manager = yield* TaskManager
        const taskId = yield* failed()
        const answers = yield* Effect.forEach([1, 2, 3, 4], (amount) =>
          Effect.either(manager.retry(taskId, { payload: { order: `o-1${amount}`, amount } })), { concurrency: 4 })
        const [again, ...more] = answers.flatMap((answer) =>
          answer._tag === "Right" ? [answer.right] : []
        )
        expect(more).toEqual([])
        const refused = answers.flatMap((answer) => answer._tag === "Left" ? [answer.left] : [])
        expect(refused).toEqual(
          Array(3).fill(expect.objectContaining({ _tag: "TaskAlreadyRetried", retriedAs: again }))
        )
        yield* manager.awaitResult(again!)
        expect((yield* manager.list({ taskName: "charge" })).items).toHaveLength(2)
        // The keys of those that were refused are held by nobody.
        const free = yield* Effect.forEach([1, 2, 3, 4], (amount) => Charge.enqueue({ order: `o-1${amount}`, amount }))
        expect(free.filter(({ _tag }) => _tag === "Deduplicated")).toHaveLength(1)
      }).pipe(Effect.provide(on("once"))))

    it.scopedLive("keeps the key that a call had given", () =>
      Effect.gen(function*() {
        const manager = yield* TaskManager
        const taskId = yield* failed({ idempotencyKey: "by hand", tags: { size: "odd" } })
        const again = yield* manager.retry(taskId, { payload: { order: "o-2", amount: 200 } })
        expect(yield* manager.awaitResult(again)).toMatchObject({
          idempotencyKey: "by hand",
          tags: { order: "o-2", size: "odd" }
        })
      }).pipe(Effect.provide(on("key"))))
  })
}

describe("a retry with another payload", () => {
  it.scopedLive("is encrypted again", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const taskId = yield* failed()
      yield* manager.awaitResult(yield* manager.retry(taskId, { payload: { order: "zqmarkqz", amount: 1 } }))
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          handler,
          engine({}, Layer.provide(cipher(), file("bytes.db")) as Layer.Layer<TaskBackend>)
        )
      ),
      Effect.zipRight(Effect.sync(() => {
        // The tag is readable, as all tags are; in the payload and the key the mark would stand once more each.
        const bytes = readFileSync(join(folder, "bytes.db"), "latin1")
        expect(bytes).not.toContain("charge-zqmarkqz")
        expect(bytes).not.toContain("\"zqmarkqz\",\"amount\"")
      }))
    ))

  it.scoped("needs the definition here, to check it", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const worker = yield* oneOf(backend, handler)
      const front = yield* oneOf(backend, Layer.empty)
      const taskId = yield* Effect.provide(failed(), worker.context)
      yield* TestClock.adjust("15 seconds")
      const manager = yield* Effect.provide(TaskManager, front.context)
      const refused = yield* Effect.flip(manager.retry(taskId, { payload: { order: "o-2", amount: 1 } }))
      expect(refused).toMatchObject({ _tag: "TaskNotRegistered", task: "charge" })
      expect((yield* manager.get(taskId)).retriedAs).toBeNull()
      yield* manager.retry(taskId)
    }))
})

process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
