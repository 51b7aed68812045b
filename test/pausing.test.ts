/** Pausing on one engine, in memory: what is held is given back, what runs goes on. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Schema, TestClock } from "effect"
import { Task, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { engine, gate, oneOf, sharedBackend, wrappedBackend } from "./support/engine.js"

const Job = Task.make("job", { payload: { n: Schema.Number }, concurrency: 1 })
const Other = Task.make("other", { payload: { n: Schema.Number } })

const engineWith = <A>(handlers: Layer.Layer<A, never, TaskManager>) => Layer.provideMerge(handlers, TaskflowTest.layer)

describe("pausing", () => {
  it.scoped("a name: what runs goes on, what waits here is given back, other names run, and resuming brings it all", () =>
    Effect.gen(function*() {
      const { open, wait } = yield* gate
      const ran: Array<string> = []
      yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        const first = yield* Job.enqueue({ n: 1 })
        const second = yield* Job.enqueue({ n: 2 })
        yield* TaskflowTest.awaitStatus(first.taskId, "running")
        expect(yield* manager.pause("job")).toBe("paused")
        yield* open
        yield* manager.awaitResult(first.taskId)
        yield* manager.awaitIdle
        expect(yield* manager.get(second.taskId)).toMatchObject({ status: "pending", owner: null })
        const third = yield* Job.enqueue({ n: 3 })
        yield* manager.awaitResult((yield* Other.enqueue({ n: 9 })).taskId)
        yield* manager.awaitIdle
        expect(yield* manager.get(third.taskId)).toMatchObject({ status: "pending", owner: null })
        expect(ran).toEqual(["job 1", "other 9"])
        const { awaiting, heededBy } = yield* manager.pauses
        expect({ awaiting, heededBy }).toEqual({ awaiting: [], heededBy: [manager.instance] })
        expect(yield* manager.resume("job")).toBe(true)
        yield* manager.awaitIdle
        expect(ran).toEqual(["job 1", "other 9", "job 2", "job 3"])
      }).pipe(Effect.provide(engineWith(Layer.mergeAll(
        Job.toLayer(({ n }) => Effect.zipRight(n === 1 ? wait : Effect.void, Effect.sync(() => ran.push(`job ${n}`)))),
        Other.toLayer(({ n }) => Effect.sync(() => ran.push(`other ${n}`)))
      ))))
    }))

  it.scoped("what is no name of a task is refused, and nothing is paused", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      for (const name of ["", "\u0000", "a\nb", "x".repeat(201)]) {
        expect(yield* Effect.flip(manager.pause(name))).toMatchObject({
          _tag: "TaskArgumentError",
          path: "taskName",
          message: expect.stringContaining("1 to 200 characters")
        })
      }
      expect((yield* manager.pauses).paused).toEqual([])
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.scoped("everything: nothing starts, a one-off effect does; a paused name stays so behind it", () =>
    Effect.gen(function*() {
      const ran: Array<number> = []
      yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        yield* manager.pause()
        yield* manager.pause("other")
        yield* Job.enqueue({ n: 1 })
        yield* Other.enqueue({ n: 2 })
        const { taskId } = yield* manager.run("once", Effect.sync(() => ran.push(0)))
        yield* manager.awaitResult(taskId)
        yield* manager.awaitIdle
        expect(ran).toEqual([0])
        yield* manager.resume()
        yield* manager.awaitIdle
        expect(ran).toEqual([0, 1])
        expect((yield* manager.pauses).paused.map(({ by, target }) => ({ by, target }))).toEqual([
          { by: "api", target: { _tag: "Task", name: "other" } }
        ])
        yield* manager.resume("other")
        yield* manager.awaitIdle
        expect(ran).toEqual([0, 1, 2])
      }).pipe(Effect.provide(engineWith(Layer.mergeAll(
        Job.toLayer(({ n }) => Effect.sync(() => ran.push(n))),
        Other.toLayer(({ n }) => Effect.sync(() => ran.push(n)))
      ))))
    }))

  it.scoped("a task that is not persisted waits too", () =>
    Effect.gen(function*() {
      const Fleeting = Task.make("fleeting", { payload: {}, persist: false })
      const ran: Array<string> = []
      yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        yield* manager.pause("fleeting")
        yield* Fleeting.enqueue()
        yield* manager.awaitIdle
        expect(ran).toEqual([])
        yield* manager.resume("fleeting")
        yield* manager.awaitIdle
        expect(ran).toEqual(["ran"])
      }).pipe(Effect.provide(engineWith(Fleeting.toLayer(() => Effect.sync(() => ran.push("ran"))))))
    }))

  const slow = (millis: { readonly claim?: number; readonly write?: number }) =>
    wrappedBackend(({ claim, write }) => ({
      claim: (request) => Effect.tap(claim(request), () => Effect.sleep(millis.claim ?? 0)),
      write: (batch) => Effect.tap(write(batch), () => Effect.sleep(millis.write ?? 0))
    }))

  for (const [what, millis] of [["an insert", { write: 60 }], ["a claim", { claim: 60 }]] as const) {
    it.effect(`meets ${what} that is on its way: what it brings waits all the same`, () =>
      Effect.gen(function*() {
        const manager = yield* TaskManager
        const { open, wait } = yield* gate
        const ran: Array<number> = []
        const handler = Job.toLayer(({ n }) =>
          Effect.zipRight(n === 1 ? wait : Effect.void, Effect.sync(() => ran.push(n)))
        )
        yield* Effect.gen(function*() {
          yield* Effect.fork(Job.enqueueMany([{ n: 1 }, { n: 2 }, { n: 3 }]))
          yield* TestClock.adjust("10 millis")
          yield* manager.pause("job")
          yield* TestClock.adjust("1 hour")
          yield* open
          yield* TestClock.adjust("1 hour")
          // Only what was started before.
          expect(ran.filter((n) => n !== 1)).toEqual([])
          yield* manager.resume("job")
          yield* TestClock.adjust("1 minute")
          expect(ran).toEqual([1, 2, 3])
        }).pipe(Effect.provide(handler))
      }).pipe(Effect.provide(engine({ maxConcurrentTasks: 1, windowSize: 10 }, slow(millis)))))
  }

  it.scoped("is not undone by the answer to a heartbeat that was asked for before", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const ran: Array<number> = []
      let delay = 0
      const { context } = yield* oneOf(
        { ...backend, heartbeat: (...asked) => Effect.tap(backend.heartbeat(...asked), () => Effect.sleep(delay)) },
        Job.toLayer(({ n }) => Effect.sync(() => ran.push(n))),
        { lease: "30 seconds" }
      )
      yield* TestClock.adjust("1 second")
      delay = 2_000
      // A heartbeat is on its way.
      yield* TestClock.adjust("9 seconds")
      yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        yield* manager.pause("job")
        yield* TestClock.adjust("2 seconds")
        yield* Job.enqueue({ n: 1 })
        yield* TestClock.adjust("1 second")
        expect(ran).toEqual([])
      }).pipe(Effect.provide(context))
    }))
})
