/** How instances on Redis wake each other: what is told, the connection that hears, and what a reader of the feed finds. */
import { describe, expect } from "@effect/vitest"
import { Effect, Queue, Schedule, Stream } from "effect"
import { type TaskBackend, type TaskChange, TaskEvent } from "effect-taskflow"
import * as RedisBackend from "../../src/backend/RedisBackend.js"
import { makeProxy } from "../chaos/support/proxy.js"
import { hasRedis, redis, redisClient, redisPrefix } from "../support/databases.js"
import { attached, test } from "../support/redis.js"
import { hasRedisServer, redisServer } from "../support/redisServer.js"
import { batchOf, facts, instance, now, task } from "../support/sql.js"

type Where = RedisBackend.RedisBackendOptions

const another = facts(TaskEvent.InstanceId.make("00000000-0000-4000-8000-000000000002"))

/** One that listens, as an engine does, and each time it is woken. */
const listening = (options: Where, about: TaskChange.Hint = "work") =>
  Effect.gen(function*() {
    const backend = yield* RedisBackend.make(options)
    const hints = yield* Queue.unbounded<void>()
    yield* Effect.forkScoped(Stream.runForEach(backend.hints(about), () => Queue.offer(hints, undefined)))
    // It looks as soon as it is there.
    yield* Queue.take(hints)
    return { backend, hints }
  })

const write = (backend: TaskBackend["Type"], number: number, count = 1) =>
  backend.write(batchOf(number, Array.from({ length: count }, () => task())))

/** What is told on the channel of this prefix, by letters. */
const overhear = (prefix: string) =>
  Effect.gen(function*() {
    const heard = yield* Queue.unbounded<string>()
    const client = yield* redisClient()
    client.on("message", (_, message) => Queue.unsafeOffer(heard, message))
    yield* Effect.promise(() => client.subscribe(`{${prefix}}:hints:0`))
    return { heard, letters: Effect.map(Queue.take(heard), (message) => message.split(" ")[1]!) }
  })

/** A writer that knows of another one. */
const writerOn = (options: Where) =>
  Effect.gen(function*() {
    const backend = yield* attached(options)
    yield* backend.attach(another, now)
    yield* backend.heartbeat(instance, now)
    return backend
  })

describe.skipIf(!await hasRedis())("hints on Redis", () => {
  test("are sent only while others are alive, and many as one", () =>
    Effect.gen(function*() {
      const where = { ...redis, prefix: yield* redisPrefix }
      const { heard, letters } = yield* overhear(where.prefix)
      const one = yield* listening(where)
      expect(yield* letters).toBe("h")
      yield* one.backend.attach(facts(), now)
      yield* one.backend.heartbeat(instance, now)
      for (let number = 1; number <= 5; number += 1) yield* write(one.backend, number)
      const other = yield* listening(where)
      // What was told before the other came would have been heard before it.
      expect(yield* letters).toBe("h")
      yield* other.backend.attach(another, now)
      yield* one.backend.heartbeat(instance, now)
      for (let number = 6; number <= 25; number += 1) yield* write(one.backend, number)
      yield* Queue.take(other.hints)
      expect(yield* letters).toMatch(/^[cw]+$/)
      expect(yield* Queue.size(heard)).toBeLessThan(20)
    }))

  test("need no second connection when they are not wanted", () =>
    Effect.gen(function*() {
      const where = { ...redis, prefix: yield* redisPrefix, notify: false }
      const { heard } = yield* overhear(where.prefix)
      const client = yield* redisClient()
      const backend = yield* writerOn(where)
      yield* Effect.forkScoped(Stream.runDrain(backend.hints("work")))
      yield* write(backend, 1)
      yield* Effect.promise(() => client.publish(`{${where.prefix}}:hints:0`, "mark"))
      expect(yield* Queue.take(heard)).toBe("mark")
    }))

  test("a cut connection is opened again, and what was told meanwhile is looked for", () =>
    Effect.gen(function*() {
      const prefix = yield* redisPrefix
      const proxy = yield* makeProxy({ target: redis })
      const writer = yield* writerOn({ ...redis, prefix })
      const { hints } = yield* listening({ ...proxy.where, prefix })
      for (let round = 1; round <= 3; round += 1) {
        yield* write(writer, 2 * round - 1)
        yield* Queue.take(hints)
        yield* proxy.set("refuse")
        yield* Queue.takeAll(hints)
        yield* write(writer, 2 * round)
        yield* proxy.set("pass")
        yield* Queue.take(hints)
      }
    }))

  test("of one database are not of another", () =>
    Effect.gen(function*() {
      const prefix = yield* redisPrefix
      const { heard, letters } = yield* overhear(prefix)
      const writer = yield* writerOn({ ...redis, prefix, notify: true })
      yield* write(writer, 1)
      expect(yield* letters).toMatch(/^[cw]+$/)
      yield* listening({ ...redis, prefix, db: 1 })
      expect(yield* Queue.size(heard)).toBeLessThanOrEqual(1)
      for (const message of yield* Queue.takeAll(heard)) expect(message).not.toMatch(/ h$/)
    }))
})

