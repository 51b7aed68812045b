/** What is true of SQL backends beyond the port: tasks in transactions of the application, and keys under locks of others. */
import type { Reactivity } from "@effect/experimental"
import type { SqlClient } from "@effect/sql/SqlClient"
import { describe, expect } from "@effect/vitest"
import { Cause, Effect, Exit, Option, type Scope } from "effect"
import type { TaskRecord } from "effect-taskflow"
import * as SqlBackend from "../../src/backend/SqlBackend.js"
import {
  claimOf,
  databases,
  facts,
  instance,
  now,
  type OpenClient,
  patient,
  successOf,
  task,
  withoutWaiting
} from "../support/sql.js"
import { testOn } from "../support/testOn.js"

for (const database of databases) {
  const { name, present } = database
  const backendOn = (client: SqlClient, prefix: string) =>
    Effect.tap(SqlBackend.make(client, { prefix }), (backend) => backend.attach(facts(), now))
  const test = (
    what: string,
    body: (parts: {
      readonly of: string
      readonly open: OpenClient
    }) => Effect.Effect<void, unknown, Scope.Scope | Reactivity.Reactivity>
  ) => testOn(database)(what, ({ open, prefix }) => body({ of: prefix, open }))

  describe.skipIf(!present)(`tasks in a transaction on ${name}`, () => {
    test("are there once it commits, unclaimed until then", ({ of, open }) =>
      Effect.gen(function*() {
        const client = yield* open
        const backend = yield* backendOn(client, of)
        const mine = task({ tags: { tenant: "t1" } })
        const outcomes = yield* client.withTransaction(backend.joinTransaction!([mine], now))
        expect(outcomes).toEqual([{ _tag: "Applied" }])
        expect(yield* backend.get(mine.taskId)).toEqual(Option.some(mine))
        const claimed = yield* claimOf(backend)
        expect(claimed.started.map(({ taskId }) => taskId)).toEqual([mine.taskId])
        expect(claimed.joined).toEqual([mine.taskId])
      }))

    test("never were when it rolls back, and their keys are free", ({ of, open }) =>
      Effect.gen(function*() {
        const client = yield* open
        const backend = yield* backendOn(client, of)
        const first = task({ idempotencyKey: "k" })
        yield* Effect.exit(client.withTransaction(
          Effect.zipRight(backend.joinTransaction!([first], now), Effect.fail("no"))
        ))
        expect(yield* backend.get(first.taskId)).toEqual(Option.none())
        const second = task({ idempotencyKey: "k" })
        expect(yield* client.withTransaction(backend.joinTransaction!([second], now))).toEqual([{ _tag: "Applied" }])
        const third = task({ idempotencyKey: "k" })
        expect(yield* client.withTransaction(backend.joinTransaction!([third], now))).toEqual([
          { _tag: "Duplicate", taskId: second.taskId }
        ])
      }))

    test("take over a key whose time is over", ({ of, open }) =>
      Effect.gen(function*() {
        const client = yield* open
        const backend = yield* backendOn(client, of)
        yield* client.withTransaction(backend.joinTransaction!([task({ idempotencyKey: "k", keyTtl: 10 })], now))
        const { started } = yield* claimOf(backend)
        yield* backend.write({
          instance,
          lane: "journal",
          number: 1,
          now,
          changes: [successOf(started[0]!)]
        })
        const again = (at: number) =>
          client.withTransaction(backend.joinTransaction!([task({ idempotencyKey: "k" })], at))
        expect((yield* again(now + 9))[0]?._tag).toBe("Duplicate")
        expect((yield* again(now + 10))[0]?._tag).toBe("Applied")
      }))

    test("of another client are refused, and nothing is written", ({ of, open }) =>
      Effect.gen(function*() {
        const client = yield* open
        const backend = yield* backendOn(client, of)
        const other = yield* open
        const mine = task()
        const exit = yield* Effect.exit(other.withTransaction(backend.joinTransaction!([mine], now)))
        expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ _tag: "TaskWrongTransaction" })
        expect(yield* backend.get(mine.taskId)).toEqual(Option.none())
      }))

    if (name !== "SQLite") {
      const inTwo = (of: string, open: OpenClient) =>
        Effect.gen(function*() {
          const client = yield* open
          const backend = yield* backendOn(client, of)
          const insert = (record: TaskRecord.TaskRecord) => backend.joinTransaction!([record], now)
          return { backend, client, insert }
        })

      test("that want the same key at once: the second gets the first one's id", ({ of, open }) =>
        Effect.gen(function*() {
          const { client, insert } = yield* inTwo(of, open)
          const [first, second] = [task({ idempotencyKey: "k" }), task({ idempotencyKey: "k" })]
          const inside = yield* Effect.makeLatch()
          const mayCommit = yield* Effect.makeLatch()
          const one = yield* Effect.fork(client.withTransaction(
            Effect.tap(insert(first), () => Effect.zipRight(inside.open, mayCommit.await))
          ))
          yield* inside.await
          const two = yield* Effect.fork(client.withTransaction(insert(second)))
          yield* Effect.sleep("200 millis")
          yield* mayCommit.open
          expect(yield* one).toEqual([{ _tag: "Applied" }])
          expect(yield* two).toEqual([{ _tag: "Duplicate", taskId: first.taskId }])
        }))

      test("see a key that was taken or freed since they began", ({ of, open }) =>
        Effect.gen(function*() {
          const { backend, client, insert } = yield* inTwo(of, open)
          const [held, other] = [task({ idempotencyKey: "held" }), task({ idempotencyKey: "taken" })]
          yield* client.withTransaction(insert(held))
          const begun = yield* Effect.makeLatch()
          const mayGoOn = yield* Effect.makeLatch()
          const transaction = yield* Effect.fork(client.withTransaction(Effect.gen(function*() {
            yield* client.unsafe("SELECT 1 FROM " + of + "meta")
            yield* begun.open
            yield* mayGoOn.await
            const freed = yield* insert(task({ idempotencyKey: "held" }))
            return [...freed, ...yield* insert(task({ idempotencyKey: "taken" }))]
          })))
          yield* begun.await
          yield* backend.cancel(held.taskId, now)
          yield* client.withTransaction(insert(other))
          yield* mayGoOn.open
          expect(yield* transaction).toEqual([{ _tag: "Applied" }, { _tag: "Duplicate", taskId: other.taskId }])
        }))

      test("that lock a key neither hold up retention nor make it forget the key", ({ of, open }) =>
        Effect.gen(function*() {
          const { backend, client, insert } = yield* inTwo(of, open)
          const done = task({ idempotencyKey: "k" })
          yield* client.withTransaction(insert(done))
          const { started } = yield* claimOf(backend)
          const finish = successOf(started[0]!)
          yield* backend.write({ instance, lane: "journal", number: 1, now, changes: [finish] })
          const unhurried = yield* SqlBackend.make(patient(client), { prefix: of })
          yield* client.withTransaction(Effect.gen(function*() {
            yield* client.unsafe(`SELECT hash FROM ${of}keys FOR UPDATE`)
            expect(yield* Effect.timeout(unhurried.deleteBefore(now + 1_000, 10), withoutWaiting)).toBe(0)
          }))
          expect(Option.isSome(yield* backend.get(done.taskId))).toBe(true)
          expect(yield* backend.deleteBefore(now + 1_000, 10)).toBe(1)
          expect(yield* backend.get(done.taskId)).toEqual(Option.none())
          expect(yield* client.withTransaction(insert(task({ idempotencyKey: "k" })))).toEqual([{ _tag: "Applied" }])
        }))

      test("that hold a key keep nobody else waiting", ({ of, open }) =>
        Effect.gen(function*() {
          const client = yield* open
          const backend = yield* backendOn(client, of)
          const inside = task({ idempotencyKey: "k" })
          yield* client.withTransaction(Effect.gen(function*() {
            yield* backend.joinTransaction!([inside], now)
            const others = [task(), task({ idempotencyKey: "k" }), task({ idempotencyKey: "other" })]
            const outcomes = yield* backend.write({
              instance,
              lane: "journal",
              number: 1,
              now,
              changes: others.map((record) => ({ _tag: "Insert", record }))
            })
            expect(outcomes).toEqual([{ _tag: "Applied" }, { _tag: "KeyBusy" }, { _tag: "Applied" }])
          }))
        }))
    }
  })
}
