import { describe, expect, it } from "@effect/vitest"
import { Clock, Context, Effect, Exit, Fiber, Layer, Scope, TestClock } from "effect"
import { Task, TaskManager } from "effect-taskflow"
import type { TaskBackend } from "../src/TaskBackend.js"
import type { Batch, Change } from "../src/TaskBackend.js"
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
      expect(logs.lines.filter(({ message }) => message.includes("the backend failed"))).toHaveLength(1)
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
  const alone = (backend: Layer.Layer<TaskBackend>, options?: TaskflowConfig.TaskflowOptions["journal"]) =>
    TaskJournal.layer.pipe(
      Layer.provide(TaskInstance.layer),
      Layer.provide(backend),
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
        yield* TestClock.adjust("50 seconds")
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

  const error = (cause: object) => new TaskBackendError({ method: "write", cause })
  const refused = error(Object.assign(new Error("bad byte"), { permanent: true }))
  const lineOf = (message: string) =>
    ({ _tag: "Log", taskId: "01890000-0000-7000-8000-000000000000", line: { message, annotations: null } }) as never

  it.effect("a row that is refused for good fails its own waiter alone, and nothing is written twice", () =>
    Effect.gen(function*() {
      const written: Array<unknown> = []
      const numbers: Array<number> = []
      let first = true
      const backend = wrappedBackend(({ write }) => ({
        write: (batch) =>
          Effect.suspend(() => {
            numbers.push(batch.number)
            const trouble = first
            first = false
            if (trouble) return Effect.fail(error(new Error("down")))
            const lines = batch.changes.map((one) => one._tag === "Log" ? one.line.message : "")
            if (lines.includes("bad")) return Effect.fail(refused)
            written.push(...lines)
            return write(batch)
          })
      }))
      yield* Effect.gen(function*() {
        const journal = yield* TaskJournal.TaskJournal
        const answers: Array<string> = []
        for (const text of ["a", "b", "bad", "c", "d"]) {
          journal.submit(lineOf(text), (exit) => answers.push(`${text} ${exit._tag}`))
        }
        const flushed = yield* Effect.fork(journal.flush)
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(flushed)
        expect(written).toEqual(["a", "b", "c", "d"])
        expect(answers).toEqual(["a Success", "b Success", "bad Failure", "c Success", "d Success"])
        // Each number that is refused is asked twice; the halves are new batches.
        expect(numbers).toEqual([1, 1, 1, 2, 2, 3, 4, 4, 5])
      }).pipe(Effect.provide(alone(backend)))
    }).pipe(Effect.provide(collectedLogs().layer)))

  it.effect("batches are bounded by size too, but for one change", () =>
    Effect.gen(function*() {
      const release = yield* gate
      const sizes: Array<number> = []
      const backend = wrappedBackend(({ write }) => ({
        write: (batch) =>
          Effect.zipRight(
            Effect.sync(() => sizes.push(batch.changes.length)),
            Effect.zipRight(batch.number === 1 ? release.wait : Effect.void, write(batch))
          )
      }))
      yield* Effect.gen(function*() {
        const journal = yield* TaskJournal.TaskJournal
        journal.submit(lineOf(""), () => {})
        yield* TestClock.adjust("1 millis")
        for (const length of [300, 300, 300, 5_000, 10, 10]) journal.submit(lineOf("x".repeat(length)), () => {})
        yield* release.open
        yield* journal.flush
        expect(sizes).toEqual([1, 2, 1, 1, 2])
      }).pipe(Effect.provide(alone(backend, { maxBatchBytes: 1_000 })))
    }))

  it.effect("an outage that lasts fails those who wait for room, and says since when and why", () =>
    Effect.gen(function*() {
      let up = false
      const backend = wrappedBackend(({ write }) => ({
        write: (batch) => Effect.suspend(() => up ? write(batch) : Effect.fail(error(new Error("no route"))))
      }))
      yield* Effect.gen(function*() {
        const journal = yield* TaskJournal.TaskJournal
        for (let n = 0; n < 3; n += 1) journal.submit(change, () => {})
        const early = yield* Effect.fork(Effect.flip(journal.room))
        const own = yield* Effect.fork(journal.roomAtLast)
        yield* TestClock.adjust("59 seconds")
        expect(yield* Fiber.poll(early)).toMatchObject({ _tag: "None" })
        yield* TestClock.adjust("2 seconds")
        expect((yield* Fiber.join(early)).message).toMatch(
          /no write since 1970-01-01T00:00:00.000Z .*3 changes.*no route/
        )
        expect((yield* Effect.flip(journal.room))._tag).toBe("TaskBackendError")
        expect(yield* Fiber.poll(own)).toMatchObject({ _tag: "None" })
        up = true
        yield* TestClock.adjust("10 seconds")
        yield* journal.room
        yield* Fiber.join(own)
      }).pipe(Effect.provide(alone(backend, { maxWaiting: 3 })))
    }).pipe(Effect.provide(collectedLogs().layer)))
})

