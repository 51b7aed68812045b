/** Changes that are written in groups: they leave what they leave one by one, and in between others each has its own outcome. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import type { TaskBackend } from "effect-taskflow"
import type { Redis } from "ioredis"
import { fail, heldBy, insert, line, log, start, startedBy, succeed } from "../../src/testing/suite/changes.js"
import { hasRedis, keysUnder, redis, redisClient, redisPrefix } from "../support/databases.js"
import { applied, attached, failureOf, test } from "../support/redis.js"
import { batchOf, instance, now, task } from "../support/sql.js"

type Changes = Parameters<TaskBackend["Type"]["write"]>[0]["changes"]

const valueOf = async (client: Redis, key: string): Promise<unknown> => {
  switch (await client.type(key)) {
    case "hash":
      return Object.entries(await client.hgetall(key)).sort(([x], [y]) => x < y ? -1 : 1)
    case "zset":
      return client.zrange(key, 0, -1, "WITHSCORES")
    case "set":
      return (await client.smembers(key)).sort()
    case "stream":
      return client.xrange(key, "-", "+")
    default:
      return client.get(key)
  }
}

// By the rest of their names. The row of the instance has the answer in it, which says how its batch was written.
const contents = (client: Redis, prefix: string) =>
  Effect.promise(async () => {
    const keys = [...await keysUnder(client, prefix)].filter((key) => !key.includes(":i:")).sort()
    return Promise.all(keys.map(async (key) => [key.slice(key.indexOf("}")), await valueOf(client, key)] as const))
  })

describe.skipIf(!await hasRedis())("RedisBackend's plain changes", () => {
  const place = Effect.gen(function*() {
    const prefix = yield* redisPrefix
    const client = yield* redisClient()
    return { all: contents(client, prefix), backend: yield* attached({ ...redis, prefix }), client, prefix }
  })

  const waiting = [task(), task({ runAt: now + 5_000 }), task({ definitionVersion: 3 })]
  const held = [heldBy(task(), instance), heldBy(task(), instance)]
  // Of a one-off effect nobody else has the code, so it is not held as others are, even where its name is theirs.
  const effect = heldBy(task({ kind: "effect" }), instance)
  const running = [task(), task(), task(), task()].map((record) => startedBy(record, instance, now))
  const batches: ReadonlyArray<Changes> = [
    [...waiting, ...held, effect, ...running].map(insert),
    held.map((one) => start(one, now + 40)),
    [
      succeed(running[0]!, now + 90, null),
      succeed(running[1]!, now + 30, "{\"a\":\"\\ud800\"}"),
      succeed(startedBy(held[0]!, instance, now + 40), now + 80, null)
    ],
    // What is told in groups took less, and the other more, than anything before.
    [fail(running[2]!, now + 95), succeed(running[3]!, now + 5, null)]
  ]

  test("leave the same keys as when they are told in full", () =>
    Effect.gen(function*() {
      const [grouped, full] = [yield* place, yield* place]
      // A task that is not there: one of the group that is not as its writer says, so all of it is told in full.
      const unknown = start(heldBy(task(), instance), now)
      for (const [at, changes] of batches.entries()) {
        const batch = { ...batchOf(at + 1, []), now: now + 100 }
        expect(yield* grouped.backend.write({ ...batch, changes })).toEqual(applied(changes.length))
        expect(yield* full.backend.write({ ...batch, changes: [...changes, unknown] }))
          .toEqual([...applied(changes.length), { _tag: "Lost" }])
        expect(yield* grouped.all).toEqual(yield* full.all)
      }
    }))

  test("have their own outcomes in between others, also when the batch is repeated", () =>
    Effect.gen(function*() {
      const { backend } = yield* place
      yield* backend.write({ ...batchOf(1, []), changes: batches[0]! })
      const nobody = startedBy(task(), instance, now)
      const batch = {
        ...batchOf(2, []),
        changes: [
          log(nobody, line(nobody, 1, now)),
          succeed(running[0]!, now),
          succeed(nobody, now),
          start(held[0]!, now)
        ]
      }
      const mixed = {
        ...batchOf(3, []),
        changes: [log(nobody, line(nobody, 1, now)), succeed(running[1]!, now), log(held[1]!, line(held[1]!, 1, now))]
      }
      const lost = { _tag: "Lost" }
      for (const _ of [1, 2]) expect(yield* backend.write(batch)).toEqual([lost, ...applied(1), lost, ...applied(1)])
      for (const _ of [1, 2]) expect(yield* backend.write(mixed)).toEqual([lost, ...applied(2)])
    }))

  test("are not written when one of the tasks is there already, or a key is something else", () =>
    Effect.gen(function*() {
      const { all, backend, client, prefix } = yield* place
      yield* backend.write(batchOf(1, [waiting[0]!]))
      const before = yield* all
      expect(String(yield* failureOf(backend.write(batchOf(2, [task(), waiting[0]!]))))).toContain("failed in write")
      expect(yield* all).toEqual(before)
      yield* Effect.promise(() => client.set(`{${prefix}}:own:${instance}`, "not a set"))
      expect(String(yield* failureOf(backend.write(batchOf(2, [heldBy(task(), instance)]))))).toContain(
        "failed in write"
      )
      yield* Effect.promise(() => client.del(`{${prefix}}:own:${instance}`))
      expect(yield* all).toEqual(before)
    }))
})
