/**
 * Idempotency keys under the locks of others. No writer waits for one.
 *
 * A transaction of the application may have a key row locked for as long as it is open. An end that meets one leaves the row as
 * it is. So a row tells who took the key last, and whether that still counts is told by the end of its task.
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { Db, Row, Sql } from "./dialect.js"
import { selectIn } from "./lists.js"
import type { Found, KeyRow } from "./plan.js"

/** The keys that no open transaction is about to take, or has locked. */
const freeKeys = (sql: Sql, db: Db, hashes: ReadonlyArray<string>) => {
  const { nowait, problemOf, tryKeys } = sql.dialect
  if (tryKeys !== null) {
    return Effect.map(db.all(tryKeys(sql.tables.keys, hashes)), (rows) => {
      const taken = new Set(rows.map((row) => row["hash"]))
      return hashes.filter((hash) => taken.has(hash))
    })
  }
  if (nowait === null) return Effect.succeed(hashes)
  const isFree = (list: ReadonlyArray<string>) =>
    Effect.matchEffect(selectIn(sql, db, sql.tables.keys, "hash", "hash", list, nowait), {
      onFailure: (error) => problemOf(error) === "busy" ? Effect.succeed(false) : Effect.fail(error),
      onSuccess: () => Effect.succeed(true)
    })
  // Only the statement is undone, the transaction goes on.
  return Effect.flatMap(
    isFree(hashes),
    (all) => all ? Effect.succeed(hashes) : Effect.filter(hashes, (hash) => isFree([hash]))
  )
}

const keyRow = (row: Row): KeyRow => ({
  taskId: row["task_id"] as string, // safe: a text column
  until: row["until_at"] === null ? null : Number(row["until_at"])
})

// A finished record names its `keyTtl` only when it has one, and JSON text inside of it has its quotes escaped.
const endColumns = "id, status, removable_at, CASE WHEN record LIKE '%\"keyTtl\":%' THEN 1 ELSE 0 END AS limited"

/** When keys whose task ended without settling its row are free: never said for one that is held as its row says. */
const unsettled = (sql: Sql, db: Db, rows: ReadonlyArray<KeyRow>): Effect.Effect<Map<string, number>, SqlError> => {
  const endless = rows.flatMap(({ taskId, until }) => until === null ? [taskId] : [])
  return Effect.map(selectIn(sql, db, sql.tables.done, endColumns, "id", [...new Set(endless)].sort()), (ended) => {
    const untils = new Map<string, number>()
    for (const row of ended) {
      const id = row["id"] as string // safe: a text column
      if (row["status"] !== "success") untils.set(id, 0)
      else if (Number(row["limited"]) === 1) untils.set(id, Number(row["removable_at"]) + 1)
    }
    return untils
  })
}

/** Rows of keys as they count; `wanted` are those that somebody would take. */
const counted = (sql: Sql, db: Db, rows: ReadonlyArray<Row>, wanted: ReadonlySet<string>) => {
  const keys = new Map(rows.map((row) => [row["hash"] as string, keyRow(row)])) // safe: a text column
  const met = [...keys].filter(([hash]) => wanted.has(hash))
  return Effect.map(unsettled(sql, db, met.map(([, key]) => key)), (untils) => {
    for (const [hash, { taskId }] of met) {
      const until = untils.get(taskId)
      if (until !== undefined) keys.set(hash, { taskId, until })
    }
    return keys
  })
}

/** Rows of keys as they count, without a lock. */
export const read = (sql: Sql, db: Db, hashes: ReadonlyArray<string>, tail = "") =>
  Effect.flatMap(
    selectIn(sql, db, sql.tables.keys, "hash, task_id, until_at", "hash", hashes, tail),
    (rows) => counted(sql, db, rows, new Set(hashes))
  )

/** Adds the keys that a batch meets, those that nobody else is deciding under lock. */
export const find = (sql: Sql, db: Db, hashes: ReadonlyArray<string>, wanted: ReadonlySet<string>, found: Found) =>
  Effect.gen(function*() {
    const free = new Set(yield* freeKeys(sql, db, hashes))
    for (const hash of hashes) if (!free.has(hash)) found.busyKeys.add(hash)
    const { dialect, tables } = sql
    const from = (list: ReadonlyArray<string>, tail: string) =>
      selectIn(sql, db, tables.keys, "hash, task_id, until_at", "hash", list, tail)
    let rows = yield* from([...free], dialect.tryKeys === null ? ` ORDER BY hash${dialect.forUpdate}` : "")
    if (dialect.tryKeys !== null && rows.length > 0) {
      // Nobody else is deciding these, but their rows may be locked for another reason.
      const known = rows.map((row) => row["hash"] as string) // safe: a text column
      rows = yield* from(known, ` ORDER BY hash${dialect.skipLocked}`)
      const locked = new Set(rows.map((row) => row["hash"]))
      for (const hash of known) if (!locked.has(hash)) found.busyKeys.add(hash)
    }
    for (const [hash, key] of yield* counted(sql, db, rows, wanted)) found.keys.set(hash, key)
  })

/** Those of the keys that their tasks still hold and nobody has locked; they are locked now. */
export const lockOwn = (sql: Sql, db: Db, keys: ReadonlyMap<string, string>) =>
  Effect.map(
    selectIn(sql, db, sql.tables.keys, "hash, task_id", "hash", [...keys.keys()].sort(), sql.dialect.skipLocked),
    (rows) =>
      rows.flatMap((row) => {
        const hash = row["hash"] as string // safe: a text column
        return keys.get(hash) === row["task_id"] ? [hash] : []
      })
  )
