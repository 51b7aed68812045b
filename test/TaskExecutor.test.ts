/** Tasks whose handlers run in workers, on pools without workers: what the engine makes of what a worker says. */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Queue, Schema, Scope, TestClock } from "effect"
import { MemoryBackend, Task, TaskBackend, TaskContext, TaskflowWiringError, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import * as TaskflowConfig from "../src/TaskflowConfig.js"
import { collectedLogs, engine, gate, oneOf, sharedBackend } from "./support/engine.js"
import { type Attempt, defect, failure, fakePools, success } from "./support/fakePools.js"
import { Double } from "./support/workers/tasks.js"

class Full extends Schema.TaggedError<Full>()("Full", { left: Schema.Number, at: Schema.Date }) {}

const Render = Task.make("render", {
  executor: "thread",
  payload: { page: Schema.Number, at: Schema.optional(Schema.Date) },
  success: Schema.Struct({ at: Schema.Date }),
  error: Full
})
const Scan = Task.make("scan", { executor: "thread", payload: { n: Schema.Number } })
const Pack = Task.make("pack", { executor: "process", payload: { n: Schema.Number } })
const Light = Task.make("light", { payload: { n: Schema.Number } })

const there = Task.module("file:///app/handler.worker.js")

const workers = (attempt: Attempt, options?: TaskflowConfig.TaskflowOptions) => {
  const fake = fakePools(attempt)
  return { ...fake, engine: engine(options).pipe(Layer.provide(fake.layer)) }
}

const inMillis = (millis: number, then: Effect.Effect<void> = Effect.void): Attempt => () =>
  Effect.delay(Effect.as(then, success()), millis)

const messageOf = (exit: Exit.Exit<unknown, unknown>) => {
  const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : null
  return error instanceof TaskflowWiringError ? error.message : String(error)
}

describe("an attempt in a worker", () => {
  it.effect("gets its payload as it is stored and its facts; the result is stored as it comes", () => {
    const { engine, jobs } = workers(() => Effect.succeed(success({ at: "2026-01-02T03:04:05.000Z" })), {
      maxPayloadSize: 5_000,
      logs: { level: "info" }
    })
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* Render.enqueue({ page: 3, at: new Date(0) }, { tags: { customer: "c1" } })
      expect(yield* Render.awaitResult(taskId)).toEqual({ at: new Date("2026-01-02T03:04:05.000Z") })
      expect(yield* manager.get(taskId)).toMatchObject({
        status: "success",
        executor: "thread",
        result: `{"at":"2026-01-02T03:04:05.000Z"}`
      })
      expect(jobs).toEqual([{
        module: { url: "file:///app/handler.worker.js", exportName: "default" },
        payload: `{"page":3,"at":"1970-01-01T00:00:00.000Z"}`,
        maxResultSize: 5_000,
        logLevel: "info",
        context: {
          taskId,
          taskName: "render",
          tags: { customer: "c1" },
          source: "manual",
          schedule: null,
          attempt: 0,
          instance: manager.instance,
          fence: 1
        }
      }])
    }).pipe(Effect.provide(Render.toLayer(there)), Effect.provide(engine))
  })

  it.effect("fails with the task's own error: `while` and the caller see it, the record says what the worker said", () => {
    const Twice = Task.make("twice", {
      executor: "process",
      error: Full,
      retry: { retries: 5, delay: "1 minute", while: (error) => error._tag === "Full" && error.left > 0 }
    })
    let left = 2
    const { engine, jobs } = workers(() =>
      // safe: the encoded form of Full
      Effect.sync(() => failure({ _tag: "Full", left: left -= 1, at: "2026-01-01T00:00:00.000Z" } as { _tag: string }))
    )
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* Twice.enqueue()
      yield* TaskflowTest.drain
      const error = yield* Effect.flip(Twice.awaitResult(taskId))
      expect(error).toEqual(new Full({ left: 0, at: new Date("2026-01-01T00:00:00.000Z") }))
      const { failure, ...record } = yield* manager.get(taskId)
      expect(record).toMatchObject({ status: "failed", stopReason: "retriesSpent", attempts: 2 })
      expect(failure).toMatchObject({
        kind: "error",
        name: "Full",
        error: `{"left":0,"at":"2026-01-01T00:00:00.000Z","_tag":"Full"}`
      })
      expect(failure!.stack).toContain("at there (file:///app/w.js:1:1)")
      expect(failure!.stack).not.toContain("inWorker")
      expect(jobs.map(({ context }) => context.attempt)).toEqual([0, 1])
    }).pipe(Effect.provide(Twice.toLayer(there)), Effect.provide(engine))
  })

  it.effect("that gave up is not run again, whether its error is the task's own or a defect", () => {
    const Once = Task.make("once", {
      executor: "thread",
      payload: { n: Schema.Number },
      error: Full,
      retry: { retries: 3 }
    })
    const outcomes = [
      // safe: the encoded form of Full
      failure({ _tag: "Full", left: 1, at: "2026-01-01T00:00:00.000Z" } as { _tag: string }, true),
      defect("Broken", "for ever", true)
    ]
    const { engine } = workers(({ payload }) => Effect.succeed(outcomes[JSON.parse(payload).n]!))
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      for (const [n, name] of [[0, "Full"], [1, "Broken"]] as const) {
        const { taskId } = yield* Once.enqueue({ n })
        yield* manager.awaitResult(taskId)
        expect(yield* manager.get(taskId)).toMatchObject({
          status: "failed",
          stopReason: "unrecoverable",
          attempts: 1,
          failure: { name }
        })
      }
    }).pipe(Effect.provide(Once.toLayer(there)), Effect.provide(engine))
  })

  it.effect("a worker that died is a defect of this attempt, and the next one may succeed", () => {
    let runs = 0
    const Fragile = Task.make("fragile", { executor: "process", retry: { retries: 1 } })
    const { engine } = workers(() =>
      Effect.sync(() => (runs += 1) === 1 ? defect("WorkerDied", "the process ended with SIGKILL") : success())
    )
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* Fragile.enqueue()
      yield* TaskflowTest.drain
      expect(yield* manager.get(taskId)).toMatchObject({ status: "success", attempts: 2 })
      expect((yield* manager.attempts(taskId))[0]!.failure).toMatchObject({
        kind: "defect",
        name: "WorkerDied",
        message: "the process ended with SIGKILL"
      })
    }).pipe(Effect.provide(Fragile.toLayer(there)), Effect.provide(engine))
  })

  it.effect("snoozes without consuming an attempt, and fails for good with a payload that does not fit", () => {
    let runs = 0
    const { engine } = workers(({ payload }) =>
      Effect.sync(() => {
        runs += 1
        if (JSON.parse(payload).n === 2) return { _tag: "Undecodable", message: "n: Expected string, actual 2" }
        return runs === 1 ? { _tag: "Snoozed", millis: 60_000 } : success()
      })
    )
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const snoozed = yield* Scan.enqueue({ n: 1 })
      yield* TestClock.adjust("59 seconds")
      expect(yield* manager.get(snoozed.taskId)).toMatchObject({ status: "running", nextAttemptAt: 60_000 })
      yield* TaskflowTest.drain
      expect(yield* manager.get(snoozed.taskId)).toMatchObject({ status: "success", failures: 0 })
      const odd = yield* Scan.enqueue({ n: 2 })
      expect(yield* manager.awaitResult(odd.taskId)).toMatchObject({
        status: "failed",
        stopReason: "undecodable",
        failure: {
          kind: "undecodable",
          message: "the stored payload does not fit the definition: n: Expected string, actual 2"
        }
      })
    }).pipe(Effect.provide(Scan.toLayer(there)), Effect.provide(engine))
  })

  it.effect("an error that does not fit the definition here says so", () => {
    const { engine } = workers(() => Effect.succeed(failure({ _tag: "Fuller" })))
    return Effect.gen(function*() {
      const { taskId } = yield* Render.enqueue({ page: 1 })
      const { failure } = yield* Effect.flatMap(TaskManager, (manager) => manager.awaitResult(taskId))
      expect(failure).toMatchObject({ kind: "defect" })
      expect(failure!.message).toContain("Fuller came from the worker and does not fit the task's error schema")
    }).pipe(Effect.provide(Render.toLayer(there)), Effect.provide(engine))
  })

  it.effect("its lines and its progress are there while it runs, on the record and in the loggers, once", () =>
    Effect.gen(function*() {
      const { open, wait } = yield* gate
      const { layer, lines } = collectedLogs()
      const fake = workers((_, listener) =>
        Effect.zipRight(
          Effect.sync(() => {
            listener.log("warning", "page is torn", { page: 7 })
            listener.log("debug", "details", {})
            listener.progress({ value: 0.25, message: "page 7" })
          }),
          Effect.as(wait, success())
        )
      )
      yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        const { taskId } = yield* Scan.enqueue({ n: 1 })
        yield* TestClock.adjust(0)
        expect(yield* manager.get(taskId)).toMatchObject({
          status: "running",
          progress: { value: 0.25, message: "page 7" }
        })
        const kept = yield* manager.logs(taskId)
        expect(kept.map(({ annotations, level, message }) => [level, message, annotations])).toEqual([
          ["warning", "page is torn", `{"page":7}`],
          ["debug", "details", null]
        ])
        expect(lines).toEqual([{ level: "Warning", message: "page is torn", annotations: { page: 7 } }])
        yield* open
        yield* manager.awaitResult(taskId)
      }).pipe(Effect.provide(Scan.toLayer(there)), Effect.provide(fake.engine), Effect.provide(layer))
    }))

  it.effect("its lines are bounded like those of any other", () => {
    const { engine } = workers((_, listener) =>
      Effect.sync(() => {
        for (let n = 0; n < 10; n += 1) listener.log("info", `line ${n}`, {})
        return success()
      }), { logs: { maxLines: 3 } })
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* Scan.enqueue({ n: 1 })
      yield* manager.awaitResult(taskId)
      const kept = yield* manager.logs(taskId)
      expect(kept.map(({ message }) => message)).toEqual([
        "line 0",
        "line 1",
        "line 2",
        "the log of this task is full: further lines are not kept"
      ])
    }).pipe(Effect.provide(Scan.toLayer(there)), Effect.provide(engine))
  })

  it.effect("is interrupted by its timeout, by a cancel, and by the end of its engine", () =>
    Effect.gen(function*() {
      const Slow = Task.make("slow", { executor: "thread", timeout: "5 seconds", payload: { n: Schema.Number } })
      const interrupted: Array<unknown> = []
      const begun = yield* Queue.unbounded<void>()
      const fake = workers(({ payload }) =>
        Effect.onInterrupt(
          Effect.zipRight(Queue.offer(begun, undefined), Effect.never),
          () => Effect.sync(() => interrupted.push(JSON.parse(payload).n))
        )
      )
      const layer = Slow.toLayer(there).pipe(Layer.provideMerge(fake.engine))
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer, scope)
      yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        const late = yield* Slow.enqueue({ n: 1 })
        yield* TestClock.adjust("5 seconds")
        expect(yield* manager.awaitResult(late.taskId)).toMatchObject({
          status: "failed",
          failure: { kind: "timeout" }
        })
        yield* Queue.take(begun)
        const unwanted = yield* Slow.enqueue({ n: 2 })
        yield* Queue.take(begun)
        expect(yield* manager.cancel(unwanted.taskId)).toBe("requested")
        expect(yield* manager.awaitResult(unwanted.taskId)).toMatchObject({ status: "cancelled" })
        yield* Slow.enqueue({ n: 3 })
        yield* Queue.take(begun)
      }).pipe(Effect.provide(context))
      yield* Scope.close(scope, Exit.void)
      expect(interrupted).toEqual([1, 2, 3])
      expect(fake.said).toEqual(["thread closed with 0 busy"])
    }))

  it.effect("has its timeout for itself: what its worker takes to start does not count", () =>
    Effect.gen(function*() {
      const Slow = Task.make("slow", { executor: "thread", timeout: "5 seconds" })
      const fake = fakePools(
        (_, { started }) => Effect.zipRight(Effect.delay(Effect.sync(started), "20 seconds"), Effect.never),
        false
      )
      yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        const { taskId } = yield* Slow.enqueue()
        yield* TestClock.adjust("24 seconds")
        expect(yield* manager.get(taskId)).toMatchObject({ status: "running" })
        yield* TestClock.adjust("1 second")
        expect(yield* manager.awaitResult(taskId)).toMatchObject({ failure: { kind: "timeout" } })
      }).pipe(
        Effect.provide(Slow.toLayer(there).pipe(Layer.provideMerge(Layer.provide(engine(), fake.layer))))
      )
    }))

  it.scoped("is stopped when its instance cannot renew its lease, and runs again on another one", () =>
    Effect.gen(function*() {
      const Again = Task.make("again", { executor: "process", requeueOnInterrupt: true })
      const backend = yield* sharedBackend
      const interrupted: Array<string> = []
      const stuck = fakePools(({ context }) =>
        Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted.push(context.taskName)))
      )
      const runner = yield* Effect.provide(oneOf(backend, Again.toLayer(there)), stuck.layer)
      const { taskId } = yield* Effect.provide(Again.enqueue(), runner.context)
      yield* TestClock.adjust("1 second")
      const other = yield* Effect.provide(
        oneOf(backend, Again.toLayer(there)),
        fakePools(() => Effect.succeed(success())).layer
      )
      yield* runner.cut
      yield* TestClock.adjust("2 minutes")
      const record = yield* Effect.provide(Effect.flatMap(TaskManager, ({ get }) => get(taskId)), other.context)
      expect(record).toMatchObject({ status: "success", executor: "process", attempts: 2, claim: 2, failures: 0 })
      expect(interrupted).toEqual(["again"])
    }))

  it.effect("a task that a person retries runs where its definition says", () => {
    let runs = 0
    const fake = workers(() => Effect.sync(() => (runs += 1) === 1 ? defect("Broken", "once") : success()))
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* Pack.enqueue({ n: 1 })
      expect(yield* manager.awaitResult(taskId)).toMatchObject({ status: "failed" })
      const again = yield* manager.retry(taskId)
      expect(yield* manager.awaitResult(again)).toMatchObject({ status: "success", executor: "process" })
      expect(fake.jobs.map(({ payload }) => payload)).toEqual([`{"n":1}`, `{"n":1}`])
    }).pipe(Effect.provide(Pack.toLayer(there)), Effect.provide(fake.engine))
  })

  it.effect("a payload that is not JSON is refused when it is enqueued", () => {
    const Any = Task.make("any", { executor: "process", payload: { value: Schema.Unknown } })
    return Effect.gen(function*() {
      const error = yield* Effect.flip(Any.enqueue({ value: { deep: [() => 1] } }))
      expect(error).toMatchObject({ _tag: "TaskArgumentError", task: "any", path: "value.deep[0]" })
    }).pipe(Effect.provide(engine()))
  })
})

