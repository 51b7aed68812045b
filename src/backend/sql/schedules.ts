/**
 * Schedules as rows: each move locks the row, asks `internal/scheduleRow` what becomes of it, and writes the answer.
 */
import * as Effect from "effect/Effect"
import { pageLimit } from "../../internal/pageLimit.js"
import * as ScheduleRow from "../../internal/scheduleRow.js"
import type { ScheduleDefinition, SchedulePage, StoredSchedule } from "../../ScheduleStore.js"
import type { TaskId } from "../../TaskId.js"
import type { Connections } from "./connections.js"
import type { Db, Row, Sql, Value } from "./dialect.js"
import { selectIn } from "./lists.js"
import { nameText } from "./rows.js"
import * as Slots from "./slots.js"
import { unlessRaced } from "./write.js"

const numberOrNull = (value: unknown): number | null => value === null ? null : Number(value)

// One that somebody edited is shown as what cannot be read, and hides no other.
const specOf = (text: string): string => {
  try {
    const spec: unknown = JSON.parse(text)
    return typeof spec === "string" ? spec : text
  } catch {
    return text
  }
}

// safe (all casts): what valuesOf wrote
const fromRow = (row: Row): StoredSchedule => ({
  name: JSON.parse(row["name"] as string),
  taskName: JSON.parse(row["task"] as string),
  definition: JSON.parse(row["definition"] as string),
  origin: row["origin"] as StoredSchedule["origin"],
  anchor: Number(row["anchor"]),
  spec: specOf(row["spec"] as string),
  lastSlot: numberOrNull(row["last_slot"]),
  lastTask: row["last_task"] as TaskId | null,
  definedAt: Number(row["defined_at"]),
  seenAt: Number(row["seen_at"]),
  pausedAt: numberOrNull(row["paused_at"]),
  retiredAt: numberOrNull(row["retired_at"])
})

/** In the order of the columns. */
const valuesOf = (of: StoredSchedule): ReadonlyArray<Value> => [
  nameText(of.name),
  nameText(of.taskName),
  nameText(of.definition),
  of.origin,
  of.anchor,
  JSON.stringify(of.spec),
  of.lastSlot,
  of.lastTask,
  of.definedAt,
  of.seenAt,
  of.pausedAt,
  of.retiredAt
]

export const make = (sql: Sql, connections: Connections, reads: Pick<Connections, "use">) => {
  const { dialect, tables } = sql
  const table = tables.schedules
  const [key, ...columns] = table.columns as [typeof table.columns[number], ...typeof table.columns] // safe: it has a name

  const read = (db: Db, name: string, tail = "") =>
    Effect.map(
      db.all({ sql: `SELECT * FROM ${table.name} WHERE name = ?${tail}`, params: [nameText(name)] }),
      ([row]) => row === undefined ? null : fromRow(row)
    )

  const put = (db: Db, schedule: StoredSchedule) =>
    Effect.forEach(dialect.update({ table, key, columns, rows: [valuesOf(schedule)] }), db.all, { discard: true })

  const change = (to: (schedule: StoredSchedule, now: number) => StoredSchedule) => (name: string, now: number) =>
    connections.transaction((db) =>
      Effect.flatMap(read(db, name, dialect.forUpdate), (before) => {
        if (before === null) return Effect.succeed(null)
        const after = to(before, now)
        return after === before ? Effect.succeed(after) : Effect.as(put(db, after), after)
      })
    )

  const define = (definition: ScheduleDefinition, now: number) =>
    // Two that define a new one at once meet in its key: the second finds it then.
    unlessRaced(
      dialect,
      connections.transaction((db) =>
        Effect.flatMap(read(db, definition.name, dialect.forUpdate), (before) => {
          const after = ScheduleRow.define(before, definition, now)
          const written = before === null
            ? Effect.forEach(dialect.insert(table, [valuesOf(after)]), db.all, { discard: true })
            : put(db, after)
          return Effect.as(written, after)
        })
      )
    )

  const list = (page: { readonly limit?: number | undefined; readonly cursor?: string | undefined }) => {
    const limit = pageLimit(page.limit)
    // Names are kept as JSON text without anything beyond ASCII: what has more is no cursor, and some databases refuse it.
    if (page.cursor !== undefined && !/^[\x20-\x7e]*$/.test(page.cursor)) {
      return Effect.succeed<SchedulePage>({ items: [], nextCursor: null })
    }
    const behind = page.cursor === undefined ? "" : " WHERE name > ?"
    const statement = {
      sql: `SELECT * FROM ${table.name}${behind} ORDER BY name LIMIT ?`,
      params: [...page.cursor === undefined ? [] : [page.cursor], limit + 1]
    }
    return Effect.map(reads.use((db) => db.all(statement)), (rows): SchedulePage => {
      const items = rows.slice(0, limit).map(fromRow)
      return { items, nextCursor: rows.length > limit ? nameText(items[limit - 1]!.name) : null }
    })
  }

  const remove = (name: string) =>
    Effect.map(
      connections.use((db) => db.run({ sql: `DELETE FROM ${table.name} WHERE name = ?`, params: [nameText(name)] })),
      (removed) => removed > 0
    )

  const locked = (db: Db, names: ReadonlyArray<string>) => {
    const texts = names.map(nameText).sort()
    const tail = ` ORDER BY name${dialect.forUpdate}`
    return Effect.map(selectIn(sql, db, table, "*", "name", texts, tail), (rows) => rows.map(fromRow))
  }

  return {
    define,
    get: (name: string) => reads.use((db) => read(db, name)),
    list,
    pause: change(ScheduleRow.pause),
    resume: change(ScheduleRow.resume),
    retire: change(ScheduleRow.retire),
    remove,
    ...Slots.make(sql, connections, locked)
  }
}
