/**
 * The numbered write: fence, the rows it meets under lock, the batch's own row, then the changes. One transaction.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Batch, Outcome } from "../../TaskBackend.js"
import { InstanceFenced } from "../../TaskError.js"
import type { TaskStatus } from "../../TaskStatus.js"
import type { Connections } from "./connections.js"
import type { Db, Dialect, Row, Sql, Statement, Value } from "./dialect.js"
import { doneRow } from "./doneRows.js"
import { rollupRows } from "./ends.js"
import { failureRows } from "./failures.js"
import * as FeedText from "./feedText.js"
import { fence } from "./fence.js"
import * as Keys from "./keys.js"
import { columnOf, deleteIn, selectIn } from "./lists.js"
import * as PlainWrite from "./plainWrite.js"
import { type Found, type KeyRow, type Plan, planOf, type WorkRow } from "./plan.js"
import { changingColumns, keyHash, liveValues, tagHash } from "./rows.js"
import type { Table } from "./schema.js"

// The batch was written before: its transaction is rolled back, the first outcomes are answered.
class Repeated extends Data.TaggedError("Repeated") {}

// Another instance decided a key between our read and our insert: everything is decided again.
const isRace = (dialect: Dialect, error: unknown): boolean => dialect.problemOf(error) === "duplicate"
const maxRaces = 20

/** A transaction, once more when somebody else wrote a key that it did not find. */
export const unlessRaced = <A>(dialect: Dialect, self: Effect.Effect<A, unknown>): Effect.Effect<A, unknown> =>
  Effect.retry(self, { times: maxRaces, while: (error) => isRace(dialect, error) })

// A ledger keeps this many attempts of a task.
const maxAttempts = 1_000

const workColumns = ["id", ...changingColumns.map(({ name }) => name)].join(", ")
const numbers = new Set(
  changingColumns.filter(({ type }) => type === "int" || type === "bigint").map(({ name }) => name)
)

// Drivers answer large numbers as text.
const workRow = (row: Row): WorkRow => {
  const made: Record<string, unknown> = { ...row }
  for (const name of numbers) if (typeof made[name] === "string") made[name] = Number(made[name])
  return made as unknown as WorkRow // safe: the columns that were asked for
}

const each = (db: Db, statements: ReadonlyArray<Statement>): Effect.Effect<void, unknown> =>
  statements.length === 0 ? Effect.void : Effect.forEach(statements, db.all, { discard: true })

/** What the changes of a batch meet, under lock. */
export const find = (sql: Sql, db: Db, batch: Batch) =>
  Effect.gen(function*() {
    const { dialect, tables } = sql
    const ids = new Set<string>()
    const hashes = new Set<string>()
    const wanted = new Set<string>()
    const originals = new Set<string>()
    const logged = new Set<string>()
    for (const change of batch.changes) {
      if (change._tag === "Insert") {
        const { retryOf } = change.record
        if (retryOf !== null) originals.add(retryOf)
      } else if ("record" in change) ids.add(change.record.taskId)
      else ids.add(change.taskId)
      if (change._tag === "Log") logged.add(change.taskId)
      if (change._tag === "Insert" || change._tag === "Release" || change._tag === "Finish") {
        const hash = keyHash(change.record)
        if (hash === null) continue
        hashes.add(hash)
        if (change._tag === "Insert") wanted.add(hash)
      }
    }
    const lock = ` ORDER BY id${dialect.forUpdate}`
    const live = new Map<string, WorkRow>()
    for (const row of yield* selectIn(sql, db, tables.live, workColumns, "id", [...ids, ...originals].sort(), lock)) {
      live.set(row["id"] as string, workRow(row))
    }
    const found: Found = { live, keys: new Map(), busyKeys: new Set(), originals: new Map(), ended: new Set() }
    if (hashes.size > 0) yield* Keys.find(sql, db, [...hashes].sort(), wanted, found)
    if (originals.size > 0) {
      const rows = yield* selectIn(sql, db, tables.done, "id, status, retried_as", "id", [...originals].sort(), lock)
      for (const id of originals) {
        const row = live.get(id)
        if (row !== undefined) found.originals.set(id, { status: row.status as TaskStatus, retriedAs: null }) // safe: stored
      }
      for (const row of rows) {
        found.originals.set(row["id"] as string, {
          status: row["status"] as TaskStatus,
          retriedAs: row["retried_as"] as string | null
        })
      }
    }
    const unseen = [...logged].filter((id) => !live.has(id))
    for (const row of yield* selectIn(sql, db, tables.done, "id", "id", unseen)) found.ended.add(row["id"] as string)
    return found
  })

