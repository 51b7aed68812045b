/** What stands in Redis: nothing half written, nothing left behind, one slot; full memory; what a server is set to keep. */
import { describe, expect } from "@effect/vitest"
import { Effect, Logger, LogLevel, Redacted } from "effect"
import { BackendSuite } from "effect-taskflow/testing"
import type { Redis } from "ioredis"
import * as RedisBackend from "../../src/backend/RedisBackend.js"
import { errorsKept } from "../../src/ErrorStore.js"
import { fingerprintOf } from "../../src/internal/fingerprint.js"
import { fail, heldBy, insert, line, log, requeue, startedBy } from "../../src/testing/suite/changes.js"
import { hasRedis, keysUnder, redis, redisClient, redisPrefix } from "../support/databases.js"
import { applied, attached, failureOf, finishOf, test } from "../support/redis.js"
import { hasRedisServer, redisServer } from "../support/redisServer.js"
import { batchOf, claimOf, instance, now, task } from "../support/sql.js"

// In an order that does not depend on how Redis keeps a hash.
const valueOf = async (client: Redis, key: string): Promise<unknown> => {
  switch (await client.type(key)) {
    case "hash":
      return Object.entries(await client.hgetall(key)).sort(([x], [y]) => x < y ? -1 : 1)
    case "zset":
      return client.zrange(key, 0, -1, "WITHSCORES")
    case "list":
      return client.lrange(key, 0, -1)
    case "stream":
      return client.xrange(key, "-", "+")
    case "set":
      return (await client.smembers(key)).sort()
    default:
      return client.get(key)
  }
}

const contents = (client: Redis, prefix: string) =>
  Effect.promise(async () => {
    const keys = [...await keysUnder(client, prefix)].sort()
    return Promise.all(keys.map(async (key) => [key, await valueOf(client, key)] as const))
  })

