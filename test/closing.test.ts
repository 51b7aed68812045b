/** Nobody waits for an engine that has closed. */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Layer, type Scope as AnyScope, Scope, TestClock } from "effect"
import {
  MemoryBackend,
  Task,
  type TaskBackend,
  TaskflowLayer,
  type TaskflowOptions,
  TaskManager
} from "effect-taskflow"
import { TaskBackendError } from "../src/TaskError.js"
import { collectedLogs, wrappedBackend } from "./support/engine.js"
import { databases } from "./support/sql.js"

const Slow = Task.make("slow", { requeueOnInterrupt: true })
const Unhandled = Task.make("unhandled")

const open = <E>(backend: Layer.Layer<TaskBackend, E>, options: TaskflowOptions = {}) =>
  Effect.gen(function*() {
    const running = yield* Deferred.make<void>()
    const scope = yield* Scope.make()
    const handler = Slow.toLayer(() => Effect.zipRight(Deferred.succeed(running, undefined), Effect.never))
    const engine = handler.pipe(
      Layer.provideMerge(TaskflowLayer({ announce: false, shutdownTimeout: 0, ...options })),
      Layer.provide(backend)
    )
    const context = yield* Layer.buildWithScope(engine, scope)
    const fork = <A, F>(effect: Effect.Effect<A, F, TaskManager>) =>
      Effect.forkDaemon(Effect.flip(Effect.provide(effect, context)))
    return { context, close: Scope.close(scope, Exit.void), fork, running: Deferred.await(running) }
  })

const closedSaid = (error: unknown) => {
  expect(error).toBeInstanceOf(TaskBackendError)
  expect(String((error as TaskBackendError).message)).toContain("the engine is closed")
}

const places: ReadonlyArray<{
  readonly name: string
  readonly present: boolean
  readonly backend: Effect.Effect<Layer.Layer<TaskBackend, unknown>, never, AnyScope.Scope>
}> = [
  { name: "memory", present: true, backend: Effect.succeed(MemoryBackend.layer()) },
  ...databases.map((database) => ({
    ...database,
    backend: Effect.map(database.place, (place) => database.layer(place))
  }))
]

for (const { backend, name, present } of places) {
  describe.skipIf(!present)(`an engine on ${name} that closed`, () => {
    it.scopedLive("tells whoever waits for a result", () =>
      Effect.gen(function*() {
        const engine = yield* open(yield* backend)
        const { taskId } = yield* Effect.provide(Slow.enqueue(), engine.context)
        const waiting = yield* engine.fork(Slow.awaitResult(taskId))
        const executing = yield* engine.fork(Slow.execute())
        yield* engine.running
        yield* Effect.yieldNow()
        yield* engine.close
        closedSaid(yield* Fiber.join(waiting))
        closedSaid(yield* Fiber.join(executing))
        closedSaid(yield* Effect.flip(Effect.provide(Slow.enqueue(), engine.context)))
      }))
  })
}

describe("an engine that closed tells whoever waits", () => {
  it.effect("for one of maxLive to end", () =>
    Effect.gen(function*() {
      const engine = yield* open(MemoryBackend.layer({ maxLive: 1 }))
      yield* Effect.provide(Unhandled.enqueue(), engine.context)
      const waiting = yield* engine.fork(Unhandled.enqueue())
      const many = yield* engine.fork(Unhandled.enqueueMany([undefined, undefined]))
      yield* TestClock.adjust("1 second")
      yield* engine.close
      closedSaid(yield* Fiber.join(waiting))
      closedSaid(yield* Fiber.join(many))
    }))

  it.effect("for room in the window", () =>
    Effect.gen(function*() {
      const engine = yield* open(MemoryBackend.layer(), { maxConcurrentTasks: 1, windowSize: 1 })
      const run = Effect.flatMap(TaskManager, (manager) => manager.run("effect", Effect.never))
      yield* Effect.provide(Effect.zipRight(run, run), engine.context)
      const waiting = yield* engine.fork(run)
      yield* TestClock.adjust("1 second")
      yield* engine.close
      // Closing makes room, so it was accepted, and cancelled like everything that had not started.
      const { cause } = (yield* Fiber.await(waiting)) as Exit.Failure<unknown, unknown>
      expect(Cause.squash(cause)).toMatchObject({ _tag: "Enqueued" })
    }))

  it.effect("for room in the journal", () =>
    Effect.gen(function*() {
      const backend = wrappedBackend(() => ({
        write: () => Effect.fail(new TaskBackendError({ method: "write", cause: new Error("down") }))
      }))
      const engine = yield* open(backend, { journal: { maxWaiting: 1 } })
      yield* engine.fork(Unhandled.enqueue())
      yield* TestClock.adjust("1 second")
      const waiting = yield* engine.fork(Unhandled.enqueue())
      yield* TestClock.adjust("1 second")
      const closed = yield* Effect.fork(engine.close)
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(closed)
      closedSaid(yield* Fiber.join(waiting))
    }).pipe(Effect.provide(collectedLogs().layer)))

  it.effect("for the first look at a task, whatever the backend says then", () =>
    Effect.gen(function*() {
      const asked = yield* Deferred.make<void>()
      const gone = yield* Deferred.make<never, TaskBackendError>()
      const backend = wrappedBackend(() => ({
        get: () => Effect.zipRight(Deferred.succeed(asked, undefined), Deferred.await(gone))
      }))
      const engine = yield* open(backend)
      const { taskId } = yield* Effect.provide(Unhandled.enqueue(), engine.context)
      const waiting = yield* engine.fork(Unhandled.awaitResult(taskId))
      yield* Deferred.await(asked)
      yield* engine.close
      yield* Deferred.fail(gone, new TaskBackendError({ method: "get", cause: new Error("the pool is closed") }))
      closedSaid(yield* Fiber.join(waiting))
    }))
})
