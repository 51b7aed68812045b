import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, TestClock } from "effect"
import { Task, TaskManager } from "effect-taskflow"
import type { TaskBackend } from "../src/TaskBackend.js"
import { type Batch } from "../src/TaskBackend.js"
import { TaskBackendError } from "../src/TaskError.js"
import * as TaskflowConfig from "../src/TaskflowConfig.js"
import * as TaskInstance from "../src/TaskInstance.js"
import * as TaskJournal from "../src/TaskJournal.js"
import { collectedLogs, engine, gate, wrappedBackend } from "./support/engine.js"

const Noop = Task.make("noop")
const noop = Noop.toLayer(() => Effect.void)

describe("a failing backend", () => {
  const flaky = (fails: (batch: Batch, call: number) => Effect.Effect<void, TaskBackendError>) => {
    const calls: Array<number> = []
    const backend = wrappedBackend(({ write }) => ({
      write: (batch) => Effect.zipRight(Effect.suspend(() => fails(batch, calls.push(batch.number))), write(batch))
    }))
    return { backend, calls }
  }
  const down = Effect.fail(new TaskBackendError({ method: "write", cause: new Error("down") }))

  it.effect("is asked again with the same batch number and growing waits; nothing is lost, the trouble is logged", () => {
    const logs = collectedLogs()
    const { backend, calls } = flaky((_, call) => call <= 3 ? down : Effect.void)
    return Effect.gen(function*() {
      const result = yield* Effect.fork(Noop.execute())
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(result)
      expect(calls.slice(0, 4)).toEqual([1, 1, 1, 1])
      expect(new Set(calls).size).toBe(calls.length - 3)
      expect(logs.lines.filter(({ message }) => message.includes("the backend failed"))).toHaveLength(3)
    }).pipe(Effect.provide(noop), Effect.provide(engine(undefined, backend)), Effect.provide(logs.layer))
  })

  it.effect("may also die: a COMMIT whose answer was lost is repeated and not applied twice", () => {
    let lost = false
    const backend = wrappedBackend(({ write }) => ({
      write: (batch) =>
        Effect.tap(write(batch), () => {
          if (lost) return Effect.void
          lost = true
          return Effect.dieMessage("connection reset during COMMIT")
        })
    }))
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const enqueued = yield* Effect.fork(Noop.enqueue(undefined, { idempotencyKey: "k" }))
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(enqueued)).toMatchObject({ _tag: "Enqueued" })
      yield* manager.awaitIdle
      expect((yield* manager.stats()).counts).toMatchObject({ success: 1, pending: 0, running: 0 })
    }).pipe(Effect.provide(noop), Effect.provide(engine(undefined, backend)), Effect.provide(collectedLogs().layer))
  })

  it.effect("claims are asked again too", () => {
    let failures = 0
    const backend = wrappedBackend(({ claim }) => ({
      claim: (request) => Effect.suspend(() => failures++ < 2 ? down : claim(request))
    }))
    return Effect.gen(function*() {
      yield* Noop.enqueue(undefined, { delay: "1 minute" })
      yield* TestClock.adjust("2 minutes")
      expect((yield* (yield* TaskManager).stats()).counts.success).toBe(1)
    }).pipe(Effect.provide(noop), Effect.provide(engine(undefined, backend)), Effect.provide(collectedLogs().layer))
  })
})

describe("the journal by itself", () => {
  const alone = (backend: Layer.Layer<TaskBackend>, options?: TaskflowConfig.TaskflowConfig["Type"]["journal"]) =>
    TaskJournal.layer.pipe(
      Layer.provide(backend),
      Layer.provide(TaskInstance.layer),
      Layer.provide(TaskflowConfig.layer({ journal: options }))
    )
  const change = { _tag: "Log", taskId: "01890000-0000-7000-8000-000000000000", line: {} } as never

  it.effect("answers in order, keeps groups whole, and flush waits only for what came before it", () =>
    Effect.gen(function*() {
      const release = yield* gate
      const sizes: Array<number> = []
      const backend = wrappedBackend(({ write }) => ({
        write: (batch) =>
          Effect.zipRight(
            Effect.sync(() => sizes.push(batch.changes.length)),
            Effect.zipRight(batch.number === 3 ? release.wait : Effect.void, write(batch))
          )
      }))
      yield* Effect.gen(function*() {
        const journal = yield* TaskJournal.TaskJournal
        const answers: Array<number> = []
        for (let n = 1; n <= 4; n += 1) journal.submit(change, () => answers.push(n))
        journal.grouped(() => {
          for (let n = 5; n <= 9; n += 1) journal.submit(change, () => answers.push(n))
        })
        const flushed = yield* Effect.fork(journal.flush)
        yield* Effect.yieldNow()
        journal.submit(change, () => answers.push(10))
        yield* Fiber.join(flushed)
        expect(sizes.slice(0, 2)).toEqual([3, 6])
        expect(answers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
        yield* release.open
        yield* journal.flush
        expect(answers.at(-1)).toBe(10)
      }).pipe(Effect.provide(alone(backend, { maxBatch: 3, maxWaiting: 100 })))
    }))

  it.effect("room waits while too much waits; a waiter that throws costs the others nothing", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const release = yield* gate
      const backend = wrappedBackend(({ write }) => ({ write: (batch) => Effect.zipRight(release.wait, write(batch)) }))
      yield* Effect.gen(function*() {
        const journal = yield* TaskJournal.TaskJournal
        const answers: Array<number> = []
        yield* journal.room
        journal.submit(change, () => {
          throw new Error("bad waiter")
        })
        for (let n = 1; n <= 4; n += 1) journal.submit(change, () => answers.push(n))
        const room = yield* Effect.fork(journal.room)
        yield* TestClock.adjust("1 hour")
        expect(yield* Fiber.poll(room)).toMatchObject({ _tag: "None" })
        yield* release.open
        yield* Fiber.join(room)
        yield* journal.flush
        expect(answers).toEqual([1, 2, 3, 4])
        expect(logs.lines.at(-1)).toMatchObject({ level: "Error", message: expect.stringContaining("a waiter threw") })
      }).pipe(Effect.provide(alone(backend, { maxBatch: 100, maxWaiting: 3 })))
    }).pipe(Effect.provide(logs.layer))
  })

  it.effect("writes what it was given before it closes, then refuses", () =>
    Effect.gen(function*() {
      const answers: Array<string> = []
      const journal = yield* Effect.provide(
        Effect.tap(TaskJournal.TaskJournal, (journal) =>
          Effect.sync(() => {
            for (let n = 0; n < 10; n += 1) journal.submit(change, (exit) => answers.push(exit._tag))
          })),
        alone(wrappedBackend(() => ({})))
      )
      expect(answers).toEqual(Array.from({ length: 10 }, () => "Success"))
      journal.submit(change, (exit) => answers.push(exit._tag))
      expect(answers.at(-1)).toBe("Failure")
    }))
})
