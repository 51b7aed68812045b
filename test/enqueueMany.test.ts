/** What one `enqueueMany` is: one commit, wholly or not at all, or several of them that are bounded. */
import { Reactivity } from "@effect/experimental"
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Schema } from "effect"
import { Task, TaskflowLayer, TaskManager } from "effect-taskflow"
import * as SqlBackend from "../src/backend/SqlBackend.js"
import { cut } from "../src/internal/cutting.js"
import type { Prepared } from "../src/internal/prepare.js"
import { TaskBackendError } from "../src/TaskError.js"
import { collectedLogs, engine, wrappedBackend } from "./support/engine.js"
import { databases } from "./support/sql.js"

const Job = Task.make("job", { payload: { n: Schema.Int } })
const counts = Effect.map(Effect.flatMap(TaskManager, (manager) => manager.stats()), (stats) => stats.counts)

for (const database of databases.filter(({ kind }) => kind !== "sqlite")) {
  describe.skipIf(!database.present)(`enqueueMany on ${database.name} with one key that a transaction decides`, () => {
    const withEngine = (maxKeyWait: string, body: Effect.Effect<void, unknown, TaskManager | SqlClient.SqlClient>) =>
      Effect.flatMap(database.place, (place) =>
        body.pipe(
          Effect.provide(
            Job.toLayer(() => Effect.void).pipe(
              Layer.provideMerge(TaskflowLayer({ announce: false, journal: { maxKeyWait: maxKeyWait as "1 second" } })),
              Layer.provide(SqlBackend.layer({ prefix: database.prefix(place) })),
              Layer.provideMerge(Layer.scoped(SqlClient.SqlClient, database.open(place))),
              Layer.provide(Reactivity.layer)
            )
          )
        ))

    // A transaction that took the key, until `release`; rolled back then.
    const transaction = Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const inside = yield* Deferred.make<void>()
      const release = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(sql.withTransaction(Effect.gen(function*() {
        yield* Job.enqueue({ n: 0 }, { idempotencyKey: "k" })
        yield* Deferred.succeed(inside, undefined)
        yield* Deferred.await(release)
        return yield* Effect.fail("rolled back")
      })))
      yield* Deferred.await(inside)
      return { release: Effect.zipRight(Deferred.succeed(release, undefined), Fiber.await(fiber)) }
    })
    const many = Job.enqueueMany([{ n: 1 }, { n: 2 }, { n: 3 }], ({ n }) => n === 2 ? { idempotencyKey: "k" } : {})

    it.scopedLive("fails whole when that takes too long: nothing was written", () =>
      withEngine(
        "100 millis",
        Effect.gen(function*() {
          const open = yield* transaction
          expect(yield* Effect.flip(many)).toMatchObject({ _tag: "TaskKeyBusy" })
          const { items } = yield* (yield* TaskManager).list()
          expect(items).toEqual([])
          yield* open.release
        })
      ))

    it.scopedLive("waits whole for its end, and delays nobody else", () =>
      withEngine(
        "20 seconds",
        Effect.gen(function*() {
          const open = yield* transaction
          const waiting = yield* Effect.fork(many)
          yield* Job.execute({ n: 4 })
          expect(yield* Fiber.poll(waiting)).toMatchObject({ _tag: "None" })
          yield* open.release
          expect((yield* Fiber.join(waiting)).map(({ _tag }) => _tag)).toEqual(["Enqueued", "Enqueued", "Enqueued"])
          yield* (yield* TaskManager).awaitIdle
          expect(yield* counts).toMatchObject({ success: 4, pending: 0 })
        })
      ))
  })
}

describe("enqueueMany", () => {
  it.effect("with a row that can never be written fails whole: nothing of it is, and everything else is", () => {
    const refused = new TaskBackendError({
      method: "write",
      cause: Object.assign(new Error("no"), { permanent: true })
    })
    const backend = wrappedBackend(({ write }) => ({
      write: (batch) =>
        batch.changes.some((one) => one._tag === "Insert" && one.record.payload.includes("13"))
          ? Effect.fail(refused)
          : write(batch)
    }))
    return Effect.gen(function*() {
      const all = yield* Effect.all(
        [
          Effect.exit(Job.enqueue({ n: 1 })),
          Effect.exit(Job.enqueueMany([{ n: 2 }, { n: 13 }, { n: 3 }])),
          Effect.exit(Job.enqueueMany([{ n: 4 }, { n: 5 }])),
          Effect.exit(Job.enqueue({ n: 6 }))
        ],
        { concurrency: "unbounded" }
      )
      expect(all.map(({ _tag }) => _tag === "Success")).toEqual([true, false, true, true])
      expect(yield* counts).toMatchObject({ pending: 4 })
    }).pipe(Effect.provide(engine({}, backend)), Effect.provide(collectedLogs().layer))
  })

  it.effect("is several commits when it is large, however large its payloads are", () => {
    const sizes: Array<number> = []
    const backend = wrappedBackend(({ write }) => ({
      write: (batch) =>
        Effect.suspend(() => {
          sizes.push(
            batch.changes.reduce((sum, one) => one._tag === "Insert" ? sum + one.record.payload.length : sum, 0)
          )
          return write(batch)
        })
    }))
    const Large = Task.make("large", { payload: { text: Schema.String } })
    return Effect.gen(function*() {
      const text = "x".repeat(1_000_000)
      const results = yield* Large.enqueueMany(Array.from({ length: 20 }, () => ({ text })))
      expect(results.map(({ _tag }) => _tag)).toEqual(results.map(() => "Enqueued"))
      expect(Math.max(...sizes)).toBeLessThanOrEqual(8 * 1_048_576)
      expect(sizes.length).toBe(3)
    }).pipe(Effect.provide(engine({}, backend)))
  })

  it("is cut by count and by size, in order", () => {
    const one = (payload: string, idempotencyKey: string | null = null): Prepared => ({
      payload,
      idempotencyKey,
      tags: {},
      priority: 0,
      runAt: null,
      eager: false,
      persist: true
    })
    const lengths = (all: ReadonlyArray<Prepared>) => cut(all).map((part) => part.length)
    const plain = Array.from({ length: 25_000 }, (_, n) => one(String(n)))
    expect(lengths([])).toEqual([])
    expect(lengths(plain)).toEqual([10_000, 10_000, 5_000])
    expect(cut(plain).flat()).toEqual(plain)
    expect(lengths([...plain.slice(0, 1_500), one("k", "k")])).toEqual([1_000, 501])
    expect(lengths(["a", "b"].map((text) => one(text.repeat(9_000_000))))).toEqual([1, 1])
    expect(lengths([one("a"), { ...one("b"), persist: false }, one("c")])).toEqual([1, 1, 1])
    expect(lengths(Array.from({ length: 5 }, () => one("x".repeat(4 * 1_048_576))))).toEqual([2, 2, 1])
  })
})
