/** What was accepted stays: through answers that are lost, connections that break, locks of others, and rows that do not fit. */
import { monitorEventLoopDelay } from "node:perf_hooks"
import type { SqlClient } from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import { describe, expect } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Option } from "effect"
import { type TaskBackend, TaskBackendError, TaskEvent, TaskRecord } from "effect-taskflow"
import { atOnce } from "../support/processes.js"
import {
  backendOn,
  batchOf,
  claimOf,
  databases,
  facts,
  instance,
  killer,
  now,
  rowsOf,
  type Sent,
  task,
  watched
} from "../support/sql.js"
import { testOn } from "../support/testOn.js"

const lost = new SqlError({ message: "lost", cause: new Error("the answer was lost") })

/** A client that does `what` with the next statement that `on` matches, once it is armed. */
const disturbed = (client: SqlClient, on: RegExp, what: (sent: Sent) => Effect.Effect<any, SqlError>) => {
  const state = { armed: false }
  const via = (sent: Sent) => {
    if (!state.armed || !on.test(sent.text)) return sent.run
    state.armed = false
    return what(sent)
  }
  const arm = Effect.sync(() => {
    state.armed = true
  })
  return { client: watched(client, via), arm }
}

const attached = (client: SqlClient, place: { readonly prefix: string }) =>
  Effect.tap(backendOn(client, place), (backend) => backend.attach(facts(), now))

const finishOf = (number: number, record: TaskRecord.TaskRecord): Parameters<TaskBackend["Type"]["write"]>[0] => {
  const { claim, taskId } = record
  const attempt = {
    claim,
    attempt: 1,
    instance,
    startedAt: now,
    endedAt: now,
    outcome: "success" as const,
    failure: null
  }
  const ended = Option.getOrThrow(TaskRecord.apply(record, { _tag: "Succeeded", taskId, at: now, result: null }))
  const change = { _tag: "Finish", record: ended, owner: instance, claim, attempt } as const
  return { instance, lane: "journal", number, now, changes: [change] }
}

const applied = (count: number) => Array.from({ length: count }, () => ({ _tag: "Applied" }))

const failure = <A, E>(exit: Exit.Exit<A, E>) => Exit.isFailure(exit) ? Cause.squash(exit.cause) : null

