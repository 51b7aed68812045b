/** The application's own tables: a row for each `booked` task that ended, and one for each `placed` task that was enqueued. */
import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { SqlPlace } from "./places.js"

export interface Books {
  /** Task ids, as often as they are there. */
  readonly booked: ReadonlyArray<string>
  /** Nonces. */
  readonly placed: ReadonlyArray<string>
}

const names = ({ prefix }: SqlPlace) => ({ booked: `${prefix}app_booked`, placed: `${prefix}app_placed` })

/** Nothing in them is unique, so that what happened twice is there twice. */
export const tables = (sql: SqlClient, place: SqlPlace) =>
  Effect.forEach(Object.values(names(place)), (name) => sql.unsafe(`CREATE TABLE ${name} (id VARCHAR(64) NOT NULL)`))

export const book = (sql: SqlClient, place: SqlPlace, taskId: string) =>
  sql`INSERT INTO ${sql(names(place).booked)} (id) VALUES (${taskId})`

export const putPlaced = (sql: SqlClient, place: SqlPlace, nonce: string) =>
  sql`INSERT INTO ${sql(names(place).placed)} (id) VALUES (${nonce})`

export const read = (sql: SqlClient, place: SqlPlace) => {
  const idsOf = (name: string) =>
    Effect.map(sql<{ id: string }>`SELECT id FROM ${sql(name)}`, (rows) => rows.map(({ id }) => id))
  const { booked, placed } = names(place)
  return Effect.all({ booked: idsOf(booked), placed: idsOf(placed) })
}
