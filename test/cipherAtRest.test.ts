/**
 * What is in the store itself: every byte of the SQLite file and its log, every row of every table, every value in Redis.
 * Each place that may carry a secret carries one of its own. Played without a cipher first, every one of them has to be
 * found, so what is searched is known to be where it would be.
 */
import * as fs from "node:fs"
import { join } from "node:path"
import { Reactivity } from "@effect/experimental"
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Logger, Schema, type Scope } from "effect"
import { Task, TaskBackend, TaskEvent, TaskflowLayer, TaskManager, TaskProgress } from "effect-taskflow"
import * as RedisBackend from "../src/backend/RedisBackend.js"
import { withPrefix } from "../src/backend/sql/schema.js"
import * as SqlBackend from "../src/backend/SqlBackend.js"
import { cipher } from "./support/cipher.js"
import { hasRedis, keysUnder, redis, redisClient, redisPrefix } from "./support/databases.js"
import { collectedLogs } from "./support/engine.js"
import { databases } from "./support/sql.js"

const secrets = [
  "payload",
  "result",
  "error",
  "name",
  "message",
  "line",
  "annotation",
  "progress",
  "key",
  "spec",
  "definition",
  "crashed",
  "asked"
].map((place) => `zq${place}qz`)

class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

const Carries = Task.make("carries", {
  payload: { secret: Schema.String, how: Schema.Literal("succeed", "fail", "throw") },
  success: Schema.String,
  error: Refused,
  retry: { retries: 1, delay: "1 millis" },
  requeueOnInterrupt: true
})

// The name of the function stands in the stack.
const zqstackqz = () => Object.assign(new Error("zqmessageqz 4711"), { name: "zqnameqz" })

const handler = Carries.toLayer(({ how }) =>
  Effect.gen(function*() {
    yield* Effect.logInfo("zqlineqz").pipe(Effect.annotateLogs("who", "zqannotationqz"))
    yield* TaskProgress.set(0.5, "zqprogressqz")
    if (how === "fail") return yield* new Refused({ why: "zqerrorqz" })
    if (how === "throw") throw zqstackqz()
    return "zqresultqz"
  })
)

const payload = (how: "succeed" | "fail" | "throw") => ({ secret: "zqpayloadqz", how })

/** An instance takes a task, tells of it, and dies; another one gives the task back. */
const crash = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const [dying, other] = ["a1", "a2"].map((end) =>
    TaskEvent.InstanceId.make(`00000000-0000-4000-8000-0000000000${end}`)
  )
  const now = Date.now()
  for (const id of [dying!, other!]) yield* backend.attach({ id, host: "h", process: null }, now)
  const { pending: _, started: [taken] } = yield* backend.claim({
    instance: dying!,
    tasks: [{ name: "carries", version: 1, slots: 1, window: 0 }],
    slots: 1,
    window: 0,
    stealAfter: null,
    now
  })
  const { claim, taskId } = taken!
  const line = {
    sequence: 1,
    claim,
    attempt: 1,
    at: now,
    level: "info",
    message: "zqcrashedqz",
    annotations: null
  } as const
  yield* backend.write({
    instance: dying!,
    lane: "journal",
    number: 1,
    now,
    changes: [
      { _tag: "Log", taskId, line },
      { _tag: "Progress", taskId, owner: dying!, claim, progress: { value: 0.1, message: "zqcrashedqz" } }
    ]
  })
  const { peers } = yield* backend.heartbeat(other!, now)
  const { beat } = peers.find(({ id }) => id === dying)!
  while ((yield* backend.reap({ suspect: dying!, beat, now, limit: 10 })).left);
  const definition = {
    name: "nightly",
    taskName: "carries",
    definition: "zqdefinitionqz",
    origin: "dynamic",
    anchor: now,
    spec: "zqspecqz"
  } as const
  expect(yield* backend.schedules.define(definition, now)).toMatchObject(definition)
  const entry = {
    id: "00000000-0000-4000-8000-0000000000a3",
    at: now,
    who: "anna",
    action: "bulk_retry",
    target: null,
    parameters: "{\"filter\":{\"q\":\"key:zqaskedqz\"}}",
    outcome: "done"
  } as const
  yield* backend.audit.append([entry])
  expect((yield* backend.audit.page({})).items).toEqual([entry])
  yield* backend.detach(other!, now)
  return taskId
})

/** Success, failure, retry, a crash, its requeue; some are left waiting. What is read is what was written. */
const play = (store: Layer.Layer<TaskBackend, unknown>, dump: Effect.Effect<string, unknown>) =>
  Effect.gen(function*() {
    const on = <A, E>(body: Effect.Effect<A, E, TaskManager>, withHandler: boolean) => {
      const engine = TaskflowLayer({ poll: { min: "10 millis", max: "20 millis" } })
      return Effect.provide(body, Layer.provide(withHandler ? Layer.provideMerge(handler, engine) : engine, store))
    }
    const { taskId: interrupted } = yield* on(Carries.enqueue(payload("succeed"), { idempotencyKey: "zqkeyqz" }), false)
    expect(yield* Effect.provide(crash, store)).toBe(interrupted)
    let found = yield* dump
    yield* on(
      Effect.gen(function*() {
        const manager = yield* TaskManager
        expect(yield* Carries.awaitResult(interrupted)).toBe("zqresultqz")
        for (const how of ["fail", "throw"] as const) {
          const { taskId } = yield* Carries.enqueue(payload(how), { idempotencyKey: `zqkeyqz ${how}` })
          yield* Effect.flip(Carries.awaitResult(taskId))
          const again = yield* manager.retry(taskId)
          yield* Effect.flip(Carries.awaitResult(again))
          expect(yield* manager.get(again)).toMatchObject({
            payload: JSON.stringify(payload(how)),
            idempotencyKey: `zqkeyqz ${how}`,
            retryOf: taskId
          })
          expect((yield* manager.attempts(again)).length).toBe(1)
          expect((yield* manager.logs(again)).filter(({ message }) => message === "zqlineqz").length).toBe(2)
        }
        yield* Carries.enqueue(payload("succeed"), { delay: "1 hour", tags: { readable: "yes" } })
        const { items } = yield* manager.errors.list({})
        expect(items.map(({ count }) => count)).toEqual([2, 2])
        // While it is open: SQLite has its log beside the file.
        found += yield* dump
      }),
      true
    )
    return found + (yield* dump)
  })

