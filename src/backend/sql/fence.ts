/**
 * The fence: what an instance writes is written while it is alive, or not at all.
 *
 * Who writes keeps a shared lock on the own instance's row to the end of the transaction, and whoever declares an instance dead
 * needs that row alone. A heartbeat writes the same row at any time, and must wait for neither: a batch on a slow way takes
 * seconds, and one whose process lost its connection stays open for as long as the server keeps it.
 *
 * PostgreSQL writes a batch in one statement, so nobody waits for round trips there. MySQL writes it in several, so there the shared
 * lock is not on the row: InnoDB locks, for a shared read that an index answers alone, the entry of that index and no row. The entry
 * of `instances_fence` is the id and the state. A change of the state changes the entry, so it waits for those who fenced and they for
 * it. A beat changes the row and leaves the entry as it is, so it waits for nobody.
 */
import * as Effect from "effect/Effect"
import { InstanceFenced } from "../../TaskError.js"
import type { Db, Sql } from "./dialect.js"

/**
 * The instances, to be read by who fences or declares dead: nothing but id and state may be asked for by a fence, or the row is
 * locked too. Taken away from a fence before the row: a reaper that skips what is locked skips an instance that is writing.
 */
export const byState = ({ dialect, tables }: Sql): string =>
  `${tables.instances.name}${dialect.byIndex(`${tables.instances.name}_fence`)}`

/** The instances, to be written by a heartbeat. */
export const byRow = ({ dialect, tables }: Sql): string => `${tables.instances.name}${dialect.byIndex("PRIMARY")}`

/** Fails with `InstanceFenced` unless the instance is alive, and keeps anyone from declaring it dead meanwhile. */
export const fence = (sql: Sql, db: Db, instance: string) =>
  Effect.flatMap(
    db.all({
      sql: `SELECT 1 AS alive FROM ${byState(sql)} WHERE id = ? AND state = 'live'${sql.dialect.forShare}`,
      params: [instance]
    }),
    (rows) => rows.length === 1 ? Effect.void : Effect.fail(new InstanceFenced({ instance }))
  )
