// The engine on a backend that takes its time and fails, as a database does: what never shows on memory.
import { describe, expect, it } from "@effect/vitest"
import { Clock, type Context, Deferred, Effect, Exit, Fiber, Layer, Option, Schema, Scope, TestClock } from "effect"
import type { TaskBackend } from "effect-taskflow"
import { Task, type TaskflowOptions, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import * as Timers from "../src/internal/timers.js"
import { TaskBackendError } from "../src/TaskError.js"
import { collectedLogs, engine, gate, wrappedBackend } from "./support/engine.js"

// Answers come back late: what was done is done at once, as a database may have committed long before it is heard of.
const slow = (millis: { readonly claim?: number; readonly write?: number }) =>
  wrappedBackend(({ claim, write }) => ({
    claim: (request) => Effect.tap(claim(request), () => Effect.sleep(millis.claim ?? 0)),
    write: (batch) => Effect.tap(write(batch), () => Effect.sleep(millis.write ?? 0))
  }))

const Count = Task.make("count", { payload: { n: Schema.Number } })

describe("a claim whose answer is on its way", () => {
  it.effect("forgets nothing that is enqueued meanwhile", () =>
    Effect.gen(function*() {
      const seen: Array<number> = []
      const layer = Count.toLayer(({ n }) => Effect.sync(() => seen.push(n)))
      yield* Effect.gen(function*() {
        for (let n = 0; n < 12; n += 1) {
          yield* Effect.fork(Count.enqueue({ n }))
          yield* TestClock.adjust("20 millis")
        }
        yield* TestClock.adjust("5 seconds")
        expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, n) => n))
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(engine({ maxConcurrentTasks: 1, windowSize: 1 }, slow({ claim: 60 })))))

  it.effect("is met by a cancel: the task does not run", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      let runs = 0
      const { taskId } = yield* Count.enqueue({ n: 1 })
      yield* Effect.gen(function*() {
        yield* TestClock.adjust("10 millis")
        expect(yield* manager.get(taskId)).toMatchObject({ status: "running" })
        expect(yield* manager.cancel(taskId)).toBe("requested")
        yield* TestClock.adjust("1 second")
        expect(yield* manager.get(taskId)).toMatchObject({ status: "cancelled" })
        expect(runs).toBe(0)
      }).pipe(Effect.provide(Count.toLayer(() => Effect.sync(() => runs += 1))))
    }).pipe(Effect.provide(engine({}, slow({ claim: 60 })))))

  it.effect("that dies is asked again with growing waits, not at once", () => {
    let claims = 0
    const backend = wrappedBackend(({ claim }) => ({
      claim: (request) => Effect.suspend(() => ++claims < 4 ? Effect.dieMessage("driver bug") : claim(request))
    }))
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const { taskId } = yield* Count.enqueue({ n: 1 })
      yield* Effect.gen(function*() {
        yield* TestClock.adjust("10 seconds")
        yield* TaskflowTest.awaitStatus(taskId, "success")
        expect(claims).toBeLessThan(8)
        expect(logs.lines.filter(({ message }) => message.includes("claiming failed"))).toHaveLength(1)
      }).pipe(Effect.provide(Count.toLayer(() => Effect.void)))
    }).pipe(Effect.provide(engine({}, backend)), Effect.provide(logs.layer))
  })
})

describe("shutdown", () => {
  const closing = (
    backend: Layer.Layer<TaskBackend>,
    options: TaskflowOptions,
    handler: Layer.Layer<Task.Handler<"count">, never, TaskManager>
  ) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(handler.pipe(Layer.provideMerge(engine(options, backend))), scope)
      const enqueued = yield* Effect.fork(Effect.provide(Effect.exit(Count.enqueue({ n: 1 })), context))
      yield* TestClock.adjust("1 millis")
      const closed = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("1 minute")
      expect(Option.isSome(yield* Fiber.poll(closed))).toBe(true)
      return yield* Fiber.poll(enqueued)
    })

  it.effect("is bounded when the backend is down, and who waits for a commit is told", () => {
    const backend = wrappedBackend(() => ({
      write: () => Effect.fail(new TaskBackendError({ method: "write", cause: new Error("down") }))
    }))
    return Effect.gen(function*() {
      const enqueued = yield* closing(backend, { shutdownTimeout: "1 second" }, Count.toLayer(() => Effect.void))
      expect(JSON.stringify(enqueued)).toContain("TaskBackendError")
    }).pipe(Effect.provide(collectedLogs().layer))
  })

  it.effect("starts no handler whose start was written too late", () =>
    Effect.gen(function*() {
      let runs = 0
      yield* closing(slow({ write: 500 }), { shutdownTimeout: 100 }, Count.toLayer(() => Effect.sync(() => runs += 1)))
      expect(runs).toBe(0)
    }))
})

