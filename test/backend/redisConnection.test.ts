/** The way to Redis: not there, broken, restarted, lost answers; and that no secret leaves in an error. */
import { inspect } from "node:util"
import { describe, expect } from "@effect/vitest"
import { Effect, Layer, Redacted, Schedule } from "effect"
import { TaskBackend, TaskBackendError } from "effect-taskflow"
import * as RedisBackend from "../../src/backend/RedisBackend.js"
import { makeProxy } from "../chaos/support/proxy.js"
import { hasRedis, keysUnder, redis, redisClient, redisPrefix } from "../support/databases.js"
import { applied, attached, failureOf, finishOf, test } from "../support/redis.js"
import { hasRedisServer, redisServer } from "../support/redisServer.js"
import { batchOf, claimOf, facts, instance, now, task } from "../support/sql.js"

/** As the journal does: the same again until the connection is back. */
const untilItIsBack = Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 500 })

describe("RedisBackend without a server", () => {
  const secrets = { username: "ada", password: Redacted.make("hunter2") }

  test("fails its layer at once, with the reason and without the password", () =>
    Effect.gen(function*() {
      const nowhere = [
        { host: "127.0.0.1", port: 1, ...secrets },
        { url: Redacted.make("redis://ada:hunter2@127.0.0.1:1/3") }
      ]
      for (const options of nowhere) {
        const error = yield* failureOf(Layer.build(RedisBackend.layer(options)))
        expect(error).toBeInstanceOf(TaskBackendError)
        expect(String(error)).toContain("the task backend failed in connect")
        expect(String(error)).toContain("ECONNREFUSED")
        expect(inspect(error, { depth: 10 })).not.toContain("hunter2")
      }
    }))

  test("refuses what is not its url, without repeating it", () =>
    Effect.gen(function*() {
      for (
        const text of [
          "http://ada:hunter2@db",
          "redis://ada:hunter2@db/tasks",
          "redis://",
          "hunter2",
          "redis://%:hunter2@db"
        ]
      ) {
        const error = yield* failureOf(RedisBackend.make({ url: Redacted.make(text) }))
        expect(String(error)).toContain("redis://user:password@host:port/db")
        expect(inspect(error, { depth: 10 })).not.toContain("hunter2")
      }
    }))

  test("refuses a prefix that would break the hash tag", () =>
    Effect.gen(function*() {
      for (const prefix of ["", "a}b", "a b", "x".repeat(65)]) {
        expect(String(yield* failureOf(RedisBackend.make({ prefix })))).toContain("prefix")
      }
    }))
})

describe.skipIf(!await hasRedis())("RedisBackend on a connection that breaks", () => {
  const throughProxy = Effect.gen(function*() {
    const prefix = yield* redisPrefix
    const proxy = yield* makeProxy({ target: redis })
    const backend = yield* attached({ ...proxy.where, prefix })
    return { prefix, proxy, backend }
  })

  test("a batch whose answer was lost is told from one that was refused, and is not applied twice", () =>
    Effect.gen(function*() {
      const { backend, proxy } = yield* throughProxy
      const twice = (batch: Parameters<typeof backend.write>[0]) =>
        Effect.gen(function*() {
          yield* proxy.loseAnswer()
          const error = yield* failureOf(backend.write(batch))
          expect(error).toBeInstanceOf(TaskBackendError)
          expect((error as TaskBackendError).cause).toMatchObject({ permanent: false })
          return yield* untilItIsBack(backend.write(batch))
        })
      expect(yield* twice(batchOf(1, [task(), task()]))).toEqual(applied(2))
      const [first, second] = [task({ idempotencyKey: "k" }), task({ idempotencyKey: "k" })]
      expect(yield* twice(batchOf(2, [first, second]))).toEqual([
        { _tag: "Applied" },
        { _tag: "Duplicate", taskId: first.taskId }
      ])
      const { started } = yield* claimOf(backend, 1)
      expect(yield* twice(finishOf(3, started[0]!))).toEqual(applied(1))
      expect((yield* backend.stats({})).counts).toMatchObject({ success: 1, pending: 2, running: 0 })
    }))

  test("a claim whose answer was lost is found among what the instance owns", () =>
    Effect.gen(function*() {
      const { backend, proxy } = yield* throughProxy
      yield* backend.write(batchOf(1, [task(), task()]))
      yield* proxy.loseAnswer()
      expect(yield* failureOf(claimOf(backend, 2))).toBeInstanceOf(TaskBackendError)
      const owned = yield* untilItIsBack(backend.owned(instance))
      expect(owned.records.map(({ attempts, claim }) => [attempts, claim])).toEqual([[1, 1], [1, 1]])
    }))

  test("while there is none, every call fails at once; afterwards all goes on", () =>
    Effect.gen(function*() {
      const { backend, proxy } = yield* throughProxy
      yield* proxy.set("refuse")
      const calls: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
        backend.write(batchOf(1, [task()])),
        claimOf(backend),
        backend.heartbeat(instance, now),
        backend.list({}),
        backend.get(task().taskId)
      ]
      for (let round = 0; round < 3; round += 1) {
        for (const call of calls) {
          const error = yield* failureOf(Effect.timeout(call, "2 seconds"))
          expect(error).toBeInstanceOf(TaskBackendError)
          expect(String(error)).toContain("no connection to Redis")
        }
      }
      yield* proxy.set("pass")
      expect(yield* untilItIsBack(backend.write(batchOf(1, [task()])))).toEqual(applied(1))
      expect((yield* backend.heartbeat(instance, now)).alive).toBe(true)
    }))

  test("a batch that comes behind a later one of its lane is refused", () =>
    Effect.gen(function*() {
      const { backend } = yield* throughProxy
      yield* backend.write(batchOf(2, [task()]))
      const error = yield* failureOf(backend.write(batchOf(1, [task()])))
      expect(String(error)).toContain("batch 1 comes behind batch 2")
      expect((yield* backend.stats({})).counts.pending).toBe(1)
    }))

  test("takes the settings of the application's own client, and leaves that one alone", () =>
    Effect.gen(function*() {
      const prefix = yield* redisPrefix
      const own = yield* redisClient({ ...redis, keyPrefix: "app:", stringNumbers: true, enableAutoPipelining: true })
      const plain = yield* redisClient()
      yield* Effect.scoped(Effect.gen(function*() {
        const backend = yield* Effect.flatMap(
          Layer.build(RedisBackend.layerOf(own, { prefix })),
          (context) => Effect.provide(TaskBackend, context)
        )
        yield* backend.attach(facts(), now)
        yield* backend.write(batchOf(1, [task()]))
        expect((yield* claimOf(backend)).started.length).toBe(1)
        expect((yield* backend.heartbeat(instance, now)).alive).toBe(true)
      }))
      expect(yield* Effect.promise(() => own.ping())).toBe("PONG")
      expect((yield* Effect.promise(() => keysUnder(plain, prefix))).length).toBeGreaterThan(3)
    }))
})