const outcomesText = (outcomes: ReadonlyArray<Outcome>): string =>
  outcomes.every(({ _tag }) => _tag === "Applied") ? String(outcomes.length) : JSON.stringify(outcomes)

const outcomesFrom = (text: string): ReadonlyArray<Outcome> => {
  // Behind a line break is what the feed tells.
  const parsed: number | ReadonlyArray<Outcome> = JSON.parse(text.split("\n", 1)[0]!)
  return typeof parsed === "number" ? Array.from({ length: parsed }, () => ({ _tag: "Applied" })) : parsed
}

const keyRows = (keys: ReadonlyMap<string, KeyRow>): ReadonlyArray<ReadonlyArray<Value>> =>
  [...keys].map(([hash, { taskId, until }]) => [hash, taskId, until])

/** Writes what was planned, in bulk. */
export const apply = ({ dialect, tables }: Sql, db: Db, plan: Plan, now: number, instance: string) =>
  Effect.gen(function*() {
    const sql = { dialect, tables }
    const insert = (table: Table, rows: ReadonlyArray<ReadonlyArray<Value>>) =>
      rows.length === 0 ? Effect.void : each(db, dialect.insert(table, rows))
    // Keys come first and sorted: two writers of the same keys meet in the same order.
    yield* deleteIn(sql, db, tables.keys, "hash", plan.staleKeys.sort())
    yield* insert(tables.keys, keyRows(new Map([...plan.putKeys].sort(([a], [b]) => a < b ? -1 : 1))))
    yield* insert(tables.live, plan.inserts.map(liveValues))
    if (plan.updates.length > 0) {
      const rows = plan.updates.map((row) => [
        row.id,
        ...changingColumns.map(({ name }) => row[name as keyof WorkRow] as Value) // safe: loaded or set by name
      ])
      yield* each(
        db,
        dialect.update({ table: tables.live, key: tables.live.columns[0]!, columns: changingColumns, rows })
      )
    }
    yield* deleteIn(sql, db, tables.live, "id", plan.deletes)
    yield* insert(tables.done, plan.done.map(doneRow))
    if (plan.retried.length > 0) {
      const columns = [columnOf(tables.done, "retried_as")]
      yield* each(db, dialect.update({ table: tables.done, key: tables.done.columns[0]!, columns, rows: plan.retried }))
    }
    yield* insert(
      tables.tags,
      plan.tagged.flatMap(({ tags, taskId }) =>
        Object.entries(tags).map(([name, value]) => [tagHash(name, value), taskId, JSON.stringify([name, value])])
      )
    )
    yield* insert(tables.logs, plan.logs.map(([taskId, line]) => [taskId, JSON.stringify(line)]))
    yield* insert(
      tables.attempts,
      plan.attempts.map(([taskId, entry]) => [taskId, entry.claim, entry.attempt, JSON.stringify(entry)])
    )
    for (const [taskId, { attempt }] of plan.attempts) {
      if (attempt <= maxAttempts) continue
      const condition = "task_id = ? AND attempt <= ?"
      yield* db.all({
        sql: `DELETE FROM ${tables.attempts.name} WHERE ${condition}`,
        params: [taskId, attempt - maxAttempts]
      })
    }
    if (plan.rollups.size > 0) yield* each(db, dialect.addUp(tables.rollups, rollupRows(plan.rollups, now, instance)))
    yield* each(
      db,
      plan.failures.size === 0 ? [] : dialect.countFailures(tables.errors, failureRows(plan.failures, instance))
    )
  })

/** One task is more than a statement of this database can carry. */
export class RowTooLarge extends Data.TaggedError("RowTooLarge")<{ readonly message: string }> {}

