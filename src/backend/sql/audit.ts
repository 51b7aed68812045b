/** The audit trail as rows. A page is a range of an index, in its order. */
import * as Effect from "effect/Effect"
import type { AuditEntry, AuditPage, AuditQuery } from "../../AuditStore.js"
import * as PageCursor from "../../internal/pageCursor.js"
import { pageLimit } from "../../internal/pageLimit.js"
import type { Connections } from "./connections.js"
import type { Sql, Value } from "./dialect.js"
import { deleteIn, selectIn } from "./lists.js"
import { auditHash } from "./rows.js"
import { unlessRaced } from "./write.js"

const deleteStep = 500

const rowOf = (entry: AuditEntry): ReadonlyArray<Value> => [
  entry.id,
  entry.at,
  auditHash("who", entry.who),
  auditHash("action", entry.action),
  entry.target === null ? null : auditHash("target", entry.target),
  JSON.stringify(entry)
]

export const make = (sql: Sql, connections: Connections, reads: Pick<Connections, "use">) => {
  const { dialect, tables } = sql
  const table = tables.audit

  const append = (entries: ReadonlyArray<AuditEntry>) => {
    const rows = new Map(entries.map((entry) => [entry.id, rowOf(entry)]))
    if (rows.size === 0) return Effect.void
    return unlessRaced(
      dialect,
      connections.transaction((db) =>
        Effect.gen(function*() {
          const known = yield* selectIn(sql, db, table, "id", "id", [...rows.keys()])
          const fresh = new Map(rows)
          for (const row of known) fresh.delete(row["id"] as string) // safe: a text column
          if (fresh.size === 0) return
          yield* Effect.forEach(dialect.insert(table, [...fresh.values()]), db.all, { discard: true })
        })
      )
    )
  }

  const page = (query: AuditQuery): Effect.Effect<AuditPage, unknown> => {
    const limit = pageLimit(query.limit)
    const conditions: Array<string> = []
    const params: Array<Value> = []
    const add = (condition: string, ...values: ReadonlyArray<Value>) => {
      conditions.push(condition)
      params.push(...values)
    }
    for (const  of of["who", "action", "target"] as const) {
      const value = query[of]
      if (value !== undefined) add(`${of} = ?`, auditHash(of, value))
    }
    if (query.since !== undefined) add("at >= ?", query.since)
    if (query.until !== undefined) add("at < ?", query.until)
    if (query.cursor !== undefined) {
      const place = PageCursor.read(query.cursor)
      if (place === null) return Effect.succeed({ items: [], nextCursor: null })
      const [at, id] = place
      // The first half is a range for every database, the second leaves out what stands in it before the cursor.
      add("at <= ? AND (at < ? OR id < ?)", at, at, id)
    }
    const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`
    const statement = {
      sql: `SELECT entry FROM ${table.name}${where} ORDER BY at DESC, id DESC LIMIT ?`,
      params: [...params, limit + 1]
    }
    return Effect.map(reads.use((db) => db.all(statement)), (rows) => {
      const items = rows.slice(0, limit).map((row): AuditEntry => JSON.parse(row["entry"] as string)) // safe: from rowOf
      const last = items[limit - 1]
      return { items, nextCursor: rows.length > limit ? PageCursor.write([last!.at, last!.id]) : null }
    })
  }

  const deleteSome = (cutoff: number, limit: number) =>
    connections.transaction((db) =>
      Effect.gen(function*() {
        const rows = yield* db.all({
          sql: `SELECT id FROM ${table.name} WHERE at < ? ORDER BY at, id LIMIT ?${dialect.skipLocked}`,
          params: [cutoff, limit]
        })
        yield* deleteIn(sql, db, table, "id", rows.map((row) => row["id"] as string)) // safe: a text column
        return rows.length
      })
    )

  const deleteBefore = (cutoff: number, limit: number) =>
    Effect.gen(function*() {
      let deleted = 0
      while (deleted < limit) {
        const some = yield* deleteSome(cutoff, Math.min(deleteStep, limit - deleted))
        deleted += some
        if (some === 0) break
      }
      return deleted
    })

  return { append, page, deleteBefore }
}
