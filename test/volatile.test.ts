/** `persist: false`: a task in memory alone, beside a backend that never hears of it. */
import { Reactivity } from "@effect/experimental"
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schema, type Scope, TestClock } from "effect"
import { MemoryBackend, Task, type TaskBackend, TaskBackendError, TaskflowLayer, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { withPrefix } from "../src/backend/sql/schema.js"
import * as SqlBackend from "../src/backend/SqlBackend.js"
import * as VolatileBackend from "../src/backend/VolatileBackend.js"
import { InstanceId } from "../src/TaskEvent.js"
import { collectedLogs, engine, gate, oneOf, sharedBackend } from "./support/engine.js"
import { databases, facts, rowsOf, task } from "./support/sql.js"

const Ping = Task.make("ping", {
  payload: { n: Schema.Int },
  success: Schema.Int,
  retry: { retries: 1, delay: "10 millis" },
  persist: false
})
const Kept = Task.make("kept", { payload: { n: Schema.Int } })

const failsOnce = () => {
  const failed = new Set<number>()
  return Ping.toLayer(({ n }) =>
    Effect.gen(function*() {
      yield* Effect.log(`ping ${n}`)
      if (n < 0 && !failed.has(n)) {
        failed.add(n)
        return yield* Effect.dieMessage("the first attempt fails")
      }
      if (n === 100) yield* Effect.never
      return n * 2
    })
  )
}

// What every backend has to show, whatever it is.
const lives = Effect.gen(function*() {
  const manager = yield* TaskManager
  expect(yield* Ping.execute({ n: 4 })).toBe(8)
  const { taskId } = yield* Ping.enqueue({ n: -1 }, { tags: { a: "b" }, idempotencyKey: "k" })
  expect(yield* Ping.enqueue({ n: -1 }, { idempotencyKey: "k" })).toEqual({ _tag: "Deduplicated", taskId })
  expect(yield* Ping.awaitResult(taskId)).toBe(-2)
  expect(yield* manager.get(taskId)).toMatchObject({ status: "success", attempts: 2, failures: 1 })
  expect((yield* manager.logs(taskId)).map(({ message }) => message)).toEqual(["ping -1", "--- Retry 1 ---", "ping -1"])
  expect((yield* manager.attempts(taskId)).map(({ outcome }) => outcome)).toEqual(["failed"])
  const running = yield* Ping.enqueue({ n: 100 })
  const waiting = yield* Effect.fork(manager.awaitResult(running.taskId))
  yield* TaskflowTest.awaitStatus(running.taskId, "running")
  expect(yield* manager.cancel(running.taskId)).toBe("requested")
  expect(yield* Fiber.join(waiting)).toMatchObject({ status: "cancelled" })
  const delayed = yield* Ping.enqueue({ n: 5 }, { delay: "1 hour" })
  expect(yield* manager.cancel(delayed.taskId)).toBe("cancelled")
  const again = yield* manager.retry(delayed.taskId)
  expect(yield* manager.awaitResult(again)).toMatchObject({ status: "success", retryOf: delayed.taskId })
  const many = yield* Ping.enqueueMany([{ n: 1 }, { n: 2 }, { n: 3 }])
  expect(yield* Effect.forEach(many, ({ taskId }) => Ping.awaitResult(taskId))).toEqual([2, 4, 6])
  expect((yield* manager.list({ tag: ["a", "b"] })).items.map((one) => one.taskId)).toEqual([taskId])
  expect((yield* manager.stats()).counts).toMatchObject({ success: 6, cancelled: 2, pending: 0, running: 0 })
  expect((yield* manager.count({ taskName: "ping" })).counts).toMatchObject({ success: 6, cancelled: 2, pending: 0 })
  expect((yield* manager.count({ taskName: "ping" }, 2)).capped).toEqual(["success", "cancelled"])
  const later = yield* Ping.enqueue({ n: 5 }, { delay: "1 hour" })
  expect(yield* manager.unfinished).toEqual({ tasks: [{ taskName: "ping", pending: 1, running: 0 }], capped: false })
  yield* manager.cancel(later.taskId)
  const [sums, ...more] = yield* manager.rollups({
    since: 0,
    until: Number.MAX_SAFE_INTEGER,
    width: Infinity,
    byTask: true
  })
  expect(more).toEqual([])
  expect(sums).toMatchObject({ taskName: "ping", ends: { success: 6, failed: 0, interrupted: 0, cancelled: 3 } })
  expect([sums!.durations.count, sums!.waits.count]).toEqual([6, 7])
})

describe("a task that is not persisted", () => {
  it.live("does on memory whatever a task does", () =>
    lives.pipe(
      Effect.provide(failsOnce()),
      Effect.provide(TaskflowLayer({ announce: false }).pipe(Layer.provide(MemoryBackend.layer())))
    ))

  for (const database of databases) {
    describe.skipIf(!database.present)(`on ${database.name}`, () => {
      const onDatabase = <E>(
        body: (place: string) => Effect.Effect<void, E, TaskManager | SqlClient.SqlClient | Scope.Scope>
      ) =>
        Effect.flatMap(database.place, (place) =>
          Effect.provide(
            body(place),
            Layer.merge(failsOnce(), Kept.toLayer(() => Effect.void)).pipe(
              Layer.provideMerge(TaskflowLayer({ announce: false, shutdownTimeout: 0 })),
              Layer.provide(SqlBackend.layer({ prefix: database.prefix(place) })),
              Layer.provideMerge(Layer.scoped(SqlClient.SqlClient, database.open(place))),
              Layer.provide(Reactivity.layer)
            )
          ))

      it.scopedLive("does the same, and no row ever appears", () =>
        onDatabase((place) =>
          Effect.gen(function*() {
            yield* lives
            const client = yield* SqlClient.SqlClient
            const { attempts, batches, done, keys, live, logs, rollups, tags } = withPrefix(database.prefix(place))
            const counted = yield* Effect.forEach(
              [attempts, batches, done, keys, live, logs, rollups, tags],
              ({ name }) => rowsOf(client, name)
            )
            expect(counted).toEqual(counted.map(() => 0))
            // Beside those that are.
            yield* Kept.execute({ n: 1 })
            expect((yield* (yield* TaskManager).stats()).counts).toMatchObject({ success: 7 })
            expect(yield* rowsOf(client, done.name)).toBe(1)
          })
        ))

      it.scopedLive("does not join a transaction, which is said once", () => {
        const logs = collectedLogs()
        return onDatabase(() =>
          Effect.gen(function*() {
            const sql = yield* SqlClient.SqlClient
            const ran = yield* Effect.exit(sql.withTransaction(Effect.gen(function*() {
              yield* Ping.enqueue({ n: 1 })
              yield* Ping.enqueue({ n: 2 })
              yield* Kept.enqueue({ n: 3 })
              return yield* Effect.fail("rolled back")
            })))
            expect(ran._tag).toBe("Failure")
            yield* (yield* TaskManager).awaitIdle
            expect((yield* (yield* TaskManager).stats()).counts).toMatchObject({ success: 2, pending: 0 })
            expect(logs.lines.filter(({ message }) => message.includes("persist: false cannot join"))).toHaveLength(1)
          })
        ).pipe(Effect.provide(logs.layer))
      })
    })
  }

  it.effect("may be one by a word of the call, and is found in pages among the others", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const ids: Array<string> = []
      for (let n = 0; n < 10; n += 1) {
        ids.push((yield* Kept.enqueue({ n }, { persist: n % 3 > 0, delay: "1 day" })).taskId)
      }
      const seen: Array<string> = []
      let cursor: undefined | typeof page.nextCursor
      let page = yield* manager.list({ limit: 3, order: "oldest" })
      while (true) {
        seen.push(...page.items.map(({ taskId }) => taskId))
        cursor = page.nextCursor
        if (cursor === null) break
        page = yield* manager.list({ limit: 3, order: "oldest", cursor })
      }
      expect(seen).toEqual(ids)
      expect((yield* manager.stats()).counts.pending).toBe(10)
      yield* TestClock.adjust("1 day")
      yield* manager.awaitIdle
      expect((yield* manager.stats()).counts.success).toBe(10)
    }).pipe(Effect.provide(Kept.toLayer(() => Effect.void)), Effect.provide(engine())))

  it.effect("is bounded: the newest 1,000 that ended are kept, and 10,000 that have not; more wait", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const release = yield* gate
      yield* Effect.gen(function*() {
        yield* Ping.enqueueMany(Array.from({ length: 10_000 }, (_, n) => ({ n })))
        const waiting = yield* Effect.fork(Ping.enqueue({ n: 1 }))
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.poll(waiting)).toMatchObject({ _tag: "None" })
        yield* release.open
        yield* Fiber.join(waiting)
        yield* TaskflowTest.drain
        expect((yield* manager.stats()).counts).toMatchObject({ pending: 0, running: 0, success: 1_000 })
      }).pipe(Effect.provide(Ping.toLayer(({ n }) => Effect.as(release.wait, n))))
    }).pipe(Effect.provide(engine({}, MemoryBackend.layer({ maxLive: 100_000 })))))

  it("cannot end in a transaction of its handler", () => {
    expect(() => Task.make("both", { persist: false, transactional: true })).toThrow("choose one")
  })
})