describe("a backend that does not answer any more", () => {
  // Every call hangs once it is dead, and cannot be interrupted.
  const dying = () => {
    const state = { dead: false }
    const via = <A extends ReadonlyArray<unknown>, B, E>(method: (...args: A) => Effect.Effect<B, E>) => (...args: A) =>
      Effect.suspend(() => state.dead ? Effect.uninterruptible(Effect.never) : method(...args))
    const backend = wrappedBackend(({ claim, detach, info, write }) => ({
      info: { ...info, shared: true, maxLive: Number.POSITIVE_INFINITY },
      claim: via(claim),
      detach: via(detach),
      write: via(write)
    }))
    return { backend, state }
  }

  // How long closing an idle engine with eight handlers takes, in seconds, once its backend is dead.
  const secondsToClose = (before: (context: Context.Context<TaskManager>) => Effect.Effect<unknown>) =>
    Effect.gen(function*() {
      const { backend, state } = dying()
      const tasks = Array.from({ length: 8 }, (_, n) => Task.make(`t${n}`).toLayer(() => Effect.void))
      const handlers = tasks.reduce(
        (all: Layer.Layer<never, never, TaskManager>, one) => Layer.merge(all, one) as typeof all,
        Layer.empty
      )
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        handlers.pipe(Layer.provideMerge(engine({ shutdownTimeout: "3 seconds" }, backend))),
        scope
      )
      yield* Effect.provide(Task.make("t0").execute(), context).pipe(Effect.fork)
      yield* TestClock.adjust("5 seconds")
      state.dead = true
      yield* before(context)
      const from = yield* Clock.currentTimeMillis
      const closing = yield* Effect.fork(Effect.zipRight(Scope.close(scope, Exit.void), Clock.currentTimeMillis))
      for (let n = 0; n < 200 && Option.isNone(yield* Fiber.poll(closing)); n += 1) yield* TestClock.adjust("1 second")
      return ((yield* Fiber.join(closing)) - from) / 1_000
    })

  it.effect("holds up the close of an idle engine for ten seconds beyond shutdownTimeout: an enqueue is under way", () =>
    Effect.gen(function*() {
      const seconds = yield* secondsToClose((context) =>
        Effect.fork(Effect.provide(Effect.exit(Task.make("t1").enqueue()), context)).pipe(
          Effect.zipRight(TestClock.adjust("20 millis"))
        )
      )
      expect(seconds).toBeLessThanOrEqual(13)
    }).pipe(Effect.provide(collectedLogs().layer)))

  it.effect("and when a claim is", () =>
    Effect.gen(function*() {
      expect(yield* secondsToClose(() => TestClock.adjust("10 seconds"))).toBeLessThanOrEqual(13)
    }).pipe(Effect.provide(collectedLogs().layer)))

  it.effect("lets an interrupted TaskManager.run go", () => {
    const { backend, state } = dying()
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(engine({}, backend), scope)
      state.dead = true
      const running = yield* Effect.fork(
        Effect.provide(
          Effect.flatMap(TaskManager, (manager) => Effect.timeoutOption(manager.run("x", Effect.void), "300 millis")),
          context
        )
      )
      yield* TestClock.adjust("300 millis")
      expect(yield* Fiber.poll(running)).toMatchObject({ _tag: "Some" })
    }).pipe(Effect.provide(collectedLogs().layer))
  })
})