describe("workers are slots", () => {
  it.effect("as many attempts start as there are workers, over all names; others wait as pending", () =>
    Effect.gen(function*() {
      const fake = workers(inMillis(1_000), { executors: { thread: { max: 2 }, process: { max: 1 } } })
      const ran: Array<number> = []
      yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        for (let n = 0; n < 3; n += 1) {
          yield* Scan.enqueue({ n })
          yield* Render.enqueue({ page: n })
          yield* Pack.enqueue({ n })
        }
        yield* Light.enqueue({ n: 1 })
        yield* TestClock.adjust(0)
        expect((yield* manager.stats()).counts).toMatchObject({ pending: 6, running: 3, success: 1 })
        expect(fake.busy).toEqual({ thread: 2, process: 1 })
        yield* TestClock.adjust("3 seconds")
        expect((yield* manager.stats()).counts).toMatchObject({ pending: 0, running: 0 })
        expect([fake.most, ran]).toEqual([{ thread: 2, process: 1 }, [1]])
      }).pipe(
        Effect.provide(Layer.mergeAll(
          Scan.toLayer(there),
          Render.toLayer(there),
          Pack.toLayer(there),
          Light.toLayer(({ n }) => Effect.sync(() => ran.push(n)))
        )),
        Effect.provide(fake.engine)
      )
    }))

  for (const [kind, backend] of [["alone", MemoryBackend.make()], ["on a shared backend", sharedBackend]] as const) {
    it.effect(`the next worker takes the highest priority of all names, ${kind}, and nobody starves`, () =>
      Effect.gen(function*() {
        const fake = workers(inMillis(1_000))
        const layer = engine({ executors: { thread: { max: 1 } }, windowSize: 4 }, Layer.effect(TaskBackend, backend))
          .pipe(
            Layer.provide(fake.layer)
          )
        yield* Effect.gen(function*() {
          yield* Scan.enqueue({ n: -1 })
          for (let n = 0; n < 20; n += 1) {
            yield* Scan.enqueue({ n })
            if (n < 3) yield* Render.enqueue({ page: n })
          }
          yield* Render.enqueue({ page: 100 }, { priority: 9 })
          yield* TestClock.adjust("30 seconds")
          expect(fake.most.thread).toBe(1)
          const order = fake.jobs.map(({ context, payload }) =>
            context.taskName === "scan" ? `scan ${JSON.parse(payload).n}` : `render ${JSON.parse(payload).page}`
          )
          expect(order).toHaveLength(25)
          expect(order[1]).toBe("render 100")
          for (const name of ["scan", "render"]) {
            const own = order.filter((one) => one.startsWith(name) && !one.endsWith("100"))
            expect(own).toEqual([...own].sort((a, b) => Number(a.split(" ")[1]) - Number(b.split(" ")[1])))
          }
          // Within one window of the order of arrival.
          expect(order.indexOf("render 2")).toBeLessThan(14)
        }).pipe(Effect.provide(Layer.merge(Scan.toLayer(there), Render.toLayer(there))), Effect.provide(layer))
      }))
  }

  it.scoped("a claim starts no more than there are workers, and two instances share the rest", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const enqueuer = yield* oneOf(backend, Layer.empty)
      const ids: Array<string> = []
      for (let n = 0; n < 3; n += 1) {
        ids.push((yield* Effect.provide(Scan.enqueue({ n }), enqueuer.context)).taskId)
        ids.push((yield* Effect.provide(Render.enqueue({ page: n }, { priority: 1 }), enqueuer.context)).taskId)
      }
      const fakes = [fakePools(inMillis(60_000)), fakePools(inMillis(60_000))]
      for (const { layer } of fakes) {
        yield* Effect.provide(
          oneOf(backend, Layer.merge(Scan.toLayer(there), Render.toLayer(there)), {
            executors: { thread: { max: 2 } }
          }),
          layer
        )
        yield* TestClock.adjust("10 seconds")
      }
      expect(fakes.map(({ jobs }) => jobs.map(({ context: { taskName } }) => taskName))).toEqual([
        ["render", "render"],
        ["render", "scan"]
      ])
      expect(fakes.map(({ most }) => most.thread)).toEqual([2, 2])
    }))
})

