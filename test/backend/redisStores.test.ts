/** The stores beside the tasks on Redis: what is bounded, what is more than one script looks at, what stays behind. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import type { AuditEntry, TaskBackend } from "effect-taskflow"
import { maxErrorGroups } from "../../src/ErrorStore.js"
import { fail, startedBy } from "../../src/testing/suite/changes.js"
import { hasRedis, keysUnder, redis, redisClient, redisPrefix } from "../support/databases.js"
import { attached, test } from "../support/redis.js"
import { batchOf, ids, instance, now, task } from "../support/sql.js"

const place = Effect.gen(function*() {
  const prefix = yield* redisPrefix
  const client = yield* redisClient()
  const key = (name: string) => `{${prefix}}:${name}`
  const names = Effect.map(
    Effect.promise(() => keysUnder(client, prefix)),
    (keys) => keys.map((one) => one.slice(prefix.length + 3))
  )
  return { key, client, names, backend: yield* attached({ ...redis, prefix }) }
})

// Words without digits: what is a value in a message is not told apart.
const word = (number: number): string => String(number).split("").map((digit) => "abcdefghij"[Number(digit)]).join("")

/** Tasks that fail one second after the other, each with words of its own. */
const failing = (backend: TaskBackend["Type"], number: number, messages: ReadonlyArray<string>, taskName: string) =>
  Effect.gen(function*() {
    const running = messages.map(() => startedBy(task({ taskName }), instance, now))
    yield* backend.write(batchOf(number, running))
    const changes = running.map((record, index) => fail(record, now + index, messages[index]))
    yield* backend.write({ ...batchOf(number + 1, []), changes })
  })

const entry = (at: number, more: Partial<AuditEntry> = {}): AuditEntry => ({
  id: ids.next(now),
  at,
  who: "anna",
  action: "retry",
  target: null,
  parameters: "{}",
  outcome: "done",
  ...more
})

describe.skipIf(!await hasRedis())("the stores of RedisBackend", () => {
  test("keep so many error groups, the ones that were seen last", () =>
    Effect.gen(function*() {
      const { backend, client, key } = yield* place
      yield* failing(backend, 1, ["oldest", "older"], "send_email")
      const [older, oldest] = (yield* backend.errors.list({})).items
      // As if very many had been seen since.
      const many = Array.from({ length: maxErrorGroups - 2 }, (_, at) => ["0", `000000000000001|f${at}`]).flat()
      yield* Effect.promise(() => client.zadd(key("ers"), ...many))
      yield* failing(backend, 3, ["new"], "send_email")
      expect(yield* backend.errors.get(oldest!.fingerprint)).toBeNull()
      expect(yield* backend.errors.get(older!.fingerprint)).toEqual(older)
      const left = [
        yield* Effect.promise(() => client.zcard(key("ers"))),
        yield* Effect.promise(() => client.zcard(key("ern")))
      ]
      expect(left).toEqual([maxErrorGroups, 2])
      // Its tasks are there as long as they are kept.
      expect((yield* backend.list({ errorGroup: oldest!.fingerprint })).items.length).toBe(1)
    }))

  test("find a group behind all that one script looks at", () =>
    Effect.gen(function*() {
      const { backend } = yield* place
      yield* failing(backend, 1, ["oldest", "older"], "resize")
      for (const part of [0, 1, 2]) {
        const messages = Array.from({ length: 400 }, (_, at) => `${word(part)} ${word(at)}`)
        yield* failing(backend, 3 + 2 * part, messages, "send_email")
      }
      for (const order of ["lastSeen", "count"] as const) {
        const { items, nextCursor } = yield* backend.errors.list({ taskName: "resize", order })
        expect([items.length, nextCursor]).toEqual([2, null])
        const first = yield* backend.errors.list({ taskName: "resize", order, limit: 1 })
        const second = yield* backend.errors.list({ taskName: "resize", order, cursor: first.nextCursor! })
        expect([...first.items, ...second.items]).toEqual(items)
      }
      expect((yield* backend.errors.list({ since: now + 399, limit: 200 })).items.length).toBe(3)
    }))

  test("find an audit entry behind all that one script looks at, and leave nothing of what was removed", () =>
    Effect.gen(function*() {
      const { backend, names } = yield* place
      const before = new Set(yield* names)
      const [first, second] = [
        entry(now, { who: "ben", target: "t" }),
        entry(now + 1, { who: "ben", action: "cancel" })
      ]
      const others = Array.from({ length: 2_500 }, (_, at) => entry(now + 2 + at, { action: "cancel" }))
      yield* backend.audit.append([first, second, ...others])
      expect((yield* backend.audit.page({ who: "ben" })).items).toEqual([second, first])
      expect((yield* backend.audit.page({ who: "ben", action: "cancel" })).items).toEqual([second])
      expect((yield* backend.audit.page({ action: "retry" })).items).toEqual([first])
      expect(yield* backend.audit.deleteBefore(now + 10_000, 10_000)).toBe(2_502)
      expect((yield* names).filter((name) => !before.has(name))).toEqual([])
    }))

  test("move a schedule that is not written as we write it", () =>
    Effect.gen(function*() {
      const { backend, client, key } = yield* place
      const nightly = {
        name: "nightly",
        taskName: "send_email",
        definition: "d",
        origin: "code",
        anchor: now,
        spec: "{}"
      } as const
      const stored = yield* backend.schedules.define(nightly, now)
      const { lastSlot: _, lastTask: __, ...rest } = stored
      const text = `- - ${JSON.stringify({ later: 1, ...rest }, null, 1)}`
      yield* Effect.promise(() => client.hset(key("schedules"), "\"nightly\"", text))
      expect(yield* backend.schedules.pause("nightly", now + 1)).toMatchObject({ ...stored, pausedAt: now + 1 })
      expect(yield* backend.schedules.resume("nightly", now + 2)).toMatchObject({ pausedAt: null, lastSlot: now + 2 })
      // What a later version keeps there stays.
      expect(yield* Effect.promise(() => client.hget(key("schedules"), "\"nightly\""))).toContain("\"later\":1")
    }))
})
