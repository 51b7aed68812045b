/** What is removed: finished tasks that are old enough (`deleting.ts`), and what the protocol itself has outlived. */
import * as Effect from "effect/Effect"
import * as Rollups from "../../internal/rollups.js"
import type { Connections } from "./connections.js"
import { counting, deleting } from "./deleting.js"
import type { Db, Row, Sql, Value } from "./dialect.js"
import { byKey } from "./ends.js"
import * as ErrorGroups from "./errorGroups.js"
import * as Feed from "./feed.js"
import { countedFor } from "./instances.js"
import { deleteIn } from "./lists.js"
import { namesOf } from "./statements.js"

const instancesKept = 24 * 3_600_000
// Minutes are folded into hours, and the instances into one, when charts no longer show them one by one. A day of many names is
// then some twenty hours and three hours of minutes. Hours become one sum when no chart goes back that far.
const minutesKept = Rollups.minutesKept * 60_000
const hoursKept = Rollups.hoursKept * 60_000
const foldStep = 500
const deleteStep = 500

export const make = (sql: Sql, connections: Connections) => {
  const { dialect, tables } = sql
  const rollupNames = namesOf(tables.rollups.columns)
  const { batches, instances, rollups, untold, vitals } = tables

  // Up to where all is folded, for each width. A backend that was just made finds out by going through it once.
  const foldedTo = new Map<number, number>()

  /** Folds rows older than `kept` into rows `width` minutes wide; an endless width is minute 0. */
  const fold = (now: number, kept: number, width: number) =>
    connections.transaction((db) =>
      Effect.gen(function*() {
        const before = Math.floor((now - kept) / 60_000)
        const single = width === Number.POSITIVE_INFINITY ? "minute > 0" : `(instance <> ? OR minute % ${width} <> 0)`
        const rows = yield* db.all({
          sql: `SELECT ${rollupNames} FROM ${rollups.name} WHERE minute >= ? AND minute < ? AND ${single} ` +
            `ORDER BY minute LIMIT ${foldStep}${dialect.skipLocked}`,
          params: [
            foldedTo.get(width) ?? 1,
            before,
            ...width === Number.POSITIVE_INFINITY ? [] : [countedFor]
          ]
        })
        if (rows.length < foldStep) foldedTo.set(width, Math.max(1, before - 120))
        for (const row of rows) {
          const key = ["minute", "task", "instance", "status", "bucket"].map((name) => row[name] as Value) // safe: columns
          yield* db.all({
            sql:
              `DELETE FROM ${rollups.name} WHERE minute = ? AND task = ? AND instance = ? AND status = ? AND bucket = ?`,
            params: key
          })
        }
        const folded = new Map<string, Array<Value>>()
        for (const row of rows) addFolded(folded, row, width)
        const sorted = [...folded.values()].sort(byKey)
        if (sorted.length > 0) { for (const statement of dialect.addUp(rollups, sorted)) yield* db.all(statement) }
        return rows.length
      })
    )

  // The next lane in order, by its place in the key: there are a few for each instance, and very many batches.
  const laneBehind = (db: Db, instance: string, lane: string) =>
    Effect.gen(function*() {
      const first = `SELECT instance, lane FROM ${batches.name} WHERE`
      const inOrder = "ORDER BY instance, lane LIMIT 1"
      const same = `${first} instance = ? AND lane > ? ${inOrder}`
      const [here] = yield* db.all({ sql: same, params: [instance, lane] })
      if (here !== undefined) return here
      const [next] = yield* db.all({ sql: `${first} instance > ? ${inOrder}`, params: [instance] })
      return next
    })

  // The last batch of a lane may be repeated however long ago it was: its writer may have been frozen.
  const forgetBatches = (before: number) =>
    Effect.gen(function*() {
      let at: readonly [instance: string, lane: string] = [countedFor, ""]
      while (true) {
        const lane = yield* connections.use((db) => laneBehind(db, ...at))
        if (lane === undefined) return
        at = [lane["instance"] as string, lane["lane"] as string] // safe (both): text columns
        while ((yield* forgetSome(at, before)) === deleteStep);
      }
    })

  const forgetSome = (at: ReadonlyArray<string>, before: number) =>
    connections.use((db) =>
      Effect.gen(function*() {
        const ofLane = `FROM ${batches.name} WHERE instance = ? AND lane = ?`
        const known = yield* db.all({ sql: `SELECT id FROM ${instances.name} WHERE id = ?`, params: [at[0]!] })
        const oldest = yield* db.all({
          sql: `SELECT n, at ${ofLane} ORDER BY n LIMIT ${deleteStep + 1}`,
          params: at
        })
        // With one more read than is removed, the last of a lane is seen as such.
        const all = known.length > 0 ? oldest.slice(0, -1) : oldest
        const young = all.findIndex((row) => Number(row["at"]) >= before)
        const old = all.slice(0, young === -1 ? deleteStep : Math.min(young, deleteStep))
        const last = old[old.length - 1]
        if (last !== undefined) {
          yield* db.all({ sql: `DELETE ${ofLane} AND n <= ?`, params: [...at, Number(last["n"])] })
        }
        return old.length
      })
    )

  // Nobody has read the feed for so long.
  const forgetUntold = (before: number): Effect.Effect<void, unknown> =>
    Effect.flatMap(
      connections.use((db) =>
        Effect.flatMap(
          db.all({
            sql: `SELECT task_id FROM ${untold.name} WHERE at < ? ORDER BY at LIMIT ${deleteStep}`,
            params: [before]
          }),
          (rows) => {
            const ids = rows.map((row) => row["task_id"] as string) // safe: a text column
            return Effect.as(deleteIn(sql, db, untold, "task_id", ids), rows.length)
          }
        )
      ),
      (some) => some === deleteStep ? forgetUntold(before) : Effect.void
    )

  const maintain = (now: number) =>
    Effect.gen(function*() {
      // A repeated batch comes within seconds; a reader of batches may be this far behind.
      yield* forgetBatches(now - Feed.kept)
      yield* forgetUntold(now - Feed.kept)
      // Before the instances are forgotten: what they counted is found by them.
      yield* ErrorGroups.maintain(sql, connections, now)
      // By key: a DELETE with a condition would lock the rows of instances that are alive.
      yield* connections.use((db) =>
        Effect.flatMap(
          db.all({
            sql: `SELECT id FROM ${instances.name} WHERE state = 'gone' AND beat_at < ? LIMIT ${deleteStep}`,
            params: [now - instancesKept]
          }),
          (rows) => {
            const ids = rows.map((row) => row["id"] as string) // safe: a text column
            return Effect.zipRight(deleteIn(sql, db, vitals, "id", ids), deleteIn(sql, db, instances, "id", ids))
          }
        )
      )
      for (let step = 0; step < 20; step += 1) if ((yield* fold(now, minutesKept, 60)) < foldStep) break
      for (
        let step = 0;
        step < 20;
        step += 1
      ) if ((yield* fold(now, hoursKept, Number.POSITIVE_INFINITY)) < foldStep) break
    })

  return { deleteBefore: deleting(sql, connections), countBefore: counting(sql, connections), maintain }
}

const addFolded = (folded: Map<string, Array<Value>>, row: Row, width: number): void => {
  const minute = Number(row["minute"])
  const hour = width === Number.POSITIVE_INFINITY ? 0 : minute - minute % width
  const { status, task } = row as { readonly task: string; readonly status: string } // safe: text columns
  const bucket = Number(row["bucket"])
  const key = `${hour} ${task} ${status} ${bucket}`
  const [ends, total] = [Number(row["ends"]), Number(row["total"])]
  const [least, most] = [row["least"], row["most"]].map((value) => value === null ? null : Number(value))
  const known = folded.get(key)
  if (known === undefined) {
    folded.set(key, [hour, task, countedFor, status, bucket, ends, total, least ?? null, most ?? null])
    return
  }
  known[5] = Number(known[5]) + ends
  known[6] = Number(known[6]) + total
  known[7] = either(known[7] as number | null, least ?? null, Math.min)
  known[8] = either(known[8] as number | null, most ?? null, Math.max)
}

const either = (a: number | null, b: number | null, of: (a: number, b: number) => number): number | null =>
  a === null ? b : b === null ? a : of(a, b)
