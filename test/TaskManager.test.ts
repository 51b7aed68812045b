import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Schema, TestClock } from "effect"
import { Task, TaskContext, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { engine, gate, wrappedBackend } from "./support/engine.js"

class Nope extends Schema.TaggedError<Nope>()("Nope", {}) {}

const Work = Task.make("work", { payload: { fail: Schema.Boolean }, error: Nope, success: Schema.Number })
const work = Work.toLayer(({ fail }) => fail ? new Nope() : Effect.succeed(1))

describe("retry", () => {
  it.effect("a failed task runs again as a new one with the same payload, tags and priority; the old one says as what", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      let broken = true
      const layer = Work.toLayer(({ fail }) => fail && broken ? new Nope() : Effect.succeed(2))
      yield* Effect.gen(function*() {
        const { taskId } = yield* Work.enqueue({ fail: true }, { tags: { a: "b" }, priority: 3, idempotencyKey: "k" })
        yield* manager.awaitResult(taskId)
        broken = false
        const again = yield* manager.retry(taskId)
        expect(yield* Work.awaitResult(again)).toBe(2)
        const [old, fresh] = [yield* manager.get(taskId), yield* manager.get(again)]
        expect(old).toMatchObject({ status: "failed", retriedAs: again })
        expect(fresh).toMatchObject({
          retryOf: taskId,
          payload: old.payload,
          tags: { a: "b" },
          priority: 3,
          idempotencyKey: "k",
          source: "manual"
        })
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("replaying one failure five times runs it once more", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* Work.enqueue({ fail: true })
      yield* manager.awaitResult(taskId)
      const results = yield* Effect.forEach([1, 2, 3, 4, 5], () => Effect.either(manager.retry(taskId)), {
        concurrency: "unbounded"
      })
      const [first, ...others] = results
      expect(first?._tag).toBe("Right")
      for (const other of others) expect(other).toMatchObject({ _tag: "Left", left: { _tag: "TaskAlreadyRetried" } })
      yield* manager.awaitIdle
      expect((yield* manager.list()).items).toHaveLength(2)
    }).pipe(Effect.provide(work), Effect.provide(TaskflowTest.layer)))

  it.effect("says why not: unknown, wrong status, no handler, key held by another", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const failed = yield* Work.enqueue({ fail: true }, { idempotencyKey: "k" })
      const fine = yield* Work.enqueue({ fail: false })
      yield* Effect.provide(Effect.forEach([failed, fine], ({ taskId }) => manager.awaitResult(taskId)), work)
      expect(yield* Effect.flip(manager.retry("x"))).toMatchObject({ _tag: "TaskNotFound" })
      const wrong = yield* Effect.provide(Effect.flip(manager.retry(fine.taskId)), work)
      expect(wrong).toMatchObject({ _tag: "TaskWrongStatus", status: "success" })
      expect(wrong.message)
        .toBe(`task ${fine.taskId} is success: only failed, interrupted or cancelled tasks can be retried`)
      expect(yield* Effect.flip(manager.retry(failed.taskId))).toMatchObject({
        _tag: "TaskNotRegistered",
        task: "work"
      })
      yield* Effect.gen(function*() {
        const holder = yield* Work.enqueue({ fail: false }, { idempotencyKey: "k" })
        expect(yield* Effect.flip(manager.retry(failed.taskId))).toMatchObject({
          _tag: "TaskKeyHeld",
          heldBy: holder.taskId
        })
      }).pipe(Effect.provide(work))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("a task of a newer definition is neither run nor retried by an older one; it waits for who knows it", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const Newer = Task.make("work", { payload: { fail: Schema.Boolean, extra: Schema.String }, version: 2 })
      const waits = yield* Newer.enqueue({ fail: false, extra: "x" })
      const cancelled = yield* Newer.enqueue({ fail: false, extra: "y" })
      yield* manager.cancel(cancelled.taskId)
      yield* Effect.gen(function*() {
        const late = yield* Newer.enqueue({ fail: false, extra: "z" })
        yield* Work.execute({ fail: false })
        yield* manager.awaitIdle
        expect(yield* manager.get(late.taskId)).toMatchObject({ status: "pending", attempts: 0 })
        expect(yield* manager.get(waits.taskId)).toMatchObject({ status: "pending", attempts: 0, definitionVersion: 2 })
        expect(yield* Effect.flip(manager.retry(cancelled.taskId))).toMatchObject({ _tag: "TaskNotRegistered" })
      }).pipe(Effect.provide(work))
      yield* Effect.provide(Newer.awaitResult(waits.taskId), Newer.toLayer(() => Effect.void))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("a cancelled task that never started can be retried and runs", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* Work.enqueue({ fail: false }, { delay: "1 day" })
      yield* manager.cancel(taskId)
      const again = yield* manager.retry(taskId)
      expect(yield* Work.awaitResult(again)).toBe(1)
    }).pipe(Effect.provide(work), Effect.provide(TaskflowTest.layer)))
})

describe("run", () => {
  class Db extends Context.Tag("Db")<Db, { readonly name: string }>() {}

  it.effect("tracks an effect once: record, logs, context, its own environment; no retries", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* manager.run(
        "one-off",
        Effect.gen(function*() {
          yield* Effect.log(`on ${(yield* Db).name} as ${(yield* TaskContext.current).taskName}`)
          return yield* Effect.fail("no")
        }),
        { tags: { a: "b" }, priority: 2 }
      ).pipe(Effect.provideService(Db, { name: "db" }))
      const record = yield* manager.awaitResult(taskId)
      expect(record).toMatchObject({
        kind: "effect",
        status: "failed",
        attempts: 1,
        tags: { a: "b" },
        priority: 2,
        failure: { message: "no" }
      })
      expect(yield* manager.logs(taskId)).toMatchObject([{ message: "on db as one-off" }])
      expect(yield* Effect.flip(manager.retry(taskId))).toMatchObject({ _tag: "TaskNotRegistered" })
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("waits for a slot like any task, can be cancelled, and ends as cancelled when the engine stops before it started", () =>
    Effect.gen(function*() {
      const backend = wrappedBackend(() => ({}))
      const release = yield* gate
      const ran: Array<number> = []
      const ids = yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        const first = yield* manager.run("first", release.wait)
        const second = yield* manager.run("second", Effect.sync(() => ran.push(2)))
        const third = yield* manager.run("third", Effect.sync(() => ran.push(3)))
        expect(yield* manager.cancel(second.taskId)).toBe("cancelled")
        yield* release.open
        yield* Effect.forEach([first, third], ({ taskId }) => manager.awaitResult(taskId))
        return ran
      }).pipe(Effect.provide(engine({ maxConcurrentTasks: 1 }, backend)))
      expect(ids).toEqual([3])
    }))

  it.effect("a bad name is refused", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const exit = yield* Effect.exit(manager.run("", Effect.void))
      expect(String(exit)).toContain("1 to 200 characters")
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("awaiting", () => {
  it.effect("awaitResult sees an end that came before, during and after the call; many may wait for one", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const release = yield* gate
      const Slow = Task.make("slow", { success: Schema.Number })
      yield* Effect.gen(function*() {
        const { taskId } = yield* Slow.enqueue()
        const waiters = yield* Effect.forkAll([1, 2, 3].map(() => Slow.awaitResult(taskId)))
        yield* Effect.yieldNow()
        yield* release.open
        expect(yield* Fiber.join(waiters)).toEqual([7, 7, 7])
        expect(yield* Slow.awaitResult(taskId)).toBe(7)
      }).pipe(Effect.provide(Slow.toLayer(() => Effect.as(release.wait, 7))))
      expect(yield* Effect.flip(manager.awaitResult("nonsense"))).toMatchObject({ _tag: "TaskNotFound" })
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("awaitIdle waits for children, not for delays or back-offs", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      let runs = 0
      const Child = Task.make("child")
      const Parent = Task.make("parent")
      const layer = Layer.merge(
        Parent.toLayer(() => Effect.asVoid(Effect.orDie(Child.enqueueMany([undefined, undefined, undefined])))),
        Child.toLayer(() => Effect.sync(() => runs += 1))
      )
      yield* Effect.gen(function*() {
        yield* Parent.enqueue()
        yield* Child.enqueue(undefined, { delay: "1 hour" })
        yield* manager.awaitIdle
        expect(runs).toBe(3)
        yield* TestClock.adjust("1 hour")
        yield* manager.awaitIdle
        expect(runs).toBe(4)
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("looking", () => {
  it.effect("list pages by key with filters; stats count by status and measure durations", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      yield* Work.enqueueMany(
        Array.from({ length: 25 }, (_, n) => ({ fail: n % 5 === 0 })),
        (_, n) => ({ tags: { n: `${n % 2}` } })
      )
      yield* TaskflowTest.drain
      const first = yield* manager.list({ limit: 10 })
      const second = yield* manager.list({ limit: 10, cursor: first.nextCursor ?? undefined })
      const third = yield* manager.list({ limit: 10, cursor: second.nextCursor ?? undefined })
      const ids = [first, second, third].flatMap(({ items }) => items.map(({ taskId }) => taskId))
      expect(new Set(ids).size).toBe(25)
      expect([...ids].sort().reverse()).toEqual(ids)
      expect(third.nextCursor).toBeNull()
      expect((yield* manager.list({ status: ["failed"], tag: ["n", "0"] })).items).toHaveLength(3)
      expect((yield* manager.stats()).counts).toMatchObject({ success: 20, failed: 5 })
      expect((yield* manager.stats({ taskName: "other" })).counts.success).toBe(0)
      expect(yield* manager.count({ status: ["success", "failed"] }, 10)).toMatchObject({
        counts: { success: 10, failed: 5 },
        capped: ["success"]
      })
      expect((yield* manager.count()).counts).toEqual((yield* manager.stats()).counts)
      expect(yield* manager.unfinished).toEqual({ tasks: [], capped: false })
      const sums = yield* manager.rollups({ since: 0, until: Number.MAX_SAFE_INTEGER, width: Infinity })
      expect(sums.map(({ ends }) => ends)).toEqual([{ success: 20, failed: 5, interrupted: 0, cancelled: 0 }])
      expect((yield* manager.registered).map(({ taskName }) => taskName)).toEqual(["work"])
      expect(manager.backend).toMatchObject({ kind: "memory", durability: "none" })
    }).pipe(Effect.provide(work), Effect.provide(TaskflowTest.layer)))
})