for (const database of databases) {
  const test = testOn(database)
  const { kind, name } = database

  describe.skipIf(!database.present)(`a COMMIT that is not answered on ${name}`, () => {
    // Whether the server did it is what nobody can know.
    const ways = { "and happened": true, "and did not happen": false }
    for (const [way, happens] of Object.entries(ways)) {
      test(`${way}: the same batch again is written once and answers what it answered first`, (place) =>
        Effect.gen(function*() {
          const plain = yield* place.open
          const { arm, client } = disturbed(
            plain,
            // PostgreSQL commits a plain batch with its one statement.
            /^(COMMIT|WITH me)/,
            ({ run }) => happens ? Effect.zipRight(run, lost) : lost
          )
          const backend = yield* attached(client, place)
          const twice = (batch: Parameters<typeof backend.write>[0]) =>
            Effect.gen(function*() {
              yield* arm
              const error = failure(yield* Effect.exit(backend.write(batch)))
              expect(error).toBeInstanceOf(TaskBackendError)
              expect((error as TaskBackendError).cause).toMatchObject({ permanent: false })
              return yield* backend.write(batch)
            })
          expect(yield* twice(batchOf(1, [task(), task()]))).toEqual(applied(2))
          const first = task({ idempotencyKey: "k" })
          const second = task({ idempotencyKey: "k" })
          const outcomes = [{ _tag: "Applied" }, { _tag: "Duplicate", taskId: first.taskId }]
          expect(yield* twice(batchOf(2, [first, second]))).toEqual(outcomes)
          expect(yield* rowsOf(plain, place.tables.live.name)).toBe(3)
          const { started } = yield* claimOf(backend, 1)
          expect(yield* twice(finishOf(3, started[0]!))).toEqual(applied(1))
          expect(yield* rowsOf(plain, place.tables.done.name)).toBe(1)
          expect((yield* backend.stats({})).counts).toMatchObject({ success: 1, pending: 2, running: 0 })
        }))
    }
  })

  describe.skipIf(!database.present)(`an instance that was declared dead on ${name}`, () => {
    const moments: Record<string, RegExp> = {
      // A transaction that has begun holds the lock that declaring anybody dead needs.
      sqlite: { "was to begin": /^BEGIN/ },
      postgres: { "was to begin": /^(BEGIN|WITH me)/, "had begun": /^(INSERT|SELECT|WITH)/ },
      // Its writer's transactions begin with their first statement.
      mysql: { "was to begin": /^(INSERT|SELECT|WITH)/ }
    }[kind]
    for (const [moment, on] of Object.entries(moments)) {
      test(`while its batch ${moment} writes nothing`, (place) =>
        Effect.gen(function*() {
          const plain = yield* place.open
          for (const record of [task(), task({ idempotencyKey: "k" })]) {
            const me = TaskEvent.InstanceId.make(crypto.randomUUID())
            const reached = yield* Deferred.make<void>()
            const open = yield* Deferred.make<void>()
            const { arm, client } = disturbed(
              plain,
              on,
              ({ run }) =>
                Deferred.succeed(reached, undefined).pipe(Effect.zipRight(Deferred.await(open)), Effect.zipRight(run))
            )
            const backend = yield* backendOn(client, place)
            yield* backend.attach(facts(me), now)
            const other = yield* Effect.flatMap(place.open, (client) => backendOn(client, place))
            yield* arm
            const writing = yield* Effect.fork(Effect.exit(backend.write({ ...batchOf(1, [record]), instance: me })))
            yield* Deferred.await(reached)
            yield* other.reap({ suspect: me, beat: 0, now, limit: 10 })
            yield* Deferred.succeed(open, undefined)
            expect(failure(yield* Fiber.join(writing))).toMatchObject({ _tag: "InstanceFenced" })
            expect(yield* other.get(record.taskId)).toEqual(Option.none())
          }
          for (const table of [place.tables.live, place.tables.batches, place.tables.keys]) {
            expect(yield* rowsOf(plain, table.name)).toBe(0)
          }
        }))
    }
  })

  describe.skipIf(!database.present)(`what can never be written on ${name}`, () => {
    const tooLate = { runAt: 1e300 }
    const bad: Record<typeof kind, Record<string, Parameters<typeof task>[0]>> = {
      // SQLite takes numbers of any size for what they are, but no column without a value.
      sqlite: { "a priority that is no number": { priority: Number.NaN } },
      postgres: { "a time beyond all numbers": tooLate, "a priority beyond an integer": { priority: 2 ** 31 } },
      mysql: {
        "a time beyond all numbers": tooLate,
        "a priority beyond an integer": { priority: 2 ** 31 },
        "more than a packet": { payload: JSON.stringify("x".repeat(17_000_000)) }
      }
    }
    for (const [what, row] of Object.entries(bad[kind])) {
      test(`fails its batch for good and leaves nothing of it: ${what}`, (place) =>
        Effect.gen(function*() {
          const client = yield* place.open
          const backend = yield* attached(client, place)
          for (const rest of [{}, { idempotencyKey: "k" }]) {
            const batch = batchOf(1, [task(rest), task(row), task()])
            const error = failure(yield* Effect.exit(backend.write(batch)))
            expect(error).toBeInstanceOf(TaskBackendError)
            expect((error as TaskBackendError).cause).toMatchObject({ permanent: true })
            for (const table of [place.tables.live, place.tables.batches, place.tables.keys]) {
              expect(yield* rowsOf(client, table.name)).toBe(0)
            }
          }
          expect(yield* backend.write(batchOf(1, [task({ idempotencyKey: "k" })]))).toEqual(applied(1))
        }))
    }
  })

  if (kind !== "sqlite") {
    describe.skipIf(!database.present)(`connections that ${name} ends`, () => {
      test("are replaced, and nothing is lost", (place) =>
        Effect.gen(function*() {
          const plain = yield* place.open
          const { client, kill } = killer(plain, yield* place.open)
          const backend = yield* attached(client, place)
          const again = Effect.retry({ times: 3 })
          const mine = Array.from({ length: 10 }, () => task())
          yield* backend.write(batchOf(1, mine.slice(0, 5)))
          yield* kill
          expect(yield* again(backend.write(batchOf(2, mine.slice(5))))).toEqual(applied(5))
          yield* kill
          expect((yield* again(backend.heartbeat(instance, now))).alive).toBe(true)
          yield* kill
          expect((yield* again(backend.list({}))).items.length).toBe(10)
          yield* kill
          const { started } = yield* again(claimOf(backend))
          expect(started.map(({ taskId }) => taskId)).toEqual(mine.map(({ taskId }) => taskId))
        }))

      test("or that readers stop waiting for are not lost to the others", (place) =>
        Effect.gen(function*() {
          const backend = yield* Effect.flatMap(place.open, (client) => attached(client, place))
          const { taskId } = task()
          for (let round = 0; round < 3; round += 1) {
            const readers = yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.fork(backend.get(taskId)))
            yield* Effect.yieldNow()
            yield* Fiber.interruptAll(readers)
          }
          expect(yield* backend.get(taskId)).toEqual(Option.none())
        }))

      test("in the middle of a write leave it to be written again, once", (place) =>
        Effect.gen(function*() {
          const other = yield* place.open
          const { client: killing, kill } = killer(yield* place.open, other)
          const { arm, client } = disturbed(killing, /^COMMIT/, ({ run }) => Effect.zipRight(kill, run))
          const backend = yield* attached(client, place)
          const batch = batchOf(1, [task(), task({ idempotencyKey: "k" })])
          yield* arm
          expect(failure(yield* Effect.exit(backend.write(batch)))).toBeInstanceOf(TaskBackendError)
          expect(yield* rowsOf(other, place.tables.live.name)).toBe(0)
          expect(yield* Effect.retry(backend.write(batch), { times: 3 })).toEqual(applied(2))
          expect(yield* rowsOf(other, place.tables.live.name)).toBe(2)
        }))
    })
  }

  if (kind === "postgres") {
    describe.skipIf(!database.present)(`the engine's connections to ${name}`, () => {
      test("neither wait for long nor hold locks for long", (place) =>
        Effect.gen(function*() {
          const asked: Array<unknown> = []
          const { arm, client } = disturbed(
            yield* place.open,
            /^(UPDATE|INSERT|WITH me)/,
            ({ connection, run }) =>
              Effect.gen(function*() {
                const all = "SELECT current_setting('lock_timeout') AS locks, " +
                  "current_setting('idle_in_transaction_session_timeout') AS idle, " +
                  "current_setting('tcp_keepalives_idle') AS alive"
                asked.push(...yield* connection.execute(all, [], undefined))
                return yield* run
              })
          )
          const backend = yield* attached(client, place)
          yield* arm
          yield* backend.write(batchOf(1, [task()]))
          yield* arm
          yield* backend.heartbeat(instance, now)
          expect(asked).toEqual(asked.map(() => ({ locks: "2s", idle: "5s", alive: "10" })))
          expect(asked.length).toBe(2)
        }))
    })
  }

  if (kind === "sqlite") {
    describe("somebody else's lock on SQLite", () => {
      test("is waited for without holding up the process", (place) =>
        Effect.gen(function*() {
          const client = yield* place.open
          const backend = yield* attached(client, place)
          const other = yield* place.open
          const delay = monitorEventLoopDelay({ resolution: 5 })
          yield* other.unsafe("BEGIN IMMEDIATE")
          delay.enable()
          const work = yield* Effect.fork(Effect.all([
            backend.write(batchOf(1, [task()])),
            backend.heartbeat(instance, now),
            backend.cancel(task().taskId, now),
            backend.maintain(now)
          ], { concurrency: "unbounded" }))
          yield* Effect.sleep(300)
          expect(Option.isNone(yield* Fiber.poll(work))).toBe(true)
          yield* other.unsafe("COMMIT")
          const [outcomes, { alive }] = yield* Fiber.join(work)
          delay.disable()
          expect(outcomes).toEqual(applied(1))
          expect(alive).toBe(true)
          // A driver that waits by itself stops the process for five seconds.
          expect(delay.max / 1e6).toBeLessThan(2_500)
        }))

      test("is shared by two processes that write for two seconds and lose nothing", (place) =>
        Effect.gen(function*() {
          const ended = yield* atOnce([1, 2].map(() => [name, place.place, "write", crypto.randomUUID()]))
          expect(ended.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
            [1, 2].map(() => ({ code: 0, stderr: "" }))
          )
          const counts = ended.map(({ stdout }) => Number(stdout))
          expect(Math.min(...counts)).toBeGreaterThan(0)
          const client = yield* place.open
          expect(yield* rowsOf(client, place.tables.live.name)).toBe(counts[0]! + counts[1]!)
        }))
    })
  }
}
