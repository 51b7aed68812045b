/** Rows that somebody has locked in an open transaction hold up nobody else. */
import type { SqlClient } from "@effect/sql/SqlClient"
import { describe, expect } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option } from "effect"
import { TaskEvent, TaskRecord } from "effect-taskflow"
import { InstanceFenced, TaskBackendError } from "../../src/TaskError.js"
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
  watched,
  withoutWaiting
} from "../support/sql.js"
import { type Place, testInTurn, testOn } from "../support/testOn.js"

const opened = (place: Place) =>
  Effect.gen(function*() {
    const client = yield* place.open
    const backend = yield* backendOn(patient(client), place)
    yield* backend.attach(facts(), now)
    return { backend, client }
  })

for (const database of databases) {
  const test = testInTurn(database)
  const { kind, name } = database

  describe.skipIf(!database.present)(`locked rows on ${name}`, () => {
    if (kind !== "sqlite") {
      test("are left by taking over from the dead, and taken later", (place) =>
        Effect.gen(function*() {
          const { backend, client } = yield* opened(place)
          const records = Array.from({ length: 5 }, () => task({ requeueOnInterrupt: true }))
          yield* backend.write(batchOf(1, records))
          yield* claimOf(backend)
          const reap = backend.reap({ suspect: instance, beat: 0, now, limit: 500 })
          yield* client.withTransaction(Effect.gen(function*() {
            yield* client.unsafe(
              `SELECT id FROM ${place.tables.live.name} WHERE id = '${records[2]!.taskId}' FOR UPDATE`
            )
            const some = yield* Effect.timeout(reap, withoutWaiting)
            expect(some.records.length).toBe(4)
            expect(some.left).toBe(true)
          }))
          const rest = yield* reap
          expect(rest.records.map(({ taskId }) => taskId)).toEqual([records[2]!.taskId])
          expect(rest.left).toBe(false)
        }))

      test("that somebody holds make a cancel fail once it has waited, without another wait", (place) =>
        Effect.gen(function*() {
          const other = yield* place.open
          let asked = 0
          const client = watched(yield* place.open, ({ run, text }) => {
            if (text.includes("WHERE id = ") && text.includes("FOR UPDATE") && !text.includes("SKIP")) asked += 1
            return run
          })
          const backend = yield* backendOn(client, place)
          yield* backend.attach(facts(), now)
          const waiting = task()
          yield* backend.write(batchOf(1, [waiting]))
          yield* other.withTransaction(Effect.gen(function*() {
            yield* other.unsafe(`SELECT id FROM ${place.tables.live.name} WHERE id = '${waiting.taskId}' FOR UPDATE`)
            expect(yield* Effect.flip(backend.cancel(waiting.taskId, now))).toBeInstanceOf(TaskBackendError)
            expect(asked).toBe(1)
          }))
          expect((yield* backend.cancel(waiting.taskId, now))._tag).toBe("Cancelled")
        }))

      // InnoDB locks entries of indexes one by one: who came by the due time has the row, who came by the id has that entry.
      if (kind === "mysql") {
        test("of what becomes due at that moment do not make a cancel fail", (place) =>
          Effect.gen(function*() {
            const { backend, client } = yield* opened(place)
            const live = place.tables.live.name
            const delayed = task({ runAt: now + 1_000 })
            yield* backend.write(batchOf(1, [delayed]))
            // Somebody waits for a lock; by all that runs here it is the cancel.
            const waits = client.unsafe<{ readonly trx_id: string }>(
              "SELECT trx_id FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'"
            )
            const cancelling = yield* client.withTransaction(Effect.gen(function*() {
              yield* client.unsafe(
                `SELECT id FROM ${live} WHERE ready IS NULL AND owner IS NULL AND due_at <= ${
                  now + 2_000
                } ORDER BY due_at ` +
                  "LIMIT 500 FOR UPDATE SKIP LOCKED"
              )
              const fiber = yield* Effect.fork(backend.cancel(delayed.taskId, now))
              yield* Effect.repeat(Effect.delay(waits, "20 millis"), { until: (rows) => rows.length > 0 })
              yield* client.unsafe(
                `UPDATE ${live} FORCE INDEX (id) SET ready = 1, due_at = NULL WHERE id = '${delayed.taskId}'`
              )
              return fiber
            }))
            expect((yield* Fiber.join(cancelling))._tag).toBe("Cancelled")
          }))
      }

      // The writes of this one, each of which waits at its COMMIT when it is told to.
      const halting = (place: Place) =>
        Effect.gen(function*() {
          const reached = yield* Deferred.make<void>()
          const go = yield* Deferred.make<void>()
          const at = { armed: false }
          const client = watched(patient(yield* place.open), ({ run, text }) =>
            at.armed && text.startsWith("COMMIT")
              ? Deferred.succeed(reached, undefined).pipe(Effect.zipRight(Deferred.await(go)), Effect.zipRight(run))
              : run)
          const backend = yield* backendOn(client, place)
          return { arm: Effect.sync(() => at.armed = true), backend, go: Deferred.succeed(go, undefined), reached }
        })
      const stateOf = (client: SqlClient, { tables }: Place) =>
        Effect.map(
          client.unsafe<{ state: string; beat: number | string }>(`SELECT state, beat FROM ${tables.instances.name}`),
          (rows) => rows.map(({ beat, state }) => [state, Number(beat)])
        )

      test("of a batch under way hold up no heartbeat, and nobody declares its instance dead", (place) =>
        Effect.gen(function*() {
          const writer = yield* halting(place)
          const { backend, client } = yield* opened(place)
          yield* writer.arm
          // With a key it takes more than one statement everywhere.
          const mine = task({ idempotencyKey: "k" })
          const writing = yield* Effect.fork(writer.backend.write(batchOf(1, [mine])))
          yield* Deferred.await(writer.reached)
          const beats = Effect.all([backend.heartbeat(instance, now), backend.heartbeat(instance, now)])
          const [, { alive }] = yield* Effect.timeout(beats, withoutWaiting)
          expect(alive).toBe(true)
          const reap = backend.reap({ suspect: instance, beat: 2, now, limit: 500 })
          expect(yield* Effect.timeout(reap, withoutWaiting)).toEqual({ records: [], left: false })
          expect(yield* stateOf(client, place)).toEqual([["live", 2]])
          yield* writer.go
          expect(yield* writing).toEqual([{ _tag: "Applied" }])
          yield* reap
          expect(yield* stateOf(client, place)).toEqual([["gone", 2]])
          expect((yield* backend.heartbeat(instance, now)).alive).toBe(false)
        }))

      for (const [how, key] of [["in one statement", null], ["in several", "k"]] as const) {
        test(`of who declares an instance dead make its batch wait, ${how}: it is not written`, (place) =>
          Effect.gen(function*() {
            const reaper = yield* halting(place)
            const { backend, client } = yield* opened(place)
            yield* backend.write(batchOf(1, [task()]))
            yield* claimOf(backend)
            yield* reaper.arm
            const reaping = yield* Effect.fork(reaper.backend.reap({ suspect: instance, beat: 0, now, limit: 500 }))
            yield* Deferred.await(reaper.reached)
            const late = task({ idempotencyKey: key })
            const writing = yield* Effect.fork(Effect.exit(backend.write(batchOf(2, [late]))))
            // It waits: as far as it gets without the lock, it is there now.
            expect(Option.isNone(yield* Effect.timeoutOption(Fiber.join(writing), "300 millis"))).toBe(true)
            yield* reaper.go
            expect((yield* reaping).records.length).toBe(1)
            expect(yield* Fiber.join(writing)).toEqual(Exit.fail(new InstanceFenced({ instance })))
            expect(yield* backend.get(late.taskId)).toEqual(Option.none())
            expect(yield* stateOf(client, place)).toEqual([["gone", 0]])
          }))
      }

      test("of a claim under way make its instance wait that leaves: what it takes is given back", (place) =>
        Effect.gen(function*() {
          const claimer = yield* halting(place)
          const { backend, client } = yield* opened(place)
          const mine = task()
          yield* backend.write(batchOf(1, [mine]))
          yield* claimer.arm
          const claiming = yield* Effect.fork(claimOf(claimer.backend))
          yield* Deferred.await(claimer.reached)
          const leaving = yield* Effect.fork(backend.detach(instance, now))
          expect(Option.isNone(yield* Effect.timeoutOption(Fiber.join(leaving), "300 millis"))).toBe(true)
          yield* claimer.go
          expect((yield* Fiber.join(claiming)).started.length).toBe(1)
          yield* Fiber.join(leaving)
          expect(yield* stateOf(client, place)).toEqual([["dead", 0]])
          const { records } = yield* backend.reap({ suspect: instance, beat: 0, now, limit: 500 })
          expect(records.map(({ taskId }) => taskId)).toEqual([mine.taskId])
        }))

      test("of a claim under way do not hold up an insert", (place) =>
        Effect.gen(function*() {
          const { backend } = yield* opened(place)
          yield* backend.write(batchOf(1, [task(), task(), task()]))
          const reached = yield* Deferred.make<void>()
          const go = yield* Deferred.make<void>()
          const other = TaskEvent.InstanceId.make(crypto.randomUUID())
          let armed = false
          const slow = watched(yield* place.open, ({ run, text }) =>
            armed && text.startsWith("COMMIT")
              ? Deferred.succeed(reached, undefined).pipe(Effect.zipRight(Deferred.await(go)), Effect.zipRight(run))
              : run)
          const second = yield* backendOn(slow, place)
          yield* second.attach(facts(other), now)
          armed = true
          const claiming = yield* Effect.fork(second.claim({
            instance: other,
            tasks: [{ name: "send_email", version: 1, slots: 2, window: 0 }],
            slots: 2,
            window: 0,
            stealAfter: null,
            now
          }))
          yield* Deferred.await(reached)
          const written = yield* Effect.timeout(
            backend.write(batchOf(2, [task(), task({ priority: 9 })])),
            withoutWaiting
          )
          expect(written).toEqual([{ _tag: "Applied" }, { _tag: "Applied" }])
          yield* Deferred.succeed(go, undefined)
          expect((yield* claiming).started.length).toBe(2)
          expect((yield* claimOf(backend)).started.length).toBe(3)
        }))
    }

    test("of counts are never in the way of four instances that end tasks at once", (place) =>
      Effect.gen(function*() {
        const ends = yield* Effect.forEach([1, 2, 3, 4], () =>
          Effect.gen(function*() {
            const me = TaskEvent.InstanceId.make(crypto.randomUUID())
            const backend = yield* Effect.flatMap(place.open, (client) => backendOn(client, place))
            yield* backend.attach(facts(me), now)
            return Effect.forEach(Array.from({ length: 10 }, (_, round) => round), (round) => {
              const names = round % 2 === 0 ? ["a", "b", "c"] : ["c", "b", "a"]
              const changes = names.flatMap((taskName) => {
                const record: TaskRecord.TaskRecord = {
                  ...task({ taskName }),
                  status: "running",
                  owner: me,
                  instance: me,
                  claim: 1,
                  attempts: 1,
                  startedAt: now,
                  attemptStartedAt: now
                }
                const { taskId } = record
                const ended = Option.getOrThrow(
                  TaskRecord.apply(record, { _tag: "Succeeded", taskId, at: now + 5, result: null })
                )
                const attempt = {
                  claim: 1,
                  attempt: 1,
                  instance: me,
                  startedAt: now,
                  endedAt: now + 5,
                  outcome: "success",
                  failure: null
                } as const
                return [
                  { _tag: "Insert", record } as const,
                  { _tag: "Finish", record: ended, owner: me, claim: 1, attempt } as const
                ]
              })
              return backend.write({ instance: me, lane: "journal", number: round + 1, now, changes })
            })
          }), { concurrency: "unbounded" })
        yield* Effect.all(ends, { concurrency: "unbounded" })
        const { backend } = yield* opened(place)
        const { counts, durations } = yield* backend.stats({})
        expect(counts.success).toBe(120)
        expect(durations.count).toBe(120)
      }))
  })
}

