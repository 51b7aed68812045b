/** The instances for people: how each is doing, and asking one to take nothing more. */
import * as Effect from "effect/Effect"
import { validate as isUuid } from "uuid"
import type { InstanceId } from "../../TaskEvent.js"
import type { InstanceInfo, Vitals } from "../../TaskPeer.js"
import type { Connections } from "./connections.js"
import type { Db, Sql } from "./dialect.js"

/** Makes an instance's row beside its row of `instances`. */
export const addVitals = ({ dialect, tables }: Sql, db: Db, id: InstanceId) =>
  Effect.forEach(dialect.insert(tables.vitals, [[id, 0, null]]), db.all, { discard: true })

/** Keeps what a heartbeat brought. */
export const keepVitals = ({ tables }: Sql, db: Db, id: InstanceId, vitals: Vitals | undefined) =>
  vitals === undefined
    ? Effect.void
    : db.all({
      sql: `UPDATE ${tables.vitals.name} SET vitals = ? WHERE id = ?`,
      params: [JSON.stringify(vitals), id]
    })

/** `instances` and `drain` of the port. */
export const make = ({ tables }: Sql, reads: Pick<Connections, "use">, own: Connections) => {
  const instances = tables.instances.name
  const vitals = tables.vitals.name

  const list: Effect.Effect<ReadonlyArray<InstanceInfo>, unknown> = Effect.suspend(() =>
    Effect.map(
      reads.use((db) =>
        db.all({
          sql: `SELECT i.state, i.beat, i.beat_at, i.facts, v.draining, v.vitals FROM ${instances} i ` +
            `LEFT JOIN ${vitals} v ON v.id = i.id WHERE i.state <> 'gone' ORDER BY i.id`,
          params: []
        })
      ),
      (rows) =>
        rows.map((row): InstanceInfo => ({
          ...JSON.parse(row["facts"] as string), // safe (all): what was written
          state: row["state"] as InstanceInfo["state"],
          beat: Number(row["beat"]),
          beatAt: Number(row["beat_at"]),
          vitals: row["vitals"] === null ? null : JSON.parse(row["vitals"] as string),
          draining: Number(row["draining"] ?? 0) === 1
        }))
    )
  )

  const drain = (id: InstanceId, draining: boolean): Effect.Effect<boolean, unknown> =>
    own.transaction((db) =>
      Effect.gen(function*() {
        // Some databases refuse to compare an id with what is none.
        if (!isUuid(id)) return false
        const alive = yield* db.all({
          sql: `SELECT id FROM ${instances} WHERE id = ? AND state = 'live'`,
          params: [id]
        })
        if (alive.length === 0) return false
        yield* db.all({ sql: `UPDATE ${vitals} SET draining = ? WHERE id = ?`, params: [draining ? 1 : 0, id] })
        return true
      })
    )

  return { list, drain }
}