describe.skipIf(!await hasRedis())("RedisBackend's keys", () => {
  const place = Effect.gen(function*() {
    const prefix = yield* redisPrefix
    const client = yield* redisClient()
    return { prefix, client, backend: yield* attached({ ...redis, prefix }) }
  })

  test("a key of another type stops a whole batch, and nothing of it is written", () =>
    Effect.gen(function*() {
      const { backend, client, prefix } = yield* place
      const running = [task(), task(), task()].map((record) => startedBy(record, instance, now))
      yield* backend.write({ ...batchOf(1, []), changes: running.map(insert) })
      const failed = fail(running[1]!, now)
      const changes = [
        insert(task({ idempotencyKey: "k", tags: { tenant: "t1" }, priority: 5 })),
        insert(heldBy(task(), instance)),
        insert(task({ runAt: now + 5 })),
        log(running[0]!, line(running[0]!, 1, now)),
        ...finishOf(1, running[0]!).changes,
        failed,
        requeue(running[2]!, now)
      ]
      const name = "\"send_email\""
      const group = fingerprintOf(failed.record)!.fingerprint
      const touched = [
        "s:success",
        `n:failed:${name}`,
        "end:success",
        "pri:5",
        "due",
        `ready:1:${name}`,
        `vers:${name}`,
        "feed",
        "feed:last",
        "ers",
        "ern",
        `eg:${group}`,
        `er:${group}`,
        "keys",
        "names",
        "ru",
        `ru:${Math.floor(now / 60_000)}`,
        `lg:${running[0]!.taskId}`,
        `at:${running[2]!.taskId}`
      ]
      for (const key of touched) {
        // What is right there is put away meanwhile.
        yield* Effect.promise(() => client.renamenx(`{${prefix}}:${key}`, `{${prefix}}:away`).catch(() => 0))
        const wrong = key === "names" || key === "keys" || /^(eg|ru):/.test(key) ? "list" : "hash"
        yield* Effect.promise(async () => {
          if (wrong === "list") await client.rpush(`{${prefix}}:${key}`, "x")
          else await client.hset(`{${prefix}}:${key}`, "x", "y")
        })
        const before = yield* contents(client, prefix)
        const error = yield* failureOf(backend.write({ ...batchOf(2, []), changes }))
        expect(String(error), key).toContain("WRONGTYPE")
        expect(error, key).toMatchObject({ cause: { permanent: true } })
        expect(yield* contents(client, prefix), key).toEqual(before)
        yield* Effect.promise(async () => {
          await client.del(`{${prefix}}:${key}`)
          await client.renamenx(`{${prefix}}:away`, `{${prefix}}:${key}`).catch(() => 0)
        })
      }
      expect(yield* backend.write({ ...batchOf(2, []), changes })).toEqual(applied(changes.length))
    }))

  test("nothing stays of tasks that were removed: no index, no line, no key", () =>
    Effect.gen(function*() {
      const { backend, client, prefix } = yield* place
      const records = Array.from({ length: 40 }, (_, at) =>
        task({
          priority: at % 3,
          source: at % 4 === 0 ? "scheduled" : "manual",
          schedule: at % 7 === 0 ? { name: "nightly", slot: at } : null,
          tags: { tenant: `t${at % 5}`, __proto__: "x" },
          idempotencyKey: `k${at}`,
          keyTtl: at % 2 === 0 ? 5 : null
        }))
      yield* backend.write(batchOf(1, records))
      const { started } = yield* claimOf(backend, 20)
      const logged = started.map((record) => log(record, line(record, 1, now)))
      yield* backend.write({ ...batchOf(2, []), changes: logged })
      yield* backend.write({ ...batchOf(3, []), changes: started.slice(0, 5).map((record) => requeue(record, now)) })
      yield* backend.write(finishOf(4, ...started.slice(5, 10)))
      yield* backend.write({ ...batchOf(5, []), changes: started.slice(10).map((record) => fail(record, now)) })
      for (const { taskId } of (yield* backend.list({ status: ["pending"], limit: 200 })).items) {
        yield* backend.cancel(taskId, now)
      }
      expect(yield* backend.deleteBefore(now + 10, 1_000)).toBe(40)
      // What was told, and what failed, is remembered for its own time.
      expect((yield* backend.errors.list({})).items.length).toBe(1)
      yield* backend.maintain(now + errorsKept + 1)
      const left = (yield* Effect.promise(() => keysUnder(client, prefix))).map((key) => key.slice(prefix.length + 3))
      expect(yield* Effect.promise(() => client.xlen(`{${prefix}}:feed`))).toBe(0)
      // What knows names and instances, the numbers of the last arrival and of what was told last, and the sums of all time.
      const constant = [
        "feed",
        "feed:last",
        `i:${instance}`,
        "names",
        "peers",
        "rf",
        "ru",
        "ru:0",
        "seq",
        "st:\"send_email\"",
        "vers:\"send_email\""
      ]
      expect(left.filter((key) => !constant.includes(key))).toEqual([])
    }))

  test("an instance that is gone for long leaves nothing", () =>
    Effect.gen(function*() {
      const { backend, client, prefix } = yield* place
      yield* backend.write(batchOf(1, [task()]))
      yield* claimOf(backend)
      yield* backend.detach(instance, now)
      yield* backend.reap({ suspect: instance, beat: 0, now, limit: 10 })
      yield* backend.maintain(now + 599_999)
      const own = async () => (await keysUnder(client, prefix)).filter((key) => key.includes(instance))
      expect(yield* Effect.promise(own)).toEqual([`{${prefix}}:i:${instance}`])
      yield* backend.maintain(now + 600_000)
      expect(yield* Effect.promise(own)).toEqual([])
      expect(yield* Effect.promise(() => client.exists(`{${prefix}}:gone`))).toBe(0)
    }))

  test("a row that is damaged stops no other one", () =>
    Effect.gen(function*() {
      const { backend, client, prefix } = yield* place
      const records = [task(), task({ runAt: now - 1 }), task()]
      const later = task({ runAt: now + 5 })
      yield* backend.write(batchOf(1, [...records, later]))
      for (const { taskId } of [records[0]!, later]) yield* Effect.promise(() => client.del(`{${prefix}}:t:${taskId}`))
      const { started } = yield* claimOf(backend, 10, now + 10)
      expect(started.map(({ taskId }) => taskId)).toEqual([records[1]!.taskId, records[2]!.taskId])
      expect((yield* backend.list({})).items.length).toBe(2)
    }))
})

