/**
 * A batch of plain changes as one statement of PostgreSQL: one round trip, and no transaction that is open between two.
 *
 * All of it happens or nothing: when the instance is not alive, or a row is not as its writer believes, the counts at the
 * end do not agree, and the statement divides by zero.
 */
import * as Effect from "effect/Effect"
import type { Batch } from "../../TaskBackend.js"
import type { Db, Statement, Value } from "./dialect.js"
import { doneRow } from "./doneRows.js"
import { countFailuresTail } from "./failures.js"
import { bodyOf, endsCounted, failuresCounted, NotPlain, type Parts } from "./plainWrite.js"
import { arrayOf, codeOf, largestText, selecting } from "./postgresText.js"
import type { Table, Tables } from "./schema.js"
import { memo, namesOf } from "./statements.js"

const divisionByZero = "22012"

interface Piece {
  readonly sql: string
  readonly params: ReadonlyArray<Value | ReadonlyArray<Value>>
}

const insertInto = (name: string, table: Table, rows: ReadonlyArray<ReadonlyArray<Value>>, tail = ""): Piece => {
  const { from, list, params } = selecting(rows, table.columns)
  return {
    sql: `${name} AS (INSERT INTO ${table.name} (${namesOf(table.columns)}) ` +
      `SELECT ${list} FROM me, ${from}${tail} RETURNING 1)`,
    params
  }
}

const startsOf = (tables: Tables, starts: Parts["starts"], instance: string): Piece => ({
  sql: `started AS (UPDATE ${tables.live.name} AS t SET status = 'running', active = 1, attempts = attempts + 1, ` +
    "started_at = COALESCE(started_at, e.at), attempt_started_at = e.at, instance = owner, next_attempt_at = NULL " +
    "FROM me, unnest(?::uuid[], ?::integer[], ?::bigint[]) AS e (id, claim, at) " +
    "WHERE t.id = e.id AND (t.owner = ?::uuid) IS TRUE AND t.claim = e.claim AND t.active = 0 AND t.cancel = 0 RETURNING 1)",
  params: [
    arrayOf("uuid", starts.map(({ taskId }) => taskId)),
    arrayOf("int", starts.map(({ claim }) => claim)),
    arrayOf("bigint", starts.map(({ attemptStartedAt }) => attemptStartedAt)),
    instance
  ]
})

// Log lines are counted in the row: when another instance added some, the record has to be looked at.
const endsOf = (tables: Tables, ends: Parts["ends"], instance: string): Piece => ({
  sql: `ended AS (DELETE FROM ${tables.live.name} AS t USING me, ` +
    "unnest(?::uuid[], ?::integer[], ?::integer[], ?::integer[]) AS e (id, claim, lines, bytes) " +
    "WHERE t.id = e.id AND (t.owner = ?::uuid) IS TRUE AND t.claim = e.claim AND t.active = 1 AND t.log_lines = e.lines " +
    "AND t.log_bytes = e.bytes RETURNING 1)",
  params: [
    arrayOf("uuid", ends.map(({ record }) => record.taskId)),
    arrayOf("int", ends.map(({ record }) => record.claim)),
    arrayOf("int", ends.map(({ record }) => record.logLines)),
    arrayOf("int", ends.map(({ record }) => record.logBytes)),
    instance
  ]
})

const addUp = (rollups: Table): string =>
  memo(
    `postgres plain rollups ${rollups.name}`,
    () =>
      ` ON CONFLICT (${rollups.key!.join(", ")}) DO UPDATE SET ends = ${rollups.name}.ends + excluded.ends, ` +
      `total = ${rollups.name}.total + excluded.total, least = LEAST(${rollups.name}.least, excluded.least), ` +
      `most = GREATEST(${rollups.name}.most, excluded.most)`
  )

/** The statement, which answers nothing: it succeeds or fails. */
const statementOf = (tables: Tables, batch: Batch, { ends, inserts, starts, tags }: Parts): Statement => {
  const { instance, lane, now, number } = batch
  const pieces: Array<Piece> = [
    {
      sql: `me AS (SELECT id FROM ${tables.instances.name} WHERE id = ?::uuid AND state = 'live' FOR KEY SHARE)`,
      params: [instance]
    },
    {
      sql: `signed AS (INSERT INTO ${tables.batches.name} (instance, lane, n, at, outcomes) ` +
        "SELECT id, ?::text, ?::bigint, ?::bigint, ?::text FROM me RETURNING 1)",
      params: [lane, number, now, bodyOf(batch)]
    }
  ]
  const agree = ["(SELECT count(*) FROM signed) = 1"]
  const counts: Array<Value> = []
  if (inserts.length > 0) pieces.push(insertInto("made", tables.live, inserts))
  if (tags.length > 0) pieces.push(insertInto("tagged", tables.tags, tags))
  if (starts.length > 0) {
    pieces.push(startsOf(tables, starts, instance))
    agree.push("(SELECT count(*) FROM started) = ?::bigint")
    counts.push(starts.length)
  }
  if (ends.length > 0) {
    const records = ends.map(({ record }) => record)
    pieces.push(
      endsOf(tables, ends, instance),
      insertInto("finished", tables.done, records.map(doneRow)),
      insertInto("counted", tables.rollups, endsCounted(batch, records), addUp(tables.rollups))
    )
    const failures = failuresCounted(batch, records)
    if (failures.length > 0) {
      pieces.push(insertInto("failed", tables.errors, failures, countFailuresTail(tables.errors)))
    }
    agree.push("(SELECT count(*) FROM ended) = ?::bigint")
    counts.push(ends.length)
  }
  return {
    sql: `WITH ${pieces.map(({ sql }) => sql).join(", ")} SELECT 1 / (CASE WHEN ${
      agree.join(" AND ")
    } THEN 1 ELSE 0 END)`,
    params: [...pieces.flatMap(({ params }) => params), ...counts]
  }
}

// Whether the texts are more than one statement should carry. What ends writes its payload again.
const isLarge = ({ ends, inserts }: Parts): boolean => {
  let size = 0
  for (const row of inserts) for (const value of row) if (typeof value === "string") size += value.length
  for (const { record: { payload, result } } of ends) size += payload.length + (result?.length ?? 0)
  return size > largestText
}

export const write = (tables: Tables, db: Db, batch: Batch, parts: Parts) =>
  isLarge(parts) ? Effect.fail(new NotPlain()) : Effect.catchAll(
    Effect.asVoid(db.run(statementOf(tables, batch, parts))),
    (error) => Effect.fail(codeOf(error) === divisionByZero ? new NotPlain() : error)
  )
