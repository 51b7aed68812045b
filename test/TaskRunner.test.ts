import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Option, Schedule, Schema, TestClock } from "effect"
import { MemoryBackend, Task, TaskBackend, TaskContext, TaskManager } from "effect-taskflow"
import { MemoryObserver, TaskflowTest } from "effect-taskflow/testing"
import { engine, gate } from "./support/engine.js"

class Flaky extends Schema.TaggedError<Flaky>()("Flaky", { run: Schema.Number }) {}

// A task that fails until its nth run and notes the virtual times at which it ran.
const failing = <Retry extends Task.Retry<Flaky>>(retry: Retry, succeedOn = Number.POSITIVE_INFINITY) => {
  const times: Array<number> = []
  const definition = Task.make("failing", { error: Flaky, retry })
  const layer = definition.toLayer(() =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      times.push(now)
      return times.length >= succeedOn ? Effect.void : new Flaky({ run: times.length })
    })
  )
  return { definition, layer, times }
}

describe("retry", () => {
  it.effect("as data: 1, 2 and 4 seconds apart, then failed with the typed error", () => {
    const { definition, layer, times } = failing({ retries: 3, delay: "1 second", backoff: 2 })
    return Effect.gen(function*() {
      const { taskId } = yield* definition.enqueue()
      yield* TaskflowTest.drain
      expect(times).toEqual([0, 1_000, 3_000, 7_000])
      expect(yield* Effect.flip(definition.awaitResult(taskId))).toMatchObject({ _tag: "Flaky", run: 4 })
      const manager = yield* TaskManager
      expect(yield* manager.get(taskId)).toMatchObject({
        status: "failed",
        stopReason: "retriesSpent",
        attempts: 4,
        failures: 4
      })
      const ledger = yield* manager.attempts(taskId)
      expect(ledger.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([[1, "failed"], [2, "failed"], [
        3,
        "failed"
      ]])
      expect(ledger[0]!.failure).toMatchObject({ kind: "error", name: "Flaky", error: `{"run":1,"_tag":"Flaky"}` })
    }).pipe(Effect.provide(layer), Effect.provide(TaskflowTest.layer))
  })

  it.effect("as a Schedule that sees the typed error: its state is rebuilt from the ledger", () => {
    const schedule = Schedule.exponential("1 second", 3).pipe(
      Schedule.intersect(Schedule.recurs(10)),
      Schedule.whileInput((error: Task.RetryInput<Flaky>) => error._tag === "Flaky" && error.run < 4)
    )
    const { definition, layer, times } = failing(schedule)
    return Effect.gen(function*() {
      yield* definition.enqueue()
      yield* TaskflowTest.drain
      expect(times).toEqual([0, 1_000, 4_000, 13_000])
    }).pipe(Effect.provide(layer), Effect.provide(TaskflowTest.layer))
  })

  it.effect("a predicate that throws fails the task and says so on its log", () => {
    const { definition, layer } = failing({
      retries: 3,
      while: () => {
        throw new Error("bad predicate")
      }
    })
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* definition.enqueue()
      yield* TaskflowTest.drain
      expect(yield* manager.get(taskId)).toMatchObject({ status: "failed", attempts: 1, failure: { name: "Flaky" } })
      expect((yield* manager.logs(taskId)).some(({ message }) => message.includes("bad predicate"))).toBe(true)
    }).pipe(Effect.provide(layer), Effect.provide(TaskflowTest.layer))
  })

  it.effect("defects and timeouts are attempts too, and the predicate can tell them apart", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      let runs = 0
      const Mixed = Task.make("mixed", {
        timeout: "10 seconds",
        retry: {
          retries: 5,
          while: (error) => {
            seen.push(error._tag)
            return true
          }
        }
      })
      const layer = Mixed.toLayer(() => {
        runs += 1
        return runs === 1 ? Effect.dieMessage("boom") : runs === 2 ? Effect.never : Effect.void
      })
      yield* Effect.provide(Effect.zipRight(Mixed.enqueue(), TaskflowTest.drain), layer)
      expect(seen).toEqual(["TaskDefect", "TaskTimeout"])
      expect(runs).toBe(3)
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("a back-off holds no slot", () => {
    const { definition, layer } = failing({ retries: 1, delay: "1 hour" })
    const Quick = Task.make("quick")
    return Effect.gen(function*() {
      yield* definition.enqueue()
      yield* Effect.flatMap(TaskManager, (manager) => manager.awaitIdle)
      yield* Quick.execute()
    }).pipe(
      Effect.provide(Layer.merge(layer, Quick.toLayer(() => Effect.void))),
      Effect.provide(engine({ maxConcurrentTasks: 1 }))
    )
  })
})