/** A text that became longer than texts can be is a row that can never be written, and no reason to try again. */
export const textsThatFit = <A, E>(self: Effect.Effect<A, E>): Effect.Effect<A, E | RowTooLarge> =>
  Effect.catchSomeDefect(
    self,
    (defect) =>
      defect instanceof RangeError
        ? Option.some(Effect.fail(new RowTooLarge({ message: defect.message })))
        : Option.none()
  )

// The text of a row is its payload and result as JSON text in JSON text, at most three bytes for each character. Beside them is
// what is bounded: messages, a stack, the parts of a cause.
const beside = 98_304

const tooLarge = (batch: Batch, largest: number): RowTooLarge | undefined => {
  for (const change of batch.changes) {
    if (!("record" in change)) continue
    const { failure, payload, result, taskName } = change.record
    const error = failure?.error ?? null
    if ((payload.length + (result?.length ?? 0) + (error?.length ?? 0)) * 3 + beside < largest) continue
    const bytes = Buffer.byteLength(JSON.stringify([payload, result, error])) + beside
    if (bytes < largest) continue
    const message = `${taskName}: payload and result need ${bytes} bytes, the server takes ${largest} in one statement`
    return new RowTooLarge({ message })
  }
  return undefined
}

/** `write` of the port. `largest`: the most bytes that a statement may have. */
export const make = (sql: Sql, connections: Connections, largest: number) => {
  const { dialect, tables } = sql
  const readOutcomes = `SELECT outcomes FROM ${tables.batches.name} WHERE instance = ? AND lane = ? AND n = ?`

  const long = (batch: Batch): Effect.Effect<ReadonlyArray<Outcome>, unknown> =>
    connections.transaction((db) =>
      Effect.gen(function*() {
        yield* fence(sql, db, batch.instance)
        const found = yield* find(sql, db, batch)
        const plan = planOf(batch, found)
        const text = `${outcomesText(plan.outcomes)}\n${FeedText.ofBatch(batch, plan, found)}`
        const row = [batch.instance, batch.lane, batch.number, batch.now, text]
        yield* Effect.catchIf(
          each(db, dialect.insert(tables.batches, [row])),
          (error) => isRace(dialect, error),
          () => new Repeated()
        )
        yield* apply(sql, db, plan, batch.now, batch.instance)
        return plan.outcomes
      })
    )

  // What the short way cannot decide, the long way finds out: whether this is a repeat, or the instance is dead.
  const once = (batch: Batch): Effect.Effect<ReadonlyArray<Outcome>, unknown> => {
    const { changes } = batch
    if (!PlainWrite.isPlain(changes)) return long(batch)
    return Effect.catchAll(
      PlainWrite.write(sql, connections, batch, changes),
      (error) =>
        error instanceof PlainWrite.NotPlain || error instanceof PlainWrite.NoFence || isRace(dialect, error)
          ? long(batch)
          : Effect.fail(error)
    )
  }

  const before = ({ instance, lane, number }: Batch) =>
    Effect.map(
      connections.use((db) => db.all({ sql: readOutcomes, params: [instance, lane, number] })),
      ([row]) => row === undefined ? null : outcomesFrom(row["outcomes"] as string)
    )

  const write = (batch: Batch, races: number): Effect.Effect<ReadonlyArray<Outcome>, unknown> =>
    Effect.catchAll(once(batch), (error) => {
      if (error instanceof InstanceFenced) {
        // Declared dead after this was written, but before the answer came.
        return Effect.flatMap(before(batch), (first) => first === null ? Effect.fail(error) : Effect.succeed(first))
      }
      if (error instanceof Repeated) {
        return Effect.flatMap(before(batch), (first) => first === null ? Effect.fail(error) : Effect.succeed(first))
      }
      return isRace(dialect, error) && races < maxRaces ? write(batch, races + 1) : Effect.fail(error)
    })

  return (batch: Batch) => {
    const refused = tooLarge(batch, largest)
    return refused === undefined ? textsThatFit(write(batch, 0)) : Effect.fail(refused)
  }
}