type Store = { readonly store: Layer.Layer<TaskBackend, unknown>; readonly dump: Effect.Effect<string, unknown> }

const inEveryTable = (database: (typeof databases)[number], place: string): Store => ({
  store: database.layer(place),
  dump: Effect.scoped(Effect.gen(function*() {
    const client = yield* database.open(place)
    const texts = yield* Effect.forEach(
      Object.values(withPrefix(database.prefix(place))),
      ({ name }) => Effect.map(client.unsafe(`SELECT * FROM ${name}`), (rows) => JSON.stringify(rows))
    )
    if (database.kind !== "sqlite") return texts.join("\n")
    const files = fs.readdirSync(place).map((file) => fs.readFileSync(join(place, file)))
    expect(files.length).toBeGreaterThan(1)
    return texts.join("\n") + files.map((bytes) => bytes.toString("latin1") + bytes.toString("utf16le")).join("\n")
  })).pipe(Effect.provide(Reactivity.layer))
})

const inRedis = (prefix: string): Store => ({
  store: RedisBackend.layer({ ...redis, prefix }),
  dump: Effect.scoped(Effect.flatMap(redisClient(), (client) =>
    Effect.promise(async () => {
      const texts: Array<string> = []
      for (const key of await keysUnder(client, prefix)) {
        const type = await client.type(key)
        const value = type === "string"
          ? await client.get(key)
          : type === "hash"
          ? await client.hgetall(key)
          : type === "list"
          ? await client.lrange(key, 0, -1)
          : type === "set"
          ? await client.smembers(key)
          : type === "zset"
          ? await client.zrange(key, 0, -1)
          : type === "stream"
          ? await client.xrange(key, "-", "+")
          : expect.fail(`${key} is a ${type}`)
        texts.push(key, JSON.stringify(value))
      }
      return texts.join("\n")
    })))
})

const inTurn = (makeStore: Effect.Effect<Store, never, Scope.Scope>) => {
  const { layer, lines } = collectedLogs()
  return Effect.gen(function*() {
    const plain = yield* makeStore
    const readable = yield* play(plain.store, plain.dump)
    for (const secret of [...secrets, "zqstackqz"]) expect(readable.includes(secret), secret).toBe(true)

    const covered = yield* makeStore
    const found = yield* play(Layer.provide(cipher(), covered.store), covered.dump)
    expect(found).not.toMatch(/zq[a-z]+qz|4711|Refused/)
    // Names, tags and statuses stay readable.
    for (const word of ["carries", "nightly", "readable", "failed", "enc1.k1."]) expect(found).toContain(word)
    // The engine's own log tells nothing either: only what the handler logs itself is there.
    const logged = JSON.stringify(lines)
    expect(logged).toContain("taskflow: ")
    expect(logged).not.toMatch(/zq(payload|result|error|message|stack|progress|key|spec|definition)qz/)
  }).pipe(Effect.provide(layer))
}

for (const database of databases) {
  describe.skipIf(!database.present)(`a cipher over ${database.name}`, () => {
    it.scopedLive(
      "leaves nothing readable in the store",
      () => inTurn(Effect.map(database.place, (place) => inEveryTable(database, place))),
      60_000
    )
  })
}

const Booked = Task.make("booked", {
  payload: { secret: Schema.String },
  success: Schema.String,
  timeout: "10 seconds",
  concurrency: 1,
  transactional: true
})

describe("a cipher over the application's own client", () => {
  it.scopedLive("covers what is enqueued and what ends in its transactions", () =>
    Effect.gen(function*() {
      const { open, place: makePlace, prefix } = databases[0]!
      const place = yield* makePlace
      const client = Layer.scoped(SqlClient.SqlClient, open(place)).pipe(Layer.provide(Reactivity.layer))
      const main = Booked.toLayer(({ secret }) => Effect.succeed(`zqresultqz of ${secret}`)).pipe(
        Layer.provideMerge(TaskflowLayer({ announce: false })),
        Layer.provide(cipher()),
        Layer.provide(SqlBackend.layer({ prefix: prefix(place) })),
        Layer.provideMerge(client)
      )
      yield* Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const enqueue = Booked.enqueue({ secret: "zqpayloadqz" }, { idempotencyKey: "zqkeyqz" })
        const { taskId } = yield* sql.withTransaction(enqueue)
        expect(yield* Booked.awaitResult(taskId)).toBe("zqresultqz of zqpayloadqz")
        expect(yield* sql.withTransaction(enqueue)).toEqual({ _tag: "Deduplicated", taskId })
        expect((yield* TaskManager).joinsTransactions).toBe(true)
        const tables = yield* inEveryTable(databases[0]!, place).dump
        expect(tables).not.toMatch(/zq[a-z]+qz/)
        expect(tables).toContain("enc1.k1.")
      }).pipe(Effect.provide(main))
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger))), 60_000)
})

describe.skipIf(!await hasRedis())("a cipher over Redis", () => {
  it.scopedLive("leaves nothing readable in the store", () => inTurn(Effect.map(redisPrefix, inRedis)), 60_000)
})