describe("a busy idempotency key", () => {
  // Busy until a given moment, as while somebody's transaction is open.
  const busyUntil = (until: number) => {
    const asked: Array<number> = []
    const backend = wrappedBackend(({ write }) => ({
      write: (batch) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const isBusy = ({ _tag, ...rest }: Change) =>
            now < until && _tag === "Insert" && "record" in rest && rest.record.idempotencyKey !== null
          if (batch.changes.some(isBusy)) asked.push(now)
          const free = batch.changes.filter((one) => !isBusy(one))
          return Effect.map(write({ ...batch, changes: free }), (outcomes) => {
            let next = 0
            return batch.changes.map((one) => isBusy(one) ? { _tag: "KeyBusy" as const } : outcomes[next++]!)
          })
        })
    }))
    return { backend, asked }
  }

  it.effect("is asked for again, and holds up neither a slot nor anybody else; then the task runs", () => {
    const { asked, backend } = busyUntil(3_000)
    return Effect.gen(function*() {
      const keyed = yield* Effect.fork(Noop.execute(undefined, { idempotencyKey: "k" }))
      const flushed = yield* Effect.fork(Effect.flatMap(TaskManager, (manager) => manager.awaitIdle))
      yield* TestClock.adjust("5 millis")
      yield* Noop.execute()
      expect(yield* Fiber.poll(keyed)).toMatchObject({ _tag: "None" })
      expect(yield* Fiber.poll(flushed)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("4 seconds")
      yield* Fiber.join(keyed)
      yield* Fiber.join(flushed)
      expect(asked.length).toBeGreaterThan(6)
      expect(asked.length).toBeLessThan(16)
    }).pipe(Effect.provide(noop), Effect.provide(engine({ maxConcurrentTasks: 1 }, backend)))
  })

  it.effect("does not hold up a flush once the engine is closed", () => {
    const { backend } = busyUntil(Number.POSITIVE_INFINITY)
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        TaskJournal.layer.pipe(
          Layer.provide(TaskInstance.layer),
          Layer.provide(backend),
          Layer.provide(TaskflowConfig.layer())
        ),
        scope
      )
      const journal = Context.get(context, TaskJournal.TaskJournal)
      const answers: Array<string> = []
      const insert = { _tag: "Insert", record: { idempotencyKey: "k", payload: "", owner: null } } as never
      journal.submit(insert, (exit) => answers.push(exit._tag))
      yield* TestClock.adjust("1 second")
      const closed = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("7 seconds")
      yield* Fiber.join(closed)
      expect(answers).toEqual(["Failure"])
      const flushed = yield* Effect.fork(Effect.zipRight(journal.written, journal.flush))
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.poll(flushed)).toMatchObject({ _tag: "Some" })
    })
  })

  it.effect("is given up after journal.maxKeyWait: nothing was enqueued", () => {
    const { backend } = busyUntil(Number.POSITIVE_INFINITY)
    return Effect.gen(function*() {
      const keyed = yield* Effect.fork(Effect.flip(Noop.enqueue(undefined, { idempotencyKey: "k" })))
      const many = yield* Effect.fork(Effect.flip(Noop.enqueueMany([undefined], { idempotencyKey: "k" })))
      yield* TestClock.adjust("1900 millis")
      expect(yield* Fiber.poll(keyed)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(keyed)).toMatchObject({ _tag: "TaskKeyBusy", task: "noop" })
      expect(yield* Fiber.join(many)).toMatchObject({ _tag: "TaskKeyBusy" })
      expect((yield* (yield* TaskManager).stats()).counts).toMatchObject({ pending: 0, running: 0, success: 0 })
    }).pipe(Effect.provide(noop), Effect.provide(engine({ journal: { maxKeyWait: "2 seconds" } }, backend)))
  })
})
