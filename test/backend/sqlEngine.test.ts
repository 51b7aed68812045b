/** A whole engine on each database: it runs, it is restarted, its connections are cut, and it keeps what it was given. */
import { describe, expect } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel, Schema } from "effect"
import { Task, TaskBackend, TaskContext, TaskflowLayer, TaskManager } from "effect-taskflow"
import { backendOn, databases, killer } from "../support/sql.js"
import { testInTurn } from "../support/testOn.js"

const Echo = Task.make("echo", {
  payload: { text: Schema.String },
  success: Schema.String,
  idempotencyKey: ({ text }) => `k${text.slice(0, 100)}`
})

const Step = Task.make("step", { payload: { step: Schema.Int }, success: Schema.Int })

const options = { announce: false, maxPayloadSize: 8_000_000, poll: { min: "20 millis" } } as const

const runs = 200
const steps = Array.from({ length: runs }, (_, step) => ({ step }))

for (const database of databases) {
  const test = testInTurn(database)

  describe.skipIf(!database.present)(`an engine on ${database.name}`, () => {
    test("runs what it is given and has its history behind a restart", ({ place }) =>
      Effect.gen(function*() {
        const handler = Step.toLayer(({ step }) => Effect.succeed(step * 2))
        const engine = handler.pipe(Layer.provideMerge(TaskflowLayer(options)), Layer.provide(database.layer(place)))
        const ids = yield* Effect.gen(function*() {
          const enqueued = yield* Step.enqueueMany(steps)
          const ids = enqueued.map(({ taskId }) => taskId)
          const results = yield* Effect.forEach(ids, (id) => Step.awaitResult(id), { concurrency: "unbounded" })
          expect(results).toEqual(steps.map(({ step }) => step * 2))
          return ids
        }).pipe(Effect.provide(engine))
        yield* Effect.gen(function*() {
          const manager = yield* TaskManager
          const { counts, durations } = yield* manager.stats()
          expect(counts).toMatchObject({ success: runs, pending: 0, running: 0, failed: 0 })
          expect(durations.count).toBe(runs)
          const { items } = yield* manager.list({ status: ["success"], order: "oldest", limit: 200 })
          expect(items.map(({ taskId }) => taskId)).toEqual(ids)
          expect(new Set(items.map(({ attempts }) => attempts))).toEqual(new Set([1]))
          expect(yield* Step.awaitResult(ids[7]!)).toBe(14)
        }).pipe(Effect.provide(engine))
      }))

    // The limit of what is asked for here is MySQL's packet, 16 MB: payload and result are kept in one row.
    const texts: Record<string, string> = {
      "five megabytes": "x".repeat(5_000_000),
      NUL: "a\u0000b",
      "a lone high surrogate": "a\ud800b",
      "a lone low surrogate": "\udc00",
      emoji: "👩‍👩‍👧‍👦 and 🇺🇳",
      "what SQL and JSON are written with": "'\"\\; -- /* ? $1 :a %s \b\n\r\t\u2028 \\u0000 </script>",
      "no text at all": "",
      "trailing space and case, told from its like": "Order-É "
    }
    test("keeps every text as it is", ({ place }) =>
      Effect.gen(function*() {
        const handler = Echo.toLayer(({ text }) =>
          Effect.gen(function*() {
            yield* Effect.log(text.slice(0, 100))
            return text
          })
        )
        const engine = handler.pipe(Layer.provideMerge(TaskflowLayer(options)), Layer.provide(database.layer(place)))
        yield* Effect.gen(function*() {
          const manager = yield* TaskManager
          for (const [what, text] of Object.entries(texts)) {
            const { _tag, taskId } = yield* Echo.enqueue({ text }, { tags: { tag: text.slice(0, 100) } })
            expect([what, _tag]).toEqual([what, "Enqueued"])
            expect((yield* Echo.awaitResult(taskId)) === text, what).toBe(true)
            const [line] = yield* manager.logs(taskId)
            expect(line!.message, what).toBe(text.slice(0, 100))
            const { items } = yield* manager.list({ tag: ["tag", text.slice(0, 100)] })
            expect(items.map((one) => one.taskId), what).toEqual([taskId])
          }
          expect((yield* Echo.enqueue({ text: "Order-É" }))._tag).toBe("Enqueued")
          expect((yield* Echo.enqueue({ text: "order-É " }))._tag).toBe("Enqueued")
          expect((yield* Echo.enqueue({ text: "Order-É " }))._tag).toBe("Deduplicated")
          expect((yield* Echo.enqueue({ text: "a\ud800b" }))._tag).toBe("Deduplicated")
          yield* manager.awaitIdle
        }).pipe(Effect.provide(engine), Logger.withMinimumLogLevel(LogLevel.None))
      }))

    if (database.kind !== "sqlite") {
      test("loses nothing when its connections are cut", (at) =>
        Effect.gen(function*() {
          const { client, kill } = killer(yield* at.open, yield* at.open)
          const backend = yield* backendOn(client, at)
          const started: Array<string> = []
          const handler = Step.toLayer(({ step }) =>
            Effect.gen(function*() {
              const { taskId } = yield* TaskContext.current
              started.push(taskId)
              if (step === 20 || step === 120) yield* Effect.orDie(kill)
              return step
            })
          )
          const engine = handler.pipe(
            Layer.provideMerge(TaskflowLayer({ ...options, maxConcurrentTasks: 10 })),
            Layer.provide(Layer.succeed(TaskBackend, backend))
          )
          yield* Effect.gen(function*() {
            const ids = (yield* Step.enqueueMany(steps)).map(({ taskId }) => taskId)
            // A read that is cut fails, and is for its caller to repeat.
            const result = (id: typeof ids[number]) => Effect.retry(Step.awaitResult(id), { times: 3 })
            const results = yield* Effect.forEach(ids, result, { concurrency: "unbounded" })
            expect(results).toEqual(steps.map(({ step }) => step))
            expect([...started].sort()).toEqual([...ids].sort())
            const { counts } = yield* Effect.flatMap(TaskManager, (manager) => manager.stats())
            expect(counts).toMatchObject({ success: runs, pending: 0, running: 0, failed: 0, interrupted: 0 })
          }).pipe(Effect.provide(engine), Logger.withMinimumLogLevel(LogLevel.None))
        }))
    }
  })
}
