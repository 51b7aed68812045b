/** A transaction of the application that meets a key, or has its row locked, keeps no writer of the engine waiting. */
import type { SqlClient } from "@effect/sql/SqlClient"
import { describe, expect } from "@effect/vitest"
import { Deferred, Effect, Option } from "effect"
import { type TaskBackend, TaskRecord } from "effect-taskflow"
import {
  backendOn,
  batchOf,
  claimOf,
  databases,
  facts,
  instance,
  now,
  patient,
  task,
  withoutWaiting
} from "../support/sql.js"
import { type Place, testInTurn } from "../support/testOn.js"

type Backend = TaskBackend["Type"]

const keyed = (keyTtl: number | null = null) => task({ idempotencyKey: "k", keyTtl })

const opened = (place: Place) =>
  Effect.gen(function*() {
    const client = yield* place.open
    const backend = yield* backendOn(patient(client), place)
    yield* backend.attach(facts(), now)
    return { backend, client }
  })

/** Has a transaction open in which `body` ran, while `meanwhile` runs. */
const beside = <A>(
  client: SqlClient,
  body: Effect.Effect<unknown, unknown>,
  meanwhile: Effect.Effect<A, unknown>
) =>
  Effect.gen(function*() {
    const inside = yield* Deferred.make<void>()
    const go = yield* Deferred.make<void>()
    const transaction = yield* Effect.fork(client.withTransaction(
      body.pipe(Effect.zipRight(Deferred.succeed(inside, undefined)), Effect.zipRight(Deferred.await(go)))
    ))
    yield* Effect.raceFirst(Deferred.await(inside), transaction)
    const answer = yield* Effect.either(meanwhile)
    yield* Deferred.succeed(go, undefined)
    yield* transaction
    return yield* answer
  })

const ended = (record: TaskRecord.TaskRecord, how: "Succeeded" | "Failed") =>
  Option.getOrThrow(TaskRecord.apply(
    record,
    how === "Succeeded" ? { _tag: how, taskId: record.taskId, at: now, result: null } : {
      _tag: how,
      taskId: record.taskId,
      at: now,
      stopReason: "retriesSpent",
      failure: { kind: "error", name: "E", message: "e", stack: "", error: null }
    }
  ))

const finish = (backend: Backend, number: number, record: TaskRecord.TaskRecord, how: "Succeeded" | "Failed") => {
  const { claim } = record
  const attempt = {
    claim,
    attempt: 1,
    instance,
    startedAt: now,
    endedAt: now,
    outcome: "failed",
    failure: null
  } as const
  const change = { _tag: "Finish", record: ended(record, how), owner: instance, claim, attempt } as const
  return backend.write({ instance, lane: "journal", number, now, changes: [change] })
}

/** Starts a task that holds the key. */
const started = (backend: Backend, keyTtl: number | null = null) =>
  Effect.gen(function*() {
    expect(yield* backend.write(batchOf(1, [keyed(keyTtl)]))).toEqual([{ _tag: "Applied" }])
    const [record] = (yield* claimOf(backend)).started
    return record!
  })

const writers: Record<string, (backend: Backend, record: TaskRecord.TaskRecord) => Effect.Effect<unknown, unknown>> = {
  "the end of its task": (backend, record) => finish(backend, 2, record, "Failed"),
  "taking over from the dead": (backend) => backend.reap({ suspect: instance, beat: 0, now, limit: 500 })
}

for (const database of databases.filter(({ kind }) => kind !== "sqlite")) {
  const test = testInTurn(database)

  describe.skipIf(!database.present)(`a key that a transaction met on ${database.name}`, () => {
    for (const [what, write] of Object.entries(writers)) {
      // The row is locked by the first only where nothing better can be done; by the second everywhere.
      const ways = {
        "enqueued it again": (backend: Backend) =>
          Effect.map(backend.joinTransaction!([keyed()], now), ([one]) => expect(one!._tag).toBe("Duplicate")),
        "locked its row": (_: Backend, client: SqlClient, keys: string) =>
          client.unsafe(`SELECT hash FROM ${keys} FOR UPDATE`)
      }
      for (const [way, lock] of Object.entries(ways)) {
        test(`${what} does not wait for who ${way}, and the key is free`, (place) =>
          Effect.gen(function*() {
            const { backend, client } = yield* opened(place)
            const record = yield* started(backend)
            yield* beside(
              client,
              lock(backend, client, place.tables.keys.name),
              Effect.timeout(write(backend, record), withoutWaiting)
            )
            yield* backend.attach(facts(other), now)
            const again = keyed()
            expect(yield* backend.write({ ...batchOf(9, [again]), instance: other })).toEqual([{ _tag: "Applied" }])
            const inside = yield* client.withTransaction(backend.joinTransaction!([keyed()], now))
            expect(inside).toEqual([{ _tag: "Duplicate", taskId: again.taskId }])
          }))
      }
    }

    test("a cancel does not wait for who locked its row, and a transaction takes the key over", (place) =>
      Effect.gen(function*() {
        const { backend, client } = yield* opened(place)
        const first = keyed()
        yield* backend.write(batchOf(1, [first]))
        const lock = client.unsafe(`SELECT hash FROM ${place.tables.keys.name} FOR UPDATE`)
        yield* beside(client, lock, Effect.timeout(backend.cancel(first.taskId, now), withoutWaiting))
        const again = keyed()
        expect(yield* client.withTransaction(backend.joinTransaction!([again], now))).toEqual([{ _tag: "Applied" }])
        expect(yield* backend.write(batchOf(2, [keyed()]))).toEqual([{ _tag: "Duplicate", taskId: again.taskId }])
      }))

    test("a success holds it as long as it says, though its row was locked", (place) =>
      Effect.gen(function*() {
        const { backend, client } = yield* opened(place)
        const record = yield* started(backend, 1_000)
        const lock = client.unsafe(`SELECT hash FROM ${place.tables.keys.name} FOR UPDATE`)
        yield* beside(client, lock, Effect.timeout(finish(backend, 2, record, "Succeeded"), withoutWaiting))
        const later = { ...batchOf(3, [keyed()]), now: now + 999 }
        expect(yield* backend.write(later)).toEqual([{ _tag: "Duplicate", taskId: record.taskId }])
        expect(yield* backend.write({ ...batchOf(4, [keyed()]), now: now + 1_000 })).toEqual([{ _tag: "Applied" }])
      }))

    test("others are still told who holds it", (place) =>
      Effect.gen(function*() {
        const { backend, client } = yield* opened(place)
        const record = yield* started(backend)
        const inside = backend.joinTransaction!([keyed(), task({ idempotencyKey: "mine" })], now)
        // PostgreSQL makes them ask again instead.
        const told = database.kind === "mysql" ? { _tag: "Duplicate", taskId: record.taskId } : { _tag: "KeyBusy" }
        expect(yield* beside(client, inside, backend.write(batchOf(2, [keyed()])))).toEqual([told])
      }))

    test("is no concern of another application's tables in the same database", (place) =>
      Effect.gen(function*() {
        const { backend, client } = yield* opened(place)
        const { backend: theirs } = yield* opened({ ...place, prefix: database.prefix(yield* database.place) })
        const inside = backend.joinTransaction!([keyed()], now)
        expect(yield* beside(client, inside, theirs.write(batchOf(1, [keyed()])))).toEqual([{ _tag: "Applied" }])
      }))
  })
}

const other = "00000000-0000-4000-8000-000000000002" as typeof instance // safe: a uuid