describe("pools", () => {
  it.effect("are made with the first handler for them, with the options of their kind", () => {
    const fake = workers(inMillis(1), {
      executors: {
        thread: { min: 1, max: 3, memoryLimit: 64, recycleAfter: 100 },
        process: { max: 2, idleTimeout: "5 seconds", startTimeout: "1 second", grace: 0 }
      }
    })
    return Effect.gen(function*() {
      expect(fake.made).toEqual([])
      yield* Effect.scoped(
        Layer.build(Layer.mergeAll(Scan.toLayer(there), Render.toLayer(there), Light.toLayer(() => Effect.void)))
      )
      expect(fake.made).toEqual([{
        kind: "thread",
        min: 1,
        max: 3,
        idleTimeout: 60_000,
        recycleAfter: 100,
        memoryLimit: 67_108_864,
        startTimeout: 30_000,
        grace: 250
      }])
      yield* Effect.scoped(Layer.build(Layer.merge(Pack.toLayer(there), Scan.toLayer(there))))
      expect(fake.made.slice(1)).toEqual([{
        kind: "process",
        min: 0,
        max: 2,
        idleTimeout: 5_000,
        recycleAfter: Number.POSITIVE_INFINITY,
        memoryLimit: null,
        startTimeout: 1_000,
        grace: 0
      }])
      // Those that wait for attempts load what these will need; the others nothing.
      expect(fake.said).toEqual(Array(3).fill("thread warm file:///app/handler.worker.js"))
    }).pipe(Effect.provide(fake.engine))
  })

  it("with settings that make no sense are refused by name", () => {
    const problem = (thread: TaskflowConfig.PoolOptions) => {
      try {
        return TaskflowConfig.make({ executors: { thread } }).executors.thread
      } catch (error) {
        return String(error)
      }
    }
    expect(problem({ max: 0 })).toContain("executors.thread.max is 0: a whole number from 1")
    expect(problem({ min: 3, max: 2 })).toContain("executors.thread.min is 3: a whole number from 0 to its max, 2")
    expect(problem({ memoryLimit: 1.5 })).toContain("executors.thread.memoryLimit is 1.5: a whole number from 1")
    expect(problem({ recycleAfter: 0 })).toContain("executors.thread.recycleAfter is 0")
    expect(problem({ startTimeout: 0 })).toContain("executors.thread.startTimeout is 0 ms: at least 1 ms")
    expect(problem({})).toMatchObject({ min: 0, grace: 250 })
  })
})

