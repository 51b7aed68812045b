/** Real threads and processes under a real engine, on the machine's own time. */
import * as fs from "node:fs"
import { afterAll, describe, expect, it, layer as layerOf } from "@effect/vitest"
import { Context, Deferred, Effect, Layer, Logger } from "effect"
import { Task, TaskManager } from "effect-taskflow"
import { engine, oneOf, sharedBackend } from "../support/engine.js"
import { InProcess, InThread, TimedProcess, TimedThread, TooLarge } from "../support/workers/tasks.js"
import { compiled, directory } from "./support/pools.js"

const url = compiled(new URL("../support/workers/act.worker.ts", import.meta.url))
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }))

// Made anew for each engine: a layer that is shared is built once.
const handlers = () =>
  Layer.mergeAll(
    InThread.toLayer(Task.module(url)),
    InProcess.toLayer(Task.module(url, { export: "inProcess" })),
    TimedThread.toLayer(Task.module(url, { export: "timedThread" })),
    TimedProcess.toLayer(Task.module(url, { export: "timedProcess" }))
  )
const executors = { thread: { max: 1 }, process: { max: 1 } }
const tasks = { thread: InThread, process: InProcess }
const timed = { thread: TimedThread, process: TimedProcess }

/** Returns when the task said that it spins. */
const spinning = (taskId: string) =>
  Effect.gen(function*() {
    const manager = yield* TaskManager
    const said = yield* Deferred.make<void>()
    const stop = manager.tap((event) => {
      if (event.taskId === taskId && event._tag === "Progressed") Deferred.unsafeDone(said, Effect.void)
    })
    yield* Deferred.await(said)
    stop()
  })

const monotonic = Effect.sync(() => performance.now())
const took = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.flatMap(monotonic, (from) => Effect.map(self, (value) => [value, performance.now() - from] as const))

