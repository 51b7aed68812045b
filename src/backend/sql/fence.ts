/**
 * The fence: what an instance writes is written while it is alive, or not at all.
 *
 * Who writes keeps a shared lock to the end of the transaction, and whoever declares the instance dead needs what it is on for
 * himself. A heartbeat writes the same row at any time and must wait for neither: a batch on a slow way takes seconds, and one whose
 * process lost its connection stays open for as long as the server keeps it. So the lock is on no more than the state.
 *
 * - PostgreSQL has a lock for that, KEY SHARE. It holds up a change of the key, and one by a transaction that locked the row
 *   FOR UPDATE before, as all do that change the state. A beat is neither.
 * - InnoDB locks, for a shared read that an index answers alone, the entry of that index and no row. The entry of `instances_fence`
 *   is the id and the state: a change of the state changes it, and waits for those who fenced, and they for it. A beat leaves it as
 *   it is.
 */
import * as Effect from "effect/Effect"
import { InstanceFenced } from "../../TaskError.js"
import type { Db, Sql } from "./dialect.js"

/**
 * The instances, to be read by who fences, declares dead or leaves. A fence asks for nothing but id and state, or the row would be
 * locked, too. Who declares dead locks the entry before the row, so that he skips an instance that is writing. Who leaves does so to
 * wait for what it writes: by the row alone he would look at what it owns before that is there.
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
