/** What an instance says of itself with its heartbeats, and of this one without waiting for the next. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Layer, type Scope, TestClock } from "effect"
import { Task, TaskBackend, TaskManager } from "effect-taskflow"
import { InstanceId } from "../src/TaskEvent.js"
import { collectedLogs, engine, gate, sharedBackend } from "./support/engine.js"

const Slow = Task.make("slow", { payload: {}, concurrency: 2 })
const Free = Task.make("free", { payload: {} })

/** An engine on a backend that others may share, and that backend. */
const shared = <A, E>(test: (backend: TaskBackend["Type"]) => Effect.Effect<A, E, TaskManager | Scope.Scope>) =>
  Effect.flatMap(sharedBackend, (backend) =>
    test(backend).pipe(
      Effect.provide(engine({ maxConcurrentTasks: 3 }, Layer.succeed(TaskBackend, backend))),
      Effect.provide(collectedLogs().layer)
    ))

const own = Effect.map(Effect.flatMap(TaskManager, (manager) => manager.instances), (all) => all[0]!)

describe("the vitals of an instance", () => {
  it.scoped("say since when it is up, how much memory it has, how long tasks waited and what bounds are used", () =>
    shared((backend) =>
      Effect.gen(function*() {
        const { open, wait } = yield* gate
        yield* Layer.build(Layer.merge(Slow.toLayer(() => wait), Free.toLayer(() => Effect.void)))
        const startedAt = yield* Clock.currentTimeMillis
        for (let n = 0; n < 3; n += 1) yield* Slow.enqueue()
        yield* Free.enqueue(undefined, { delay: "4 seconds" })
        yield* TestClock.adjust("30 seconds")
        const kept = (yield* backend.instances)[0]!.vitals!
        expect(kept).toMatchObject({
          slots: { max: 3, active: 2 },
          process: { startedAt, rss: expect.any(Number), heapUsed: expect.any(Number), heapLimit: expect.any(Number) },
          waits: { count: 3, p95: expect.any(Number) },
          limits: [{ task: "slow", max: 2, active: 2 }]
        })
        expect(kept.process!.rss).toBeGreaterThan(kept.process!.heapUsed / 4)
        yield* open
        yield* TestClock.adjust(0)
        expect((yield* own).vitals, "this one is asked itself").toMatchObject({
          slots: { active: 0 },
          limits: [{ active: 0 }]
        })
        yield* TestClock.adjust("6 minutes")
        expect((yield* own).vitals!.waits).toEqual({ count: 0, p95: null })
      })
    ))

  it.scoped("are those of this moment where nobody sends heartbeats", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("1 hour")
      const { beatAt, vitals } = yield* own
      expect(beatAt).toBe(yield* Clock.currentTimeMillis)
      expect(vitals).toMatchObject({ slots: { max: 3, active: 0 }, waiting: 0, limits: [] })
    }).pipe(Effect.provide(engine({ maxConcurrentTasks: 3 }))))

  it.scoped("of an older version lack what it does not know of", () =>
    shared((backend) =>
      Effect.gen(function*() {
        const id = InstanceId.make("00000000-0000-7000-8000-00000000000a")
        const now = yield* Clock.currentTimeMillis
        yield* backend.attach({ id, host: "web-0", process: null }, now)
        yield* backend.heartbeat(id, now, { slots: { max: 4, active: 1 }, waiting: 0, lag: 3 })
        const manager = yield* TaskManager
        const found = (yield* manager.instances).find((one) => one.id === id)
        expect(found?.vitals).toEqual({ slots: { max: 4, active: 1 }, waiting: 0, lag: 3 })
      })
    ))
})
