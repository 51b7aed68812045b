/**
 * What handlers really did: rows written with plain SQL by the handlers themselves, on a connection that the library knows
 * nothing of. Nothing here is unique, so that what happened twice is there twice.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { SqlPlace } from "./places.js"

export type What = "started" | "finished"

export interface EffectRow {
  readonly taskId: string
  readonly claim: number
  readonly what: What
  /** The life of the process: `slot.life`. */
  readonly life: string
  readonly at: number
}

const tableOf = (place: SqlPlace) => `${place.prefix}effects`

/** The table, dropped when the scope ends. */
export const table = (sql: SqlClient, place: SqlPlace) => {
  const drop = sql.unsafe(`DROP TABLE IF EXISTS ${tableOf(place)}`)
  const create = `CREATE TABLE ${tableOf(place)} ` +
    "(task_id CHAR(36) NOT NULL, claim INT NOT NULL, what VARCHAR(10) NOT NULL, life VARCHAR(20) NOT NULL, at BIGINT NOT NULL)"
  return Effect.acquireRelease(sql.unsafe(create), () => Effect.ignore(drop))
}

export const add = (sql: SqlClient, place: SqlPlace, row: EffectRow) =>
  sql`INSERT INTO ${sql(tableOf(place))} (task_id, claim, what, life, at)
    VALUES (${row.taskId}, ${row.claim}, ${row.what}, ${row.life}, ${row.at})`

/** All of them, in the order of their times. */
export const read = (sql: SqlClient, place: SqlPlace) =>
  Effect.map(
    sql<{ task_id: string; claim: number; what: What; life: string; at: number | string }>`
      SELECT task_id, claim, what, life, at FROM ${sql(tableOf(place))} ORDER BY at`,
    (rows) =>
      rows.map(({ at, claim, life, task_id: taskId, what }): EffectRow => ({
        taskId,
        claim,
        what,
        life,
        at: Number(at)
      }))
  )