const onMysql = databases.find(({ kind }) => kind === "mysql")!
describe.skipIf(!onMysql.present)("the engine's connections to MySQL or MariaDB", () => {
  testOn(onMysql)("neither wait for long nor hold locks for long", (place) =>
    Effect.gen(function*() {
      const plain = yield* place.open
      const seen: Array<unknown> = []
      let armed = false
      const client = watched(plain, ({ connection, run, text }) =>
        armed && /^(UPDATE|INSERT)/.test(text)
          ? Effect.zipRight(
            Effect.map(
              connection.executeUnprepared("SHOW SESSION VARIABLES", [], undefined),
              (rows) => {
                const all = new Map(rows.map((row) => [row.Variable_name, row.Value]))
                seen.push([all.get("innodb_lock_wait_timeout"), all.get("idle_transaction_timeout") ?? "5"])
              }
            ),
            run
          )
          : run)
      const backend = yield* backendOn(client, place)
      yield* backend.attach(facts(), now)
      armed = true
      yield* backend.write(batchOf(1, [task()]))
      yield* backend.heartbeat(instance, now)
      expect(seen.length).toBeGreaterThan(1)
      // MySQL has no such limit for transactions.
      expect(seen).toEqual(seen.map(() => ["1", "5"]))
    }))
})
