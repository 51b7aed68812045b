/** How the tables come to be: at once from several processes, never twice, from an older version with what is in it. */
import { createHash } from "node:crypto"
import { describe, expect } from "@effect/vitest"
import { Cause, Effect, Exit, Option } from "effect"
import { TaskEvent, TaskflowWiringError, TaskRecord, TaskStatus } from "effect-taskflow"
import { dedicated, shared } from "../../src/backend/sql/connections.js"
import type { Value } from "../../src/backend/sql/dialect.js"
import { doneRow } from "../../src/backend/sql/doneRows.js"
import * as Migrations from "../../src/backend/sql/migrations.js"
import { mysqlDialect } from "../../src/backend/sql/mysqlDialect.js"
import { postgresDialect } from "../../src/backend/sql/postgresDialect.js"
import { liveRow, liveValues } from "../../src/backend/sql/rows.js"
import { asOf, type Table, withPrefix } from "../../src/backend/sql/schema.js"
import { sqliteDialect } from "../../src/backend/sql/sqliteDialect.js"
import * as SqlBackend from "../../src/backend/SqlBackend.js"
import { atOnce } from "../support/processes.js"
import { backendOn, batchOf, claimOf, databases, facts, instance, now, rowsOf, task } from "../support/sql.js"
import { testOn } from "../support/testOn.js"

const dialects = { sqlite: sqliteDialect, postgres: postgresDialect, mysql: mysqlDialect }
const four = [1, 2, 3, 4]

/** Of the names and statements of each version, as they were when it was the latest. */
const frozenSteps = {
  sqlite: [
    "paMcrb62qrXrXK5eEg1ElxEQQrP7Z0Lj8JoKGZ3Jd1A",
    "b6MhvN3x_aexZXnDQV1pTOtxEbqbRxiquFX917Xa0vI",
    "eytTWQuXjbMCvaNbofsvctkuos2rkl4iV2W23ILTv98"
  ],
  postgres: [
    "-ol-jPQaLluc0BEFzvWE2-YedZjbD6ZXkMRJYLm0tsY",
    "STZe-jPTAyPDjPSd-B7M5YbwE9LOZD4tUaZ7Fxd93q0",
    "eSYD8oiS9uQhhTgspqBdSnmbKZ3K0KRz9aiJBkUKQPE"
  ],
  mysql: [
    "nX3V1Dx06R_ROR4IMYygqRW0JyvSnFMy_54fsyKXFqw",
    "K64tL4qJu-akKI1wKJcqk3fmDus9Ah0eUg6RAKKGWfQ",
    "2x_rrH-z92D_3w63Flnm7uqP2tZdAL7dMOYOVtsjmuk"
  ]
}

const indexesOf = {
  sqlite: "SELECT name FROM pragma_index_list(?)",
  postgres: "SELECT indexname AS name FROM pg_indexes WHERE tablename = ?",
  mysql:
    "SELECT DISTINCT index_name AS name FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ?"
}

const after = (record: TaskRecord.TaskRecord, event: TaskEvent.TaskEvent) =>
  Option.getOrThrow(TaskRecord.apply(record, event))

const failure = { kind: "error", name: "Bounced", message: "box 17 is full", stack: "", error: null } as const

const failedOf = (record: TaskRecord.TaskRecord) => {
  const { claim, taskId } = record
  const attempt = { claim, attempt: 1, instance, startedAt: now, endedAt: now, outcome: "failed", failure } as const
  return {
    _tag: "Finish",
    record: after(record, { _tag: "Failed", taskId, at: now, failure, stopReason: "retriesSpent" }),
    owner: instance,
    claim,
    attempt
  } as const
}

/** Tasks in every status, as an instance of an earlier version left them. */
const pastOf = () => {
  const other = TaskEvent.InstanceId.make("00000000-0000-4000-8000-000000000009")
  const running = (more: Parameters<typeof task>[0] = {}) => {
    const one = task(more)
    return after(one, { _tag: "Started", taskId: one.taskId, at: now, instance: other, claim: 1 })
  }
  const end = (event: (taskId: TaskRecord.TaskRecord["taskId"]) => TaskEvent.TaskEvent, more = {}) => {
    const one = running(more)
    return after(one, event(one.taskId))
  }
  const ready = [task({ priority: 3 }), task(), task({ tags: { a: "b" } })]
  const retrying = end((taskId) => ({ _tag: "AttemptFailed", taskId, at: now, failure, nextAttemptAt: now + 500 }))
  const ended = [
    end((taskId) => ({ _tag: "Succeeded", taskId, at: now, result: "1" })),
    end((taskId) => ({ _tag: "Failed", taskId, at: now, failure, stopReason: "retriesSpent" })),
    end((taskId) => ({ _tag: "Interrupted", taskId, at: now, stopReason: "shutdown" })),
    end((taskId) => ({ _tag: "Cancelled", taskId, at: now }))
  ]
  return { ready, unfinished: [...ready, running(), retrying, task({ runAt: now + 1_000 })], ended }
}

