/**
 * The short way of a batch whose changes do not meet: new tasks without a key, starts, and ends of attempts without one. That is
 * nearly every batch of a busy engine. Nothing is read first; when a row is not as expected after all, the transaction is
 * rolled back and the batch takes the long way.
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Batch, Change, Outcome } from "../../TaskBackend.js"
import type { TaskRecord } from "../../TaskRecord.js"
import type { Connections } from "./connections.js"
import type { Db, Sql, Statement, Value } from "./dialect.js"
import { doneRow } from "./doneRows.js"
import { countEnd, rollupRows } from "./ends.js"
import { countFailure, failureRows } from "./failures.js"
import * as FeedText from "./feedText.js"
import { byState } from "./fence.js"
import { deleteLiveById, liveById } from "./lists.js"
import type { Plan } from "./plan.js"
import { freshValues, hasTags, tagHash } from "./rows.js"

/** A row was not as its writer believed. */
export class NotPlain extends Data.TaggedError("NotPlain") {}

/** The batch's own row was not written: its instance is not alive. */
export class NoFence extends Data.TaggedError("NoFence") {}

type Plain = Extract<Change, { readonly record: TaskRecord }>

/** Whether the short way may be tried. */
export const isPlain = (changes: ReadonlyArray<Change>): changes is ReadonlyArray<Plain> => {
  for (const change of changes) {
    if (change._tag !== "Insert" && change._tag !== "Start" && change._tag !== "Finish") return false
    if (change._tag !== "Start" && change.record.idempotencyKey !== null) return false
    if (change._tag === "Insert" && change.record.retryOf !== null) return false
  }
  if (changes.length === 1) return true
  const ids = new Set(changes.map((change) => (change as Plain).record.taskId)) // safe: checked above
  return ids.size === changes.length
}

const applied: Outcome = { _tag: "Applied" }

const run = (db: Db, statements: ReadonlyArray<Statement>): Effect.Effect<void, SqlError> =>
  statements.length === 1
    ? Effect.asVoid(db.run(statements[0]!))
    : Effect.forEach(statements, db.run, { discard: true })

/** Of a batch of plain changes, all applied: how many, and what the feed tells of them. */
export const bodyOf = ({ changes, instance }: Batch): string =>
  `${changes.length}\n${FeedText.ofPlain(instance, changes as ReadonlyArray<Plain>)}` // safe: checked by isPlain

/** Inserts the batch's own row if its instance is alive, in one statement. */
const signed = (sql: Sql, db: Db, batch: Batch) => {
  const { dialect, tables } = sql
  return Effect.flatMap(
    db.run({
      sql: `INSERT INTO ${tables.batches.name} (instance, lane, n, at, outcomes) ` +
        `SELECT id, ${dialect.text("?")}, ${dialect.number("?")}, ${dialect.number("?")}, ${dialect.text("?")} ` +
        `FROM ${byState(sql)} WHERE id = ? AND state = 'live'${dialect.forShare}`,
      params: [batch.lane, batch.number, batch.now, bodyOf(batch), batch.instance]
    }),
    (written) => written === 1 ? Effect.void : Effect.fail(new NoFence())
  )
}

/** Those that share what a statement is told once. Nearly all of a batch do, so a batch has one or two. */
const alike = <A>(all: ReadonlyArray<A>, keyOf: (one: A) => string): ReadonlyArray<ReadonlyArray<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const one of all) {
    const key = keyOf(one)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  return [...groups.values()]
}

// How many rows a statement finds says whether all of them are as their writer believes: reading them back, four columns of
// each, took as long as the rest of it.
const expecting = (db: Db, statement: Statement, rows: number): Effect.Effect<void, SqlError | NotPlain> =>
  Effect.flatMap(db.run(statement), (found) => found === rows ? Effect.void : Effect.fail(new NotPlain()))

const held = ({ dialect }: Sql, batch: Batch, records: ReadonlyArray<TaskRecord>): Statement => {
  const { params, sql } = dialect.in("id", "uuid", records.map(({ taskId }) => taskId))
  return { sql: `${sql} AND ${dialect.unindexed("owner", "= ?")}`, params: [...params, batch.instance] }
}

// More of them than this are read back instead: attempts that log end with counts of their own each.
const mostAlike = 4

// Takes the rows of attempts that end out of `live`. Lines are counted in the row: when another instance added some, the record
// has to be looked at.
const takeOut = (sql: Sql, db: Db, batch: Batch, ends: ReadonlyArray<TaskRecord>) => {
  const groups = alike(ends, ({ claim, logBytes, logLines }) => `${claim} ${logLines} ${logBytes}`)
  if (groups.length > mostAlike) return takeOutEach(sql, db, batch, ends)
  return Effect.forEach(groups, (records) => {
    const { claim, logBytes, logLines } = records[0]!
    const rows = held(sql, batch, records)
    const statement = {
      sql: `${deleteLiveById(sql)} WHERE ${rows.sql} AND active = 1 AND claim = ? AND log_lines = ? ` +
        "AND log_bytes = ?",
      params: [...rows.params, claim, logLines, logBytes]
    }
    return expecting(db, statement, records.length)
  }, { discard: true })
}

