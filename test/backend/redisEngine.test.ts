/** A whole engine on a Redis that cannot be reached for a while, or answers late. Real time, as a network has it. */
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Schema } from "effect"
import { Task, TaskflowLayer, TaskManager } from "effect-taskflow"
import * as RedisBackend from "../../src/backend/RedisBackend.js"
import { makeProxy } from "../chaos/support/proxy.js"
import { hasRedis, redis, redisPrefix } from "../support/databases.js"
import { collectedLogs } from "../support/engine.js"
import { eventually } from "../support/schedules.js"

const Job = Task.make("job", { payload: { n: Schema.Number }, requeueOnInterrupt: true })

/** What nobody handled, while the scope is open. */
const unhandled = Effect.acquireRelease(
  Effect.sync(() => {
    const seen: Array<unknown> = []
    const note = (reason: unknown) => seen.push(reason)
    process.on("unhandledRejection", note)
    return { seen, note }
  }),
  ({ note }) => Effect.sync(() => process.off("unhandledRejection", note))
)

const through = Effect.gen(function*() {
  const proxy = yield* makeProxy({ target: redis })
  const ran = new Map<number, number>()
  const backend = RedisBackend.layer({ ...proxy.where, prefix: yield* redisPrefix })
  const handler = Job.toLayer(({ n }) => Effect.sync(() => ran.set(n, (ran.get(n) ?? 0) + 1)))
  const engine = TaskflowLayer({ announce: false }).pipe(Layer.provide(backend))
  const context = yield* Layer.build(Layer.provideMerge(handler, engine))
  return { proxy, ran, manager: Context.get(context, TaskManager) }
})

const count = 100
const onceEach = new Map(Array.from({ length: count }, (_, n) => [n, 1]))

describe.skipIf(!await hasRedis())("an engine on Redis", () => {
  it.scopedLive(
    "that is cut off for five seconds loses nothing, runs nothing twice, and says once that it is back",
    () => {
      const logs = collectedLogs()
      return Effect.gen(function*() {
        const { seen } = yield* unhandled
        const { manager, proxy, ran } = yield* through
        // One every 20 ms: before, while and after it cannot be reached.
        const enqueueing = yield* Effect.fork(
          Effect.forEach(onceEach.keys(), (n) =>
            Effect.zipLeft(
              Effect.forkScoped(Effect.retry(manager.enqueue(Job, { n }), { times: 3 })),
              Effect.sleep("20 millis")
            ))
        )
        yield* Effect.sleep("500 millis")
        yield* proxy.set("refuse")
        yield* Effect.sleep("5 seconds")
        yield* proxy.set("pass")
        const accepted = yield* Effect.forEach(yield* Fiber.join(enqueueing), Fiber.join)
        expect(
          new Set(accepted.map(({ taskId }) => taskId)).size
        ).toBe(count)
        yield* Effect.forEach(accepted, ({ taskId }) => manager.awaitResult(taskId), { concurrency: "unbounded" })
        expect(new Map([...ran].sort(([a], [b]) => a - b))).toEqual(onceEach)
        // Both lines have a connection of their own, which may be back a little later than the last task.
        for (const words of ["takes writes again", "listens again"]) {
          const said = Effect.sync(() => logs.lines.filter(({ message }) => message.includes(words)))
          expect(yield* eventually(said, ({ length }) => length > 0)).toHaveLength(1)
        }
        expect(logs.lines.filter(({ level }) => level === "Error" || level === "Fatal")).toEqual([])
        expect(seen).toEqual([])
      }).pipe(Effect.provide(logs.layer))
    },
    60_000
  )

  it.scopedLive("that answers 200 ms late loses nothing and runs nothing twice", () =>
    Effect.gen(function*() {
      const { seen } = yield* unhandled
      const { manager, proxy, ran } = yield* through
      yield* proxy.set({ slowMillis: 200 })
      const accepted = yield* Effect.forEach(onceEach.keys(), (n) => manager.enqueue(Job, { n }), {
        concurrency: "unbounded"
      })
      yield* Effect.forEach(accepted, ({ taskId }) => manager.awaitResult(taskId), { concurrency: "unbounded" })
      expect(new Map([...ran].sort(([a], [b]) => a - b))).toEqual(onceEach)
      expect(seen).toEqual([])
    }).pipe(Effect.provide(collectedLogs().layer)), 60_000)
})