describe("wiring", () => {
  const built = <A>(handler: Layer.Layer<A, never, TaskManager>, options?: TaskflowConfig.TaskflowOptions) =>
    Effect.map(
      Effect.exit(Effect.scoped(Layer.build(Layer.provide(handler, workers(inMillis(1), options).engine)))),
      messageOf
    )

  it.effect("a module for a task on a fiber, and a function for one that is not, fail the build and say what to change", () =>
    Effect.gen(function*() {
      expect(yield* built(Light.toLayer(there))).toBe(
        `task "light" has a module for a handler and runs on a fiber: give Task.make executor: "thread" or "process", or give ` +
          "toLayer a function"
      )
      const message = yield* built(Scan.toLayer(() => Effect.void))
      expect(message).toContain(`task "scan" has executor "thread" and a function for a handler`)
      expect(message).toContain("Task.module")
      expect(yield* built(Light.toLayer(there), { executors: { inPlace: true } })).toContain("runs on a fiber")
    }))

  it.effect("a one-off effect runs on a fiber, whatever its name", () => {
    const fake = workers(inMillis(1))
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* manager.run("scan", TaskContext.current)
      expect(yield* manager.awaitResult(taskId)).toMatchObject({ status: "success", executor: "fiber" })
      expect(fake.jobs).toEqual([])
    }).pipe(Effect.provide(Scan.toLayer(there)), Effect.provide(fake.engine))
  })
})