describe("timeout", () => {
  it.effect("is per attempt, interrupts the handler and runs its finalizers", () =>
    Effect.gen(function*() {
      let finalized = 0
      const Slow = Task.make("slow", { timeout: "5 seconds", retry: { retries: 1, delay: "1 second" } })
      const layer = Slow.toLayer(() => Effect.onInterrupt(Effect.never, () => Effect.sync(() => finalized += 1)))
      yield* Effect.gen(function*() {
        const { taskId } = yield* Slow.enqueue()
        yield* TaskflowTest.drain
        expect(finalized).toBe(2)
        expect(yield* Clock.currentTimeMillis).toBe(11_000)
        expect(yield* Effect.flip(Slow.awaitResult(taskId))).toMatchObject({ reason: "timeout" })
        expect(yield* (yield* TaskManager).get(taskId)).toMatchObject({
          status: "failed",
          failure: { kind: "timeout" }
        })
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("cancel", () => {
  const Work = Task.make("work", { retry: { retries: 3, delay: "1 hour" }, error: Flaky })

  it.effect("while pending: cancelled at once, it never starts", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const started: Array<string> = []
      const first = yield* gate
      const layer = Work.toLayer(() =>
        Effect.flatMap(TaskContext.current, ({ taskId }) =>
          Effect.zipRight(Effect.sync(() => started.push(taskId)), first.wait))
      )
      yield* Effect.gen(function*() {
        const blocker = yield* Work.enqueue()
        const waiting = yield* Work.enqueue()
        const delayed = yield* Work.enqueue(undefined, { delay: "1 hour" })
        expect(yield* manager.cancel(waiting.taskId)).toBe("cancelled")
        expect(yield* manager.cancel(delayed.taskId)).toBe("cancelled")
        expect(yield* Effect.flip(Work.awaitResult(waiting.taskId))).toMatchObject({ reason: "cancelled" })
        yield* first.open
        yield* TaskflowTest.drain
        expect(started).toEqual([blocker.taskId])
        expect(yield* manager.get(waiting.taskId)).toMatchObject({
          status: "cancelled",
          stopReason: "cancel",
          attempts: 0
        })
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(engine({ maxConcurrentTasks: 1 }))))

  it.effect("while running: interrupted, finalizers run, then cancelled; what cannot be interrupted ends first", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const finalized: Array<string> = []
      const Stubborn = Task.make("stubborn")
      const release = yield* gate
      const layer = Layer.merge(
        Work.toLayer(() => Effect.onInterrupt(Effect.never, () => Effect.sync(() => finalized.push("work")))),
        Stubborn.toLayer(() => Effect.uninterruptible(release.wait))
      )
      yield* Effect.gen(function*() {
        const work = yield* Work.enqueue()
        const stubborn = yield* Stubborn.enqueue()
        yield* TaskflowTest.awaitStatus(stubborn.taskId, "running")
        yield* Effect.yieldNow()
        expect(yield* manager.cancel(work.taskId)).toBe("requested")
        expect(yield* manager.cancel(stubborn.taskId)).toBe("requested")
        yield* TaskflowTest.awaitStatus(work.taskId, "cancelled")
        expect(finalized).toEqual(["work"])
        expect(yield* manager.get(stubborn.taskId)).toMatchObject({ status: "running", cancelRequested: true })
        yield* release.open
        yield* TaskflowTest.awaitStatus(stubborn.taskId, "cancelled")
        expect(yield* Effect.flip(manager.cancel(work.taskId))).toMatchObject({
          _tag: "TaskWrongStatus",
          status: "cancelled"
        })
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("in back-off: cancelled at once, the next attempt never comes", () => {
    const { definition, layer, times } = failing({ retries: 3, delay: "1 minute" })
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* definition.enqueue()
      yield* manager.awaitIdle
      expect(yield* manager.get(taskId)).toMatchObject({ status: "running", nextAttemptAt: 60_000, owner: null })
      expect(yield* manager.cancel(taskId)).toBe("cancelled")
      yield* TestClock.adjust("1 hour")
      expect(times).toEqual([0])
      expect(yield* manager.get(taskId)).toMatchObject({ status: "cancelled" })
    }).pipe(Effect.provide(layer), Effect.provide(TaskflowTest.layer))
  })

  it.effect("after a timeout or a snooze, while a finalizer still runs: it ends as cancelled and never runs again", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const release = yield* gate
      const finalizer = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.onExit(self, () => release.wait)
      const Late = Task.make("late", { timeout: "1 second", retry: { retries: 3, delay: "1 second" } })
      const Nap = Task.make("nap")
      const layer = Layer.merge(
        Late.toLayer(() => finalizer(Effect.never)),
        Nap.toLayer(() => finalizer(Task.snooze("1 second")))
      )
      yield* Effect.gen(function*() {
        const ids = [yield* Late.enqueue(), yield* Nap.enqueue()].map(({ taskId }) => taskId)
        yield* TestClock.adjust("2 seconds")
        for (const taskId of ids) expect(yield* manager.cancel(taskId)).toBe("requested")
        yield* release.open
        for (const taskId of ids) yield* TaskflowTest.awaitStatus(taskId, "cancelled")
        yield* TestClock.adjust("1 hour")
        for (const taskId of ids) expect(yield* manager.get(taskId)).toMatchObject({ status: "cancelled", attempts: 1 })
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("while it waits for another task: it ends at once, though the other has the only slot", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const Child = Task.make("child")
      const Parent = Task.make("parent")
      const layer = Layer.merge(
        Child.toLayer(() => Effect.sleep("1 hour")),
        Parent.toLayer(() => Effect.orDie(Child.execute()))
      )
      yield* Effect.gen(function*() {
        const { taskId } = yield* Parent.enqueue()
        yield* TestClock.adjust("1 second")
        expect((yield* manager.list({ taskName: "child" })).items).toMatchObject([{ status: "running" }])
        yield* manager.cancel(taskId)
        yield* TestClock.adjust("1 second")
        expect(yield* manager.get(taskId)).toMatchObject({ status: "cancelled" })
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(engine({ maxConcurrentTasks: 1 }))))

  it.effect("of what is not there", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      expect(yield* Effect.flip(manager.cancel("x"))).toMatchObject({ _tag: "TaskNotFound" })
      expect(yield* Effect.flip(manager.cancel("01890000-0000-7000-8000-000000000000"))).toMatchObject({
        _tag: "TaskNotFound"
      })
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("a start", () => {
  it.effect("is written before the handler runs, both for a task that starts at once and for one that waited", () =>
    Effect.gen(function*() {
      const found: Array<unknown> = []
      const Look = Task.make("look")
      const backend = yield* MemoryBackend.make()
      const layer = Look.toLayer(() =>
        Effect.flatMap(
          TaskContext.current,
          ({ fence, taskId }) =>
            Effect.flatMap(Effect.orDie(backend.get(taskId)), (stored) =>
              Effect.sync(() =>
                found.push(Option.map(stored, ({ attempts, claim, status }) => [status, attempts, claim === fence]))
              ))
        )
      )
      yield* Effect.gen(function*() {
        yield* Look.enqueueMany([undefined, undefined, undefined])
        yield* (yield* TaskManager).awaitIdle
        expect(found).toEqual([1, 2, 3].map(() => Option.some(["running", 1, true])))
      }).pipe(
        Effect.provide(layer),
        Effect.provide(engine({ maxConcurrentTasks: 1 }, Layer.succeed(TaskBackend, backend)))
      )
    }))
})

describe("whatever a handler does", () => {
  it.effect("its failures are readable: message, own frames first, nothing of ours", () =>
    Effect.gen(function*() {
      const Broken = Task.make("broken")
      const explode = () => {
        throw new TypeError("cannot read x")
      }
      const layer = Broken.toLayer(() => Effect.sync(explode))
      yield* Effect.gen(function*() {
        const { taskId } = yield* Broken.enqueue()
        yield* TaskflowTest.drain
        const { failure } = yield* (yield* TaskManager).get(taskId)
        expect(failure).toMatchObject({ kind: "defect", message: "cannot read x" })
        const frames = failure!.stack.split("\n").filter((line) => line.includes(" at "))
        expect(frames[0]).toContain("TaskRunner.test.ts")
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("interrupting itself is a defect, not a cancel", () =>
    Effect.gen(function*() {
      const Self = Task.make("self")
      const layer = Self.toLayer(() => Effect.interrupt)
      yield* Effect.gen(function*() {
        const error = yield* Effect.flip(Self.execute())
        expect(error).toMatchObject({ reason: "defect", message: expect.stringContaining("interrupted from inside") })
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("its scope closes with the attempt, also when it fails", () =>
    Effect.gen(function*() {
      const closed: Array<string> = []
      const Scoped = Task.make("scoped", { error: Flaky, retry: { retries: 1 } })
      const layer = Scoped.toLayer(() =>
        Effect.gen(function*() {
          const { attempt } = yield* TaskContext.current
          yield* Effect.addFinalizer((exit) => Effect.sync(() => closed.push(`${attempt} ${exit._tag}`)))
          if (attempt === 0) return yield* new Flaky({ run: 0 })
        })
      )
      yield* Effect.provide(Scoped.execute(), layer)
      expect(closed).toEqual(["0 Failure", "1 Success"])
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("a payload of another shape fails that task alone, as undecodable, without a retry", () =>
    Effect.gen(function*() {
      const Old = Task.make("shape", { payload: { n: Schema.Number } })
      const New = Task.make("shape", { payload: { n: Schema.String }, retry: { retries: 3 } })
      const seen: Array<string> = []
      const old = yield* Old.enqueue({ n: 1 })
      const fine = yield* New.enqueue({ n: "a" })
      yield* Effect.provide(TaskflowTest.drain, New.toLayer(({ n }) => Effect.sync(() => seen.push(n))))
      const manager = yield* TaskManager
      expect(yield* manager.get(old.taskId)).toMatchObject({
        status: "failed",
        stopReason: "undecodable",
        attempts: 1,
        failure: { kind: "undecodable", message: expect.stringContaining("at n: Expected string, actual 1") }
      })
      expect(yield* manager.get(fine.taskId)).toMatchObject({ status: "success" })
      expect(seen).toEqual(["a"])
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("a plain run is observed as running, success; a failing one with error and stack", () =>
    Effect.gen(function*() {
      const { definition, layer } = failing({ retries: 1, delay: "1 second" }, 2)
      yield* Effect.gen(function*() {
        const observer = yield* MemoryObserver.make()
        const all = yield* MemoryObserver.make({ lifecycle: "all" })
        yield* definition.enqueue()
        yield* TaskflowTest.drain
        expect((yield* observer.lifecycleEvents).map(({ status }) => status)).toEqual(["running", "success"])
        const steps = yield* all.lifecycleEvents
        expect(steps.map(({ status }) => status)).toEqual(["pending", "running", "retrying", "success"])
        expect(steps[2]).toMatchObject({ error: `{ "run": 1 }`, stacktrace: expect.stringContaining("Flaky") })
        expect(steps[3]).toMatchObject({ retriesUsed: 1, duration: 1_000 })
        yield* all.clear
        expect(yield* all.lifecycleEvents).toEqual([])
      }).pipe(Effect.scoped, Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("TaskContext", () => {
  it.effect("travels through forks, streams of fibers and timeouts; attempt is the zero-based retry index", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const Ctx = Task.make("ctx", { error: Flaky, retry: { retries: 1 }, tags: { a: "b" } })
      const note = Effect.flatMap(
        TaskContext.currentOption,
        (current) => Effect.sync(() => seen.push(current._tag === "Some" ? current.value.attempt : "none"))
      )
      const layer = Ctx.toLayer(() =>
        Effect.gen(function*() {
          const current = yield* TaskContext.current
          expect(current).toMatchObject({ taskName: "ctx", tags: { a: "b" }, fence: current.attempt + 1 })
          yield* Fiber.join(yield* Effect.fork(note))
          yield* Fiber.join(yield* Effect.forkDaemon(note))
          yield* Effect.all([note, note], { concurrency: "unbounded" })
          yield* Effect.timeout(note, "1 second").pipe(Effect.orDie)
          if (current.attempt === 0) return yield* new Flaky({ run: 0 })
        })
      )
      yield* Effect.provide(Ctx.execute(), layer)
      expect(seen).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
      expect((yield* TaskContext.currentOption)._tag).toBe("None")
    }).pipe(Effect.provide(TaskflowTest.layer)))
})