const takeOutEach = (sql: Sql, db: Db, batch: Batch, ends: ReadonlyArray<TaskRecord>) => {
  const { dialect } = sql
  const rows = held(sql, batch, ends)
  const condition = `${rows.sql} AND active = 1`
  const columns = "id, claim, log_lines, log_bytes"
  const removed = dialect.returning
    ? db.all({ sql: `${deleteLiveById(sql)} WHERE ${condition} RETURNING ${columns}`, params: rows.params })
    : Effect.zipLeft(
      db.all({
        sql: `SELECT ${columns} FROM ${liveById(sql)} WHERE ${condition} ORDER BY id${dialect.forUpdate}`,
        params: rows.params
      }),
      db.run({ sql: `${deleteLiveById(sql)} WHERE ${condition}`, params: rows.params })
    )
  return Effect.flatMap(removed, (found) => {
    const byId = new Map(found.map((row) => [row["id"], row]))
    const isAsBelieved = ({ claim, logBytes, logLines, taskId }: TaskRecord): boolean => {
      const row = byId.get(taskId)
      return row !== undefined && Number(row["claim"]) === claim && Number(row["log_lines"]) === logLines &&
        Number(row["log_bytes"]) === logBytes
    }
    return ends.every(isAsBelieved) ? Effect.void : Effect.fail(new NotPlain())
  })
}

// Starts what the writer holds in its window. `due_at` stays what it was: nobody asks for it while an attempt is under way, and it
// is in an index.
const startAll = (sql: Sql, db: Db, batch: Batch, starts: ReadonlyArray<TaskRecord>) => {
  const set = "status = 'running', active = 1, attempts = attempts + 1, started_at = COALESCE(started_at, ?), " +
    "attempt_started_at = ?, instance = owner, next_attempt_at = NULL"
  const groups = alike(starts, ({ attemptStartedAt, claim }) => `${attemptStartedAt} ${claim}`)
  return Effect.forEach(groups, (records) => {
    const { attemptStartedAt: at, claim } = records[0]!
    const rows = held(sql, batch, records)
    const statement = {
      sql: `UPDATE ${liveById(sql)} SET ${set} WHERE ${rows.sql} AND active = 0 AND cancel = 0 AND claim = ?`,
      params: [at, at, ...rows.params, claim]
    }
    return expecting(db, statement, records.length)
  }, { discard: true })
}

/** What the changes of a batch come to. */
export interface Parts {
  readonly inserts: ReadonlyArray<ReadonlyArray<Value>>
  readonly tags: ReadonlyArray<ReadonlyArray<Value>>
  readonly starts: ReadonlyArray<TaskRecord>
  readonly ends: ReadonlyArray<Plain>
}

/** Null when somebody else's tasks are among them, or ends that are not of the claim they were made under. */
const partsOf = (batch: Batch, changes: ReadonlyArray<Plain>): Parts | null => {
  const inserts: Array<ReadonlyArray<Value>> = []
  const tags: Array<ReadonlyArray<Value>> = []
  const starts: Array<TaskRecord> = []
  const ends: Array<Plain> = []
  for (const change of changes) {
    const { record } = change
    if (change._tag === "Finish") {
      if (change.owner !== batch.instance || change.claim !== record.claim) return null
      ends.push(change)
      continue
    }
    if (change._tag === "Start") {
      if (record.owner !== batch.instance) return null
      starts.push(record)
      continue
    }
    inserts.push(freshValues(record, batch.now, change._tag === "Insert" ? change.heldUntil : undefined))
    if (!hasTags(record)) continue
    for (const [name, value] of Object.entries(record.tags)) {
      tags.push([tagHash(name, value), record.taskId, JSON.stringify([name, value])])
    }
  }
  return { inserts, tags, starts, ends }
}

/** The rows of `rollups` for the ends among the parts. */
export const endsCounted = (batch: Batch, records: ReadonlyArray<TaskRecord>): ReadonlyArray<ReadonlyArray<Value>> => {
  const rollups: Plan["rollups"] = new Map()
  for (const record of records) countEnd(rollups, record)
  return rollupRows(rollups, batch.now, batch.instance)
}

/** The rows of `errors` for the failures among the parts. */
export const failuresCounted = (
  batch: Batch,
  records: ReadonlyArray<TaskRecord>
): ReadonlyArray<ReadonlyArray<Value>> => {
  const failures: Plan["failures"] = new Map()
  for (const record of records) countFailure(failures, record)
  return failures.size === 0 ? [] : failureRows(failures, batch.instance)
}

/** The body of a transaction. */
const body = (sql: Sql, db: Db, batch: Batch, { ends, inserts, starts, tags }: Parts) => {
  const { dialect, tables } = sql
  let steps: Effect.Effect<unknown, unknown> = signed(sql, db, batch)
  if (inserts.length > 0) steps = Effect.zipRight(steps, run(db, dialect.insert(tables.live, inserts)))
  if (tags.length > 0) steps = Effect.zipRight(steps, run(db, dialect.insert(tables.tags, tags)))
  if (starts.length > 0) steps = Effect.zipRight(steps, startAll(sql, db, batch, starts))
  if (ends.length === 0) return steps
  const records = ends.map(({ record }) => record)
  const failures = failuresCounted(batch, records)
  steps = Effect.zipRight(steps, takeOut(sql, db, batch, records))
  steps = Effect.zipRight(steps, run(db, dialect.insert(tables.done, records.map(doneRow))))
  steps = Effect.zipRight(steps, run(db, dialect.addUp(tables.rollups, endsCounted(batch, records))))
  return failures.length === 0
    ? steps
    : Effect.zipRight(steps, run(db, dialect.countFailures(tables.errors, failures)))
}

/** Writes the batch, in one statement where the dialect has one for it. */
export const write = (
  sql: Sql,
  connections: Connections,
  batch: Batch,
  changes: ReadonlyArray<Plain>
): Effect.Effect<ReadonlyArray<Outcome>, unknown> => {
  const parts = partsOf(batch, changes)
  if (parts === null) return Effect.fail(new NotPlain())
  const { plainWrite } = sql.dialect
  const written = plainWrite === null
    ? connections.transaction((db) => body(sql, db, batch, parts))
    : connections.use((db) => plainWrite(sql.tables, db, batch, parts))
  return Effect.as(written, changes.map(() => applied))
}