describe.each(["thread", "process"] as const)("executor %s", (kind) => {
  const InWorker = tasks[kind]
  const Missing = Task.make("missing", { executor: kind })

  const layer = Layer.provideMerge(
    Layer.merge(handlers(), Missing.toLayer(Task.module(new URL("./nowhere.worker.js", import.meta.url)))),
    engine({ executors })
  ).pipe(Layer.provide(Logger.remove(Logger.defaultLogger)))

  layerOf(layer, { excludeTestServices: true })((it) => {
    it.effect("a worker that dies fails its attempt, and the next one runs in another", () =>
      Effect.gen(function*() {
        const manager = yield* TaskManager
        const { taskId } = yield* InWorker.enqueue({ act: "diesOnce" })
        expect((yield* InWorker.awaitResult(taskId)).text).toBe("alive")
        const [first] = yield* manager.attempts(taskId)
        expect(first!.failure).toMatchObject({ kind: "defect", name: "WorkerDied" })
        expect(first!.failure!.message).toContain("exit code 7")
      }))

    it.effect("runs there, with its facts; payload and result go through their schemas", () =>
      Effect.gen(function*() {
        const manager = yield* TaskManager
        expect(yield* InWorker.execute({ act: "where" })).toEqual({ text: kind, at: new Date(0) })
        const text = "NUL \u0000, half of \ud83d, 💥"
        expect((yield* InWorker.execute({ act: "length", text })).text).toBe(`${text.length} ${text}`)
        const { taskId } = yield* InWorker.enqueue({ act: "facts" }, { tags: { customer: "c1" } })
        expect(JSON.parse((yield* InWorker.awaitResult(taskId)).text)).toEqual({
          attempt: 0,
          fence: 1,
          instance: manager.instance,
          schedule: null,
          source: "manual",
          tags: { customer: "c1" },
          taskId,
          taskName: InWorker._tag
        })
        expect(yield* manager.get(taskId)).toMatchObject({ executor: kind })
      }))

    it.effect("a typed error is retried by `while`, given up by Task.unrecoverable, and reaches the caller", () =>
      Effect.gen(function*() {
        const manager = yield* TaskManager
        const flaky = yield* InWorker.enqueue({ act: "flaky" })
        expect((yield* InWorker.awaitResult(flaky.taskId)).text).toBe("at last")
        expect((yield* manager.attempts(flaky.taskId))[0]!.failure).toMatchObject({ name: "TooLarge", kind: "error" })
        const refused = yield* InWorker.enqueue({ act: "refuse" })
        expect(yield* Effect.flip(InWorker.awaitResult(refused.taskId))).toEqual(new TooLarge({ most: 7 }))
        const { failure, stopReason } = yield* manager.get(refused.taskId)
        expect(stopReason).toBe("unrecoverable")
        expect(failure!.stack).toContain("act.worker.mjs")
        const { taskId: twice } = yield* InWorker.enqueue({ act: "twice" })
        const { cause } = (yield* manager.awaitResult(twice)).failure!
        expect(cause?.parts.map(({ kind }) => kind)).toEqual(["parallel", "defect", "error"])
        expect(cause?.parts.map(({ name }) => name)).toEqual(["", "RangeError", "TooLarge"])
        const snoozed = yield* InWorker.enqueue({ act: "snooze" })
        expect((yield* InWorker.awaitResult(snoozed.taskId)).text).toBe("awake")
      }))

    it.effect("a module that is not there fails the attempt and names it", () =>
      Effect.gen(function*() {
        const { taskId } = yield* Missing.enqueue()
        const { failure } = yield* Effect.flatMap(TaskManager, (manager) => manager.awaitResult(taskId))
        expect(failure).toMatchObject({ kind: "defect", name: "WorkerModuleError" })
        expect(failure!.message).toContain("nowhere.worker.js")
      }))

    it.effect("a busy loop ends by its timeout", () =>
      Effect.gen(function*() {
        const { taskId } = yield* timed[kind].enqueue()
        const { failure } = yield* Effect.flatMap(TaskManager, (manager) => manager.awaitResult(taskId))
        expect(failure).toMatchObject({ kind: "timeout" })
      }))
  })

  it.scopedLive(
    "a busy loop is seen while it runs, ends by a cancel, from another instance too, and with its engine",
    () =>
      Effect.gen(function*() {
        const backend = yield* sharedBackend
        const options = {
          executors,
          lease: "30 seconds",
          heartbeatInterval: "100 millis",
          shutdownTimeout: 300
        } as const
        const runner = yield* oneOf(backend, handlers(), options)
        const other = yield* oneOf(backend, Layer.empty, options)
        const begin = Effect.gen(function*() {
          const { taskId } = yield* InWorker.enqueue({ act: "busy" })
          yield* spinning(taskId)
          return taskId
        }).pipe(Effect.provide(runner.context))
        const manager = Context.get(other.context, TaskManager)
        const own = Context.get(runner.context, TaskManager)

        const seen = yield* begin
        expect(yield* own.get(seen)).toMatchObject({
          status: "running",
          progress: { value: 0.25, message: "in a loop" }
        })
        expect((yield* own.logs(seen)).map(({ annotations, message }) => [message, annotations]))
          .toEqual([["spinning", `{"since":"now"}`]])
        yield* Effect.zipRight(own.cancel(seen), own.awaitResult(seen))
        expect(yield* own.get(seen)).toMatchObject({ status: "cancelled" })

        const unwanted = yield* begin
        expect(yield* manager.cancel(unwanted)).toBe("requested")
        expect(yield* manager.awaitResult(unwanted)).toMatchObject({ status: "cancelled" })

        const last = yield* begin
        const [, closedIn] = yield* took(runner.close)
        expect(closedIn).toBeGreaterThan(290)
        // It has retries, so it runs again where somebody can.
        expect(yield* manager.get(last)).toMatchObject({ status: "pending", owner: null })
      }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger))),
    60_000
  )
})