describe.skipIf(!hasRedisServer())("hints on a Redis that", () => {
  test("is killed and started again come again", () =>
    Effect.gen(function*() {
      const { kill, start, where } = yield* redisServer("--appendonly", "yes")
      const writer = yield* writerOn(where)
      const { hints } = yield* listening(where)
      yield* kill
      yield* start
      yield* Queue.take(hints)
      yield* Effect.retry(write(writer, 1), { times: 500, schedule: Schedule.spaced("20 millis") })
      yield* Queue.take(hints)
    }))
})

describe.skipIf(!await hasRedis())("the feed on Redis", () => {
  const place = Effect.gen(function*() {
    const prefix = yield* redisPrefix
    const key = (name: string) => `{${prefix}}:${name}`
    return { key, client: yield* redisClient(), backend: yield* attached({ ...redis, prefix }) }
  })

  test("says so when a server took over that had not heard of what was read", () =>
    Effect.gen(function*() {
      const { backend, client, key } = yield* place
      yield* write(backend, 1)
      const dump = yield* Effect.promise(() =>
        Promise.all([client.dumpBuffer(key("feed")), client.get(key("feed:last"))])
      )
      yield* write(backend, 2, 2)
      const { cursor } = yield* backend.feed({ cursor: null, limit: 10, now })
      // As a replica has it that was behind by one batch.
      yield* Effect.promise(async () => {
        await client.restore(key("feed"), 0, dump[0], "REPLACE")
        await client.set(key("feed:last"), dump[1]!)
      })
      expect((yield* backend.feed({ cursor, limit: 10, now })).reset).toBe(true)
      // And one that went on since: as many changes as were lost, so that the numbers are the same.
      yield* backend.write({ ...batchOf(3, [task(), task()]), now: now + 5 })
      yield* write(backend, 4)
      const page = yield* backend.feed({ cursor, limit: 10, now })
      expect([page.changes, page.reset]).toEqual([[], true])
      expect((yield* backend.feed({ cursor: page.cursor, limit: 10, now })).reset).toBe(false)
    }))

  test("is bounded by how many changes it has, whatever their age", () =>
    Effect.gen(function*() {
      const { backend, client, key } = yield* place
      yield* write(backend, 1)
      const { cursor } = yield* backend.feed({ cursor: null, limit: 10, now })
      for (let number = 2; number <= 100; number += 1) yield* write(backend, number)
      expect((yield* backend.feed({ cursor, limit: 10, now })).changes.length).toBe(10)
      // As if very many had been told.
      yield* Effect.promise(() => client.set(key("feed:last"), `200000-${now}`))
      for (let number = 101; number <= 110; number += 1) yield* write(backend, number)
      // In steps of what Redis keeps in one piece.
      expect(yield* Effect.promise(() => client.xlen(key("feed")))).toBeLessThan(60)
      expect((yield* backend.feed({ cursor, limit: 10, now })).reset).toBe(true)
    }))

  test("is there again when somebody deleted it, for those who read from then on", () =>
    Effect.gen(function*() {
      const { backend, client, key } = yield* place
      yield* write(backend, 1)
      const { cursor } = yield* backend.feed({ cursor: null, limit: 10, now })
      for (const name of ["feed:last", "feed"]) {
        yield* Effect.promise(() => client.del(key(name)))
        yield* write(backend, name === "feed" ? 3 : 2)
      }
      const page = yield* backend.feed({ cursor, limit: 10, now })
      expect(page.reset).toBe(true)
      yield* write(backend, 4, 2)
      expect((yield* backend.feed({ cursor: page.cursor, limit: 10, now })).changes.length).toBe(2)
    }))
})