describe("in place", () => {
  const module = Task.module(new URL("./support/workers/double.worker.js", import.meta.url))

  it.effect("a module runs on a fiber, on the clock of the test, with its layer", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* Double.enqueue({ value: 21n }, { tags: { of: "test" } })
      yield* TestClock.adjust("5 minutes")
      expect(yield* manager.get(taskId)).toMatchObject({
        status: "running",
        executor: "thread",
        progress: { value: 0.5, message: "half" }
      })
      const [line] = yield* manager.logs(taskId)
      expect(line).toMatchObject({ level: "info", message: "doubling" })
      expect(JSON.parse(line!.annotations!)).toEqual({ attempt: 0, tags: { of: "test" } })
      yield* TaskflowTest.drain
      expect(yield* Double.awaitResult(taskId)).toEqual({ value: 42n, attempt: 2 })
      expect(yield* TestClock.currentTimeMillis).toBe(9_000_000)
    }).pipe(Effect.provide(Double.toLayer(module)), Effect.provide(TaskflowTest.layer)))

  it.effect("a function is accepted in the place of a module", () =>
    Effect.gen(function*() {
      expect(yield* Double.execute({ value: 2n })).toEqual({ value: 3n, attempt: 0 })
    }).pipe(
      Effect.provide(Double.toLayer(({ value }) => Effect.succeed({ value: value + 1n, attempt: 0 }))),
      Effect.provide(TaskflowTest.layer)
    ))

  it.effect("a module that does not fit the task fails the build and says why", () =>
    Effect.gen(function*() {
      const url = new URL("./support/workers/double.worker.js", import.meta.url)
      const built = <A>(handler: Layer.Layer<A, never, TaskManager>) =>
        Effect.map(Effect.exit(Effect.scoped(Layer.build(Layer.provide(handler, TaskflowTest.layer)))), messageOf)
      expect(yield* built(Double.toLayer(there))).toContain("file:///app/handler.worker.js: cannot be loaded")
      expect(yield* built(Double.toLayer(Task.module(url, { export: "notAWorker" }))))
        .toContain("its export notAWorker is not what Task.worker makes")
      expect(yield* built(Scan.toLayer(Task.module(url)))).toContain(`is the worker of task "double"`)
    }))
})