describe.skipIf(!hasRedisServer())("RedisBackend on a server that", () => {
  test("is a cluster finds all its keys in one slot", () =>
    Effect.gen(function*() {
      const { where } = yield* redisServer("--cluster-enabled", "yes")
      const admin = yield* redisClient(where)
      yield* Effect.promise(() => admin.call("CLUSTER", ["ADDSLOTSRANGE", "0", "16383"]))
      yield* Effect.repeat(
        Effect.promise(() => admin.cluster("INFO")),
        { until: (text) => String(text).includes("cluster_state:ok") }
      )
      // Each on keys of its own: cases of every concern, the random histories among them.
      for (const [index, one] of BackendSuite.cases.entries()) {
        if (index % 6 !== 0 && one.concern !== "modelled") continue
        const layer = RedisBackend.layer({ ...where, prefix: `case${index}` })
        yield* Effect.provide(one.run, layer)
      }
      const slots = new Map<string, Set<unknown>>()
      yield* Effect.promise(async () => {
        for (const key of await admin.keys("*")) {
          const tag = /^\{(case\d+)\}:/.exec(key)![1]!
          slots.set(tag, (slots.get(tag) ?? new Set()).add(await admin.cluster("KEYSLOT", key)))
        }
      })
      expect(slots.size).toBeGreaterThan(10)
      for (const [tag, found] of slots) expect(found.size, tag).toBe(1)
    }))

  test("is out of memory refuses what is new, records what ended, and is freed by retention", () =>
    Effect.gen(function*() {
      const { where } = yield* redisServer("--maxmemory-policy", "noeviction")
      const backend = yield* attached(where)
      const admin = yield* redisClient(where)
      const records = Array.from(
        { length: 20 },
        () => task({ payload: "x".repeat(1_000), idempotencyKey: crypto.randomUUID() })
      )
      yield* backend.write(batchOf(1, records))
      const { started } = yield* claimOf(backend, 10)
      const nightly = { name: "nightly", taskName: "send_email", definition: "d", anchor: now, spec: "{}" }
      yield* backend.schedules.define({ ...nightly, origin: "code" }, now)
      const slot = { instance, name: "nightly", definition: "d", slot: now, overlap: "allow", now } as const
      yield* Effect.promise(() => admin.config("SET", "maxmemory", "1"))
      const before = yield* contents(admin, "taskflow")
      const mixed = { ...batchOf(2, [task()]), changes: [...finishOf(2, started[0]!).changes, insert(task())] }
      const refusals: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
        backend.write(batchOf(2, [task()])),
        backend.write(mixed),
        claimOf(backend, 1),
        backend.schedules.fireSlot({ ...slot, record: task() })
      ]
      for (const refused of refusals) {
        const error = yield* failureOf(refused)
        expect(String(error)).toContain("OOM")
        expect(error).toMatchObject({ cause: { permanent: false } })
        expect(yield* contents(admin, "taskflow")).toEqual(before)
      }
      expect((yield* backend.heartbeat(instance, now)).alive).toBe(true)
      expect(yield* backend.controls.pause({ _tag: "Everything" }, "anna", now)).toBe("Paused")
      expect(yield* backend.drain(instance, true)).toBe(true)
      const beat = yield* backend.heartbeat(instance, now, { slots: { max: 1, active: 1 }, waiting: 0, lag: 0 })
      expect([beat.paused.everything, beat.draining]).toEqual([true, true])
      const { changes } = finishOf(2, ...started.slice(1))
      yield* backend.write({ ...batchOf(2, []), changes: [...changes, fail(started[0]!, now)] })
      const [group] = (yield* backend.errors.list({})).items
      expect(yield* backend.errors.dismiss(group!.fingerprint)).toBe(true)
      expect((yield* backend.cancel(records[19]!.taskId, now))._tag).toBe("Cancelled")
      expect(yield* backend.deleteBefore(now + 1, 100)).toBe(11)
      expect((yield* backend.stats({})).counts).toMatchObject({ pending: 9, running: 0, success: 0, cancelled: 0 })
      yield* Effect.promise(() => admin.config("SET", "maxmemory", "0"))
      expect(yield* backend.write(batchOf(3, [task()]))).toEqual(applied(1))
    }))

  test("may evict keys is refused, unless told otherwise", () =>
    Effect.gen(function*() {
      const { where } = yield* redisServer("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
      const error = String(yield* failureOf(RedisBackend.make(where)))
      expect(error).toContain("maxmemory-policy is allkeys-lru")
      expect(error).toContain("allowEviction")
      expect((yield* RedisBackend.make({ ...where, allowEviction: true })).info.kind).toBe("redis")
      const admin = yield* redisClient(where)
      // Without a bound nothing is ever evicted.
      yield* Effect.promise(() => admin.config("SET", "maxmemory", "0"))
      expect((yield* RedisBackend.make(where)).info.shared).toBe(true)
    }))

  test("tells how durable it is, and is warned of when it is not", () =>
    Effect.gen(function*() {
      const { where } = yield* redisServer()
      const admin = yield* redisClient(where)
      const said: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => void said.push(`${logLevel.label} ${message}`))
      const opened = (options: RedisBackend.RedisBackendOptions = where) =>
        RedisBackend.make(options).pipe(
          Effect.map(({ info }) => info.durability),
          Logger.withMinimumLogLevel(LogLevel.All),
          Effect.provide(Logger.replace(Logger.defaultLogger, logger))
        )
      expect(yield* opened()).toBe("none")
      expect(said.join()).toContain("WARN taskflow: this Redis has no append-only file")
      said.length = 0
      yield* Effect.promise(() => admin.config("SET", "appendonly", "yes"))
      for (const [fsync, durability] of [["everysec", "process"], ["no", "process"], ["always", "host"]] as const) {
        yield* Effect.promise(() => admin.config("SET", "appendfsync", fsync))
        expect(yield* opened()).toBe(durability)
      }
      expect(said).toEqual([])
      yield* Effect.promise(() => admin.call("ACL", ["SETUSER", "app", "on", ">secret", "~*", "+@all", "-config"]))
      const app = { ...where, username: "app", password: Redacted.make("secret") }
      expect(yield* opened(app)).toBe("process")
      expect(said.join()).toContain("WARN taskflow: this Redis does not say how it is set up")
    }))
})