for (const database of databases) {
  const test = testOn(database)
  const { kind, name } = database

  describe.skipIf(!database.present)(`the tables on ${name}`, () => {
    for (const round of four) {
      test(`are made once by four that start at once, round ${round}`, ({ open, prefix }) =>
        Effect.gen(function*() {
          const clients = yield* Effect.all(four.map(() => open), { concurrency: "unbounded" })
          yield* Effect.forEach(clients, (client) => backendOn(client, { prefix }), { concurrency: "unbounded" })
          expect(yield* rowsOf(clients[0]!, `${prefix}meta`)).toBe(1)
        }))
    }

    test("are made once by four processes that start at once", ({ open, place, prefix }) =>
      Effect.gen(function*() {
        const ended = yield* atOnce(four.map(() => [name, place, "boot"]))
        expect(ended).toEqual(four.map(() => ({ code: 0, stdout: "", stderr: "" })))
        expect(yield* rowsOf(yield* open, `${prefix}meta`)).toBe(1)
      }))

    test("stay as they are at a second start", ({ open, prefix }) =>
      Effect.gen(function*() {
        const client = yield* open
        const once = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.scoped(self)
        const mine = task()
        yield* once(Effect.gen(function*() {
          const backend = yield* backendOn(client, { prefix })
          yield* backend.attach(facts(), now)
          yield* backend.write(batchOf(1, [mine]))
        }))
        const state = Effect.all([
          client.unsafe(`SELECT * FROM ${prefix}migrations ORDER BY migration_id`),
          client.unsafe(`SELECT * FROM ${prefix}meta`)
        ])
        const before = yield* state
        const found = yield* once(Effect.flatMap(backendOn(client, { prefix }), (again) => again.get(mine.taskId)))
        expect(yield* state).toEqual(before)
        expect(found).toEqual(Option.some(mine))
      }))

    for (const from of [1, 2, 3]) {
      test(`are brought up from version ${from} with the rows that are there`, ({ open, prefix, tables }) =>
        Effect.gen(function*() {
          const client = yield* open
          const dialect = dialects[kind]
          const past = pastOf()
          const older = Migrations.stepsOf(dialect, tables).filter(({ version }) => version <= from).length
          yield* Effect.scoped(Effect.gen(function*() {
            const connections = kind === "sqlite" ? shared(client, dialect, 0) : yield* dedicated(client, dialect)
            yield* Migrations.migrate(client, connections, dialect, tables, prefix, older)
            expect(yield* rowsOf(client, `${prefix}migrations`)).toBe(older)
            const of = (table: Table) => asOf(table, from)
            // What came later stands behind what was there.
            const as = (table: Table, row: ReadonlyArray<Value>) => {
              expect(row.length).toBe(table.columns.length)
              return row.slice(0, of(table).columns.length)
            }
            const liveRows = past.unfinished.map((record) => as(tables.live, liveValues(liveRow(record, now))))
            const doneRows = past.ended.map((record) => as(tables.done, doneRow(record)))
            for (const [table, rows] of [[tables.live, liveRows], [tables.done, doneRows]] as const) {
              yield* connections.use((db) => Effect.forEach(dialect.insert(of(table), rows), db.all))
            }
          }))

          const backend = yield* backendOn(client, { prefix })
          expect(yield* rowsOf(client, `${prefix}migrations`)).toBe(Migrations.stepsOf(dialect, tables).length)
          const indexes = ({ name }: Table) =>
            Effect.map(
              client.unsafe<{ readonly name: string }>(
                kind === "postgres" ? indexesOf[kind].replace("?", "$1") : indexesOf[kind],
                [name]
              ),
              (rows) => rows.map((row) => row.name)
            )
          const names = yield* indexes(tables.live)
          const fence = `${tables.instances.name}_fence`
          expect((yield* indexes(tables.instances)).includes(fence)).toBe(kind === "mysql")
          // Those of now and none of before, whether a table was made with them or they came later.
          for (const { name, until } of tables.live.indexes) {
            if (kind !== "mysql") expect([name, names.includes(name)]).toEqual([name, until === undefined])
            else if (until !== undefined) expect(names).not.toContain(name)
          }
          yield* backend.attach(facts(), now)
          const all = [...past.unfinished, ...past.ended]
          for (const one of all) expect(yield* backend.get(one.taskId)).toEqual(Option.some(one))
          expect(new Set((yield* backend.list({})).items)).toEqual(new Set(all))
          for (const status of TaskStatus.all) {
            const { items } = yield* backend.list({ status: [status] })
            expect(new Set(items)).toEqual(new Set(all.filter((one) => one.status === status)))
            expect(items.length).toBeGreaterThan(0)
          }
          const { started } = yield* claimOf(backend)
          expect(started.map(({ taskId }) => taskId)).toEqual(past.ready.map(({ taskId }) => taskId))
          expect(started[0]!.owner).toBe(instance)

          // And what came since works on them.
          const failed = failedOf(started[0]!)
          yield* backend.write({ instance, lane: "journal", number: 1, now, changes: [failed] })
          const [group] = (yield* backend.errors.list({})).items
          expect(group?.count).toBe(1)
          // Versions before the second knew no groups.
          const same = from < 2 ? [] : past.ended.filter(({ status }) => status === "failed")
          const { items } = yield* backend.list({ errorGroup: group!.fingerprint })
          expect(new Set(items)).toEqual(new Set([failed.record, ...same]))
          expect(yield* backend.deleteBefore(now + 1, 100)).toBe(past.ended.length + 1)
        }))
    }

    test("stay as they are when all steps are taken again", ({ open, prefix, tables }) =>
      Effect.gen(function*() {
        const client = yield* open
        const dialect = dialects[kind]
        const mine = task()
        const once = Effect.scoped(Effect.flatMap(backendOn(client, { prefix }), (backend) =>
          Effect.zipRight(backend.attach(facts(), now), backend.get(mine.taskId))))
        yield* once
        yield* Effect.scoped(Effect.flatMap(backendOn(client, { prefix }), (backend) =>
          backend.write(batchOf(1, [mine]))))
        // As after a death between the note of a step and the step itself, or a second process that does not see the note.
        yield* client.unsafe(`DELETE FROM ${prefix}migrations WHERE migration_id > 1000`)
        expect(yield* once).toEqual(Option.some(mine))
        expect(yield* rowsOf(client, `${prefix}migrations`)).toBe(Migrations.stepsOf(dialect, tables).length)
      }))

    test("of earlier versions are made by the steps that made them then", () =>
      Effect.sync(() => {
        const steps = Migrations.stepsOf(dialects[kind], withPrefix("taskflow_"))
        for (const [index, frozen] of frozenSteps[kind].entries()) {
          const then = steps.filter(({ version }) => version === index + 1)
          const text = JSON.stringify(then.map(({ name, sql }) => [name, sql]))
          expect(createHash("sha256").update(text).digest("base64url")).toBe(frozen)
        }
      }))

    test("may get columns from a later version while this one runs", ({ open, prefix, tables }) =>
      Effect.gen(function*() {
        const client = yield* open
        const backend = yield* backendOn(client, { prefix })
        yield* backend.attach(facts(), now)
        let number = 0
        const all = Effect.gen(function*() {
          number += 1
          const [first, second, third] = [task({ idempotencyKey: `k${number}` }), task(), task({ tags: { a: "b" } })]
          const outcomes = yield* backend.write(batchOf(number, [first, second, third]))
          expect(outcomes.map(({ _tag }) => _tag)).toEqual(["Applied", "Applied", "Applied"])
          // On every connection that reads.
          const one = Effect.zip(backend.get(first.taskId), backend.list({}), { concurrent: true })
          for (const [found, { items }] of yield* Effect.all([one, one, one, one], { concurrency: "unbounded" })) {
            expect(found).toEqual(Option.some(first))
            expect(items.length).toBe(3 * number)
          }
          expect((yield* backend.cancel(third.taskId, now))._tag).toBe("Cancelled")
          const { started } = yield* claimOf(backend, 2)
          expect(started.map(({ taskId }) => taskId)).toEqual([first.taskId, second.taskId])
          expect((yield* backend.owned(instance)).records.length).toBe(2 * number)
          yield* backend.maintain(now)
          yield* backend.stats({})
        })
        yield* all
        for (const { name } of Object.values(tables)) {
          yield* client.unsafe(`ALTER TABLE ${name} ADD COLUMN later INTEGER`)
        }
        yield* all
        const { records } = yield* backend.reap({ suspect: instance, beat: 0, now, limit: 10 })
        expect(records.length).toBe(4)
      }))

    test("have a name that is safe, or there are none", ({ open }) =>
      Effect.gen(function*() {
        const client = yield* open
        for (const prefix of ["", "Tasks_", "1_", "tasks-", "x; DROP TABLE users; --", "a".repeat(32)]) {
          const exit = yield* Effect.exit(SqlBackend.make(client, { prefix }))
          const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : null
          expect(error).toBeInstanceOf(TaskflowWiringError)
          expect(String(error)).toContain(JSON.stringify(prefix))
        }
      }))
  })
}