describe("a backend with a memory beside it", () => {
  const id = InstanceId.make("00000000-0000-4000-8000-000000000001")
  const beside = Effect.gen(function*() {
    const other = yield* MemoryBackend.make()
    const batches: Array<readonly [number, number]> = []
    const wired = yield* VolatileBackend.beside({
      ...other,
      write: (batch) =>
        Effect.zipRight(Effect.sync(() => batches.push([batch.number, batch.changes.length])), other.write(batch))
    })
    yield* wired.backend.attach(facts(id), 0)
    return { ...wired, batches, other }
  })
  const insert = (record: ReturnType<typeof task>) => ({ _tag: "Insert", record }) as const
  const batch = (number: number, ...records: ReadonlyArray<ReturnType<typeof task>>) => ({
    instance: id,
    lane: "journal",
    number,
    now: 0,
    changes: records.map(insert)
  })

  it.effect("shares a claim: neither keeps the other waiting, also with one slot", () =>
    Effect.gen(function*() {
      const { backend, other, volatile } = yield* beside
      const records = Array.from({ length: 8 }, () => task({ runAt: null }))
      const [fleeting, kept] = [records.slice(0, 4), records.slice(4)]
      for (const { taskId } of fleeting) volatile.mark(taskId)
      yield* volatile.memory.write(batch(1, ...fleeting))
      yield* backend.write(batch(1, ...kept))
      const claimed: Array<boolean> = []
      for (let n = 0; n < 4; n += 1) {
        const { started } = yield* backend.claim({
          instance: id,
          tasks: [{ name: "send_email", version: 1, slots: 1, window: 0 }],
          slots: 1,
          window: 0,
          stealAfter: null,
          now: 0
        })
        expect(started).toHaveLength(1)
        claimed.push((yield* other.get(started[0]!.taskId))._tag === "Some")
      }
      expect(new Set(claimed)).toEqual(new Set([true, false]))
    }))

  const Fleeting = Task.make("fleeting", { payload: { n: Schema.Number }, persist: false })
  const Again = Task.make("again", { payload: { n: Schema.Number }, persist: false, requeueOnInterrupt: true })

  it.scoped("is taken over by itself when the instance was declared dead", () =>
    Effect.gen(function*() {
      const shared = yield* sharedBackend
      const { open, wait } = yield* gate
      const handlers = Layer.merge(
        Fleeting.toLayer(({ n }) => n === 0 ? wait : Effect.void),
        Again.toLayer(() => wait)
      )
      const { context } = yield* oneOf(shared, handlers, { maxConcurrentTasks: 2 })
      yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        const results = [
          yield* Fleeting.enqueue({ n: 0 }, { idempotencyKey: "k" }),
          yield* Again.enqueue({ n: 1 }),
          yield* Fleeting.enqueue({ n: 2 })
        ]
        yield* TestClock.adjust("11 seconds")
        const before = manager.instance
        const [there] = yield* shared.instances
        yield* shared.reap({ suspect: before, beat: there!.beat, now: 0, limit: 100 })
        yield* TestClock.adjust("20 seconds")
        expect(manager.instance).not.toBe(before)
        yield* open
        yield* TestClock.adjust("20 seconds")
        const now = yield* Effect.forEach(results, ({ taskId }) => manager.get(taskId))
        expect(now.map(({ status }) => status)).toEqual(["interrupted", "success", "success"])
        // Its key is free again.
        expect((yield* Fleeting.enqueue({ n: 3 }, { idempotencyKey: "k" }))._tag).toBe("Enqueued")
      }).pipe(Effect.provide(context))
    }))

  it.scoped("runs on a drained instance: nobody else could run it", () =>
    Effect.gen(function*() {
      const Parent = Task.make("parent", { payload: {} })
      const shared = yield* sharedBackend
      const { open, wait } = yield* gate
      const ran: Array<string> = []
      const handlers = Layer.merge(
        Fleeting.toLayer(({ n }) => Effect.sync(() => ran.push(`fleeting ${n}`))),
        Parent.toLayer(() =>
          Effect.gen(function*() {
            yield* wait
            yield* Effect.orDie(Fleeting.execute({ n: 1 }))
            ran.push("parent")
          })
        )
      )
      const { context } = yield* oneOf(shared, handlers)
      yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        yield* Parent.enqueue()
        yield* TestClock.adjust("1 second")
        expect(yield* manager.drain(manager.instance)).toBe(true)
        yield* TestClock.adjust("20 seconds")
        yield* open
        yield* TestClock.adjust("5 seconds")
        expect(ran).toEqual(["fleeting 1", "parent"])
      }).pipe(Effect.provide(context))
    }))

  it.scoped("waits for no backend that does not answer", () =>
    Effect.gen(function*() {
      const shared = yield* sharedBackend
      let broken = false
      const write: TaskBackend["Type"]["write"] = (batch) =>
        Effect.suspend(() =>
          broken
            ? Effect.fail(new TaskBackendError({ method: "write", cause: new Error("gone") }))
            : shared.write(batch)
        )
      const Kept = Task.make("kept", { payload: { n: Schema.Number } })
      const handlers = Layer.merge(Fleeting.toLayer(() => Effect.void), Kept.toLayer(() => Effect.void))
      const { context } = yield* oneOf({ ...shared, write }, handlers)
      yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        broken = true
        const kept = yield* Effect.fork(Kept.enqueue({ n: 1 }))
        yield* TestClock.adjust("1 second")
        const { taskId } = yield* Fleeting.enqueue({ n: 1 })
        yield* TestClock.adjust("1 second")
        expect((yield* manager.get(taskId)).status).toBe("success")
        broken = false
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(kept)
      }).pipe(Effect.provide(context))
    }))
})
