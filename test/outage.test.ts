/** Who waits, and for how long, when the backend takes nothing. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, type Exit, Fiber, Layer, Schema, TestClock } from "effect"
import { Task, TaskManager } from "effect-taskflow"
import * as JournalOutage from "../src/internal/journalOutage.js"
import * as Signal from "../src/internal/signal.js"
import { TaskBackendError } from "../src/TaskError.js"
import { collectedLogs, engine, gate, wrappedBackend } from "./support/engine.js"

const Count = Task.make("count", { payload: { n: Schema.Int } })
const Outer = Task.make("outer")

// Writes fail while it is down.
const line = () => {
  const state = { up: true }
  const backend = wrappedBackend(({ write }) => ({
    write: (batch) =>
      Effect.suspend(() =>
        state.up
          ? write(batch)
          : Effect.fail(new TaskBackendError({ method: "write", cause: new Error("no route") }))
      )
  }))
  return { state, backend }
}

const told = <A, E extends { readonly message: string }, R>(self: Effect.Effect<A, E, R>) =>
  Effect.fork(Effect.match(self, { onFailure: (error) => error.message, onSuccess: () => "enqueued" }))
const messageOf = (error: { readonly message: string }) => error.message

describe("an outage longer than journal.maxOutage", () => {
  it.effect("fails an enqueue: what was not sent is withdrawn, what was sent is unknown and written in the end", () => {
    const { backend, state } = line()
    const ran: Array<number> = []
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      state.up = false
      const sent = yield* told(Count.enqueue({ n: 1 }))
      yield* TestClock.adjust("1 second")
      const queued = yield* told(Count.enqueue({ n: 2 }))
      const many = yield* told(Count.enqueueMany([{ n: 3 }, { n: 4 }]))
      const effect = yield* told(manager.run("effect", Effect.sync(() => ran.push(5))))
      yield* TestClock.adjust("58 seconds")
      for (const fiber of [sent, queued, many, effect]) expect(yield* Fiber.poll(fiber)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(sent)).toMatch(/no write since 1970-01-01T00:00:00.000Z.*no route.*not known whether/)
      for (const fiber of [queued, many, effect]) {
        expect(yield* Fiber.join(fiber)).toMatch(/no route.*nothing was enqueued/)
      }
      // Who comes now is told at once.
      expect(messageOf(yield* Effect.flip(Count.enqueue({ n: 6 })))).toMatch(/nothing was enqueued/)
      state.up = true
      yield* TestClock.adjust("10 seconds")
      yield* manager.awaitIdle
      expect(ran).toEqual([1])
      yield* Count.execute({ n: 7 })
      expect(ran).toEqual([1, 7])
      expect((yield* manager.stats()).counts).toMatchObject({ success: 2, pending: 0, running: 0 })
    }).pipe(
      Effect.provide(
        Count.toLayer(({ n }) => Effect.sync(() => void ran.push(n))).pipe(Layer.provideMerge(engine({}, backend)))
      ),
      Effect.provide(collectedLogs().layer)
    )
  })

  it.effect("is waited for by what a running task enqueues, and running tasks go on", () => {
    const { backend, state } = line()
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const release = yield* gate
      let inner: Exit.Exit<unknown, unknown> | null = null
      const handlers = Layer.merge(
        Outer.toLayer(() =>
          release.wait.pipe(
            Effect.zipRight(Effect.exit(Count.enqueue({ n: 1 }))),
            Effect.map((exit) => void (inner = exit))
          )
        ),
        Count.toLayer(() => Effect.void)
      )
      yield* Effect.gen(function*() {
        const outer = yield* Effect.fork(Outer.execute())
        yield* TestClock.adjust("1 second")
        state.up = false
        yield* release.open
        yield* TestClock.adjust("10 minutes")
        expect(inner).toBeNull()
        state.up = true
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(outer)
        expect(inner).toMatchObject({ _tag: "Success" })
        yield* manager.awaitIdle
        expect((yield* manager.stats()).counts).toMatchObject({ success: 2 })
      }).pipe(Effect.provide(handlers))
    }).pipe(Effect.provide(engine({}, backend)), Effect.provide(collectedLogs().layer))
  })

  it.effect("is counted from the first failure on: a clock that jumps while an answer is on its way is no outage", () => {
    const release = Effect.runSync(gate)
    const backend = wrappedBackend(({ write }) => ({ write: (batch) => Effect.zipRight(release.wait, write(batch)) }))
    return Effect.gen(function*() {
      const first = yield* Effect.fork(Count.enqueue({ n: 1 }))
      yield* TestClock.adjust("1 millis")
      const second = yield* Effect.fork(Count.enqueue({ n: 2 }))
      yield* TestClock.adjust("1 millis")
      const third = yield* Effect.fork(Count.enqueue({ n: 3 }))
      yield* TestClock.adjust("1 hour")
      for (const fiber of [first, second, third]) expect(yield* Fiber.poll(fiber)).toMatchObject({ _tag: "None" })
      yield* release.open
      for (const fiber of [first, second, third]) expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "Enqueued" })
    }).pipe(Effect.provide(engine({ journal: { maxWaiting: 2 } }, backend)))
  })

  it.effect("holds up nobody who reads, and tells who steers that the backend takes nothing", () => {
    const { backend, state } = line()
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const release = yield* gate
      yield* Effect.gen(function*() {
        const { taskId } = yield* Outer.enqueue()
        yield* TestClock.adjust("1 second")
        state.up = false
        yield* release.open
        yield* TestClock.adjust("1 second")
        const reading = yield* Effect.fork(manager.stats())
        const cancelling = yield* Effect.fork(Effect.flip(manager.cancel(taskId)))
        // A failure that is over in a moment is waited for.
        expect(yield* Fiber.poll(reading)).toMatchObject({ _tag: "None" })
        yield* TestClock.adjust("2 seconds")
        expect((yield* Fiber.join(reading)).counts).toMatchObject({ running: 1, success: 0 })
        expect(messageOf(yield* Fiber.join(cancelling))).toMatch(/has taken no write since .*no route; ask again/)
        expect((yield* manager.list({})).items).toMatchObject([{ taskId, status: "running" }])
        state.up = true
        yield* TestClock.adjust("10 seconds")
        expect((yield* manager.stats()).counts).toMatchObject({ running: 0, success: 1 })
      }).pipe(Effect.provide(Outer.toLayer(() => release.wait)))
    }).pipe(Effect.provide(engine({}, backend)), Effect.provide(collectedLogs().layer))
  })

  it.live("a backend that does not answer is timed by real time", () =>
    Effect.gen(function*() {
      const outage = JournalOutage.make({
        maxOutage: 20,
        now: () => 0,
        changed: yield* Signal.make,
        hasRoom: () => false,
        waiting: () => 3,
        written: Effect.never
      })
      outage.begin()
      expect(messageOf(yield* Effect.flip(outage.room))).toMatch(/3 changes wait already: it does not answer/)
    }))
})

describe("what waits for a busy key", () => {
  it.effect("counts as waiting for the journal", () => {
    let busy = true
    const backend = wrappedBackend(({ write }) => ({
      write: (batch) =>
        Effect.suspend(() =>
          busy ? Effect.succeed(batch.changes.map(() => ({ _tag: "KeyBusy" as const }))) : write(batch)
        )
    }))
    return Effect.gen(function*() {
      const keyed = yield* Effect.fork(
        Effect.all([1, 2, 3].map((n) => Count.enqueue({ n }, { idempotencyKey: String(n) })), { concurrency: 3 })
      )
      yield* TestClock.adjust("1 millis")
      const behind = yield* Effect.fork(Count.enqueue({ n: 4 }))
      yield* TestClock.adjust("5 seconds")
      expect(yield* Fiber.poll(behind)).toMatchObject({ _tag: "None" })
      busy = false
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(keyed)
      yield* Fiber.join(behind)
    }).pipe(Effect.provide(engine({ journal: { maxWaiting: 3 } }, backend)))
  })
})