describe.skipIf(!hasRedisServer())("RedisBackend on a server that", () => {
  test("forgot its scripts goes on", () =>
    Effect.gen(function*() {
      const { where } = yield* redisServer()
      const backend = yield* attached(where)
      const admin = yield* redisClient(where)
      yield* backend.write(batchOf(1, [task()]))
      yield* Effect.promise(() => admin.script("FLUSH"))
      expect(yield* backend.write(batchOf(2, [task()]))).toEqual(applied(1))
      yield* Effect.promise(() => admin.script("FLUSH"))
      expect((yield* claimOf(backend)).started.length).toBe(2)
    }))

  test("was killed and started again has everything, with an append-only file", () =>
    Effect.gen(function*() {
      const { kill, start, where } = yield* redisServer("--appendonly", "yes", "--appendfsync", "everysec")
      const backend = yield* attached(where)
      const records = Array.from({ length: 50 }, () => task())
      yield* backend.write(batchOf(1, records))
      const { started } = yield* claimOf(backend, 5)
      yield* kill
      expect(yield* failureOf(backend.write(finishOf(2, started[0]!)))).toBeInstanceOf(TaskBackendError)
      yield* start
      expect(yield* untilItIsBack(backend.write(finishOf(2, started[0]!)))).toEqual(applied(1))
      expect((yield* backend.stats({})).counts).toMatchObject({ success: 1, running: 4, pending: 45 })
      expect((yield* backend.list({ limit: 200 })).items.length).toBe(50)
    }))

  test("wants another password says so, and its error does not say which", () =>
    Effect.gen(function*() {
      const { where } = yield* redisServer("--requirepass", "correct-horse")
      const wrong = yield* failureOf(RedisBackend.make({ ...where, password: Redacted.make("hunter2") }))
      expect(String(wrong)).toContain("WRONGPASS")
      const none = yield* failureOf(RedisBackend.make(where))
      expect(String(none)).toContain("NOAUTH")
      for (const error of [wrong, none]) {
        expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/hunter2|correct-horse/)
      }
      const url = Redacted.make(`redis://:correct-horse@${where.host}:${where.port}/2`)
      const backend = yield* attached({ url })
      yield* backend.write(batchOf(1, [task()]))
      expect((yield* backend.stats({})).counts.pending).toBe(1)
    }))

  test("has no database of that number is refused", () =>
    Effect.gen(function*() {
      const { where } = yield* redisServer("--databases", "1")
      expect(String(yield* failureOf(RedisBackend.make({ ...where, db: 3 })))).toContain("DB index is out of range")
    }))
})