describe("waiting for room", () => {
  it.effect("wakes the next one when the first in line did not need it", () =>
    Effect.gen(function*() {
      const release = yield* gate
      yield* Effect.gen(function*() {
        yield* Count.enqueue({ n: 1 }, { idempotencyKey: "held" })
        const duplicate = yield* Effect.fork(Count.enqueue({ n: 2 }, { idempotencyKey: "held" }))
        const interrupted = yield* Effect.fork(Count.enqueue({ n: 3 }))
        const last = yield* Effect.fork(Count.enqueue({ n: 4 }))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(interrupted)
        yield* release.open
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(duplicate)).toMatchObject({ _tag: "Deduplicated" })
        expect(yield* Fiber.join(last)).toMatchObject({ _tag: "Enqueued" })
      }).pipe(Effect.provide(Count.toLayer(() => release.wait)))
    }).pipe(Effect.provide(TaskflowTest.layerWith({}, { maxLive: 1 }))))
})

describe("slots", () => {
  it.effect("an await that timed out does not leave its handler without one", () =>
    Effect.gen(function*() {
      const state = { now: 0, most: 0 }
      const Child = Task.make("child")
      const Parent = Task.make("parent")
      const busy = Effect.acquireUseRelease(
        Effect.sync(() => state.most = Math.max(state.most, ++state.now)),
        () => Effect.sleep("1 second"),
        () => Effect.sync(() => state.now -= 1)
      )
      const layer = Layer.merge(
        Child.toLayer(() => busy),
        Parent.toLayer(() => Effect.zipRight(Effect.orDie(Effect.timeoutOption(Child.execute(), "5 millis")), busy))
      )
      yield* Effect.gen(function*() {
        yield* Parent.enqueueMany(Array.from({ length: 5 }, () => undefined))
        yield* TaskflowTest.drain
        expect(state.most).toBe(1)
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(engine({ maxConcurrentTasks: 1 }))))
})

describe("one-off effects", () => {
  it.effect("are not pushed out of the window by urgent tasks", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const release = yield* gate
      const ran: Array<string> = []
      const note = (name: string) => Effect.sync(() => ran.push(name))
      yield* Effect.gen(function*() {
        yield* manager.run("blocker", release.wait)
        yield* manager.run("one", note("one"))
        yield* manager.run("two", note("two"))
        yield* Count.enqueueMany([{ n: 1 }, { n: 2 }], { priority: 5 })
        yield* TestClock.adjust("1 second")
        yield* release.open
        yield* TaskflowTest.drain
        expect(ran.sort()).toEqual(["count", "count", "one", "two"])
      }).pipe(Effect.provide(Count.toLayer(() => note("count"))))
    }).pipe(Effect.provide(engine({ maxConcurrentTasks: 1, windowSize: 2 }))))

  it.effect("can be run from inside a handler, whatever waits", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      let ran = 0
      const layer = Count.toLayer(() =>
        Effect.orDie(Effect.replicateEffect(manager.run("inner", Effect.sync(() => ran += 1)), 5)).pipe(Effect.asVoid)
      )
      yield* Effect.provide(Effect.zipRight(Count.enqueue({ n: 1 }), TaskflowTest.drain), layer)
      expect(ran).toBe(5)
    }).pipe(Effect.provide(engine({ maxConcurrentTasks: 1, windowSize: 2 }))))

  it.effect("interrupted while it is being accepted, it still runs", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const done = yield* Deferred.make<void>()
      const running = yield* Effect.fork(manager.run("once", Deferred.succeed(done, undefined)))
      yield* TestClock.adjust("1 millis")
      yield* Effect.fork(Fiber.interrupt(running))
      yield* TestClock.adjust("1 second")
      yield* Deferred.await(done)
    }).pipe(Effect.provide(engine({}, slow({ write: 50 })))))
})

describe("far times", () => {
  it.scoped("a sleep is never longer than a timer of the platform can be", () =>
    Effect.gen(function*() {
      const slept: Array<number> = []
      const clock = yield* Clock.clockWith(Effect.succeed)
      const spying: Clock.Clock = {
        ...clock,
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: () => 0,
        unsafeCurrentTimeNanos: () => 0n,
        sleep: (duration) =>
          Effect.zipRight(
            Effect.sync(() => slept.push(Number(duration.value._tag === "Millis" ? duration.value.millis : -1))),
            Effect.never
          )
      }
      const timers = yield* Effect.withClock(Timers.make, spying)
      timers.schedule(100 * 86_400_000, () => {})
      yield* Effect.yieldNow()
      yield* TestClock.adjust("1 millis")
      expect(new Set(slept)).toEqual(new Set([2 ** 31 - 1]))
    }))
})
