/** What is paused, as rows, and how a claim and a heartbeat get to know it. */
import * as Effect from "effect/Effect"
import type { Control, ControlTarget, Paused, PauseOutcome } from "../../ControlStore.js"
import { maxPausedNames } from "../../ControlStore.js"
import { InstanceFenced } from "../../TaskError.js"
import type { Connections } from "./connections.js"
import type { Db, Row, Sql, Value } from "./dialect.js"
import { byState } from "./fence.js"
import { nameText } from "./rows.js"

// A task name as JSON text is never empty.
const keyOf = (target: ControlTarget): readonly [scope: string, task: string] =>
  target._tag === "Task" ? ["task", nameText(target.name)] : ["everything", ""]

const targetOf = (row: Row): ControlTarget =>
  row["scope"] === "everything"
    ? { _tag: "Everything" }
    : { _tag: "Task", name: JSON.parse(row["task"] as string) } // safe: what keyOf made

/** What is paused. */
export const pausedOf = ({ tables }: Sql, db: Db): Effect.Effect<Paused, unknown> =>
  Effect.map(db.all({ sql: `SELECT scope, task FROM ${tables.controls.name}`, params: [] }), (rows) => {
    const targets = rows.map(targetOf)
    return {
      everything: targets.some(({ _tag }) => _tag === "Everything"),
      names: targets.flatMap((target) => target._tag === "Task" ? [target.name] : [])
    }
  })

export const nothing: Paused = { everything: false, names: [] }

/** As `fence`, and what is paused at that moment: a claim asks for both, and mostly nothing is. */
export const fencedPaused = (sql: Sql, db: Db, instance: string): Effect.Effect<Paused, unknown> => {
  const { dialect, tables } = sql
  return Effect.flatMap(
    db.all({
      sql: `SELECT (SELECT COUNT(*) FROM ${tables.controls.name}) AS pauses FROM ${byState(sql)} ` +
        `WHERE id = ? AND state = 'live'${dialect.forShare}`,
      params: [instance]
    }),
    ([row]): Effect.Effect<Paused, unknown> => {
      if (row === undefined) return Effect.fail(new InstanceFenced({ instance }))
      return Number(row["pauses"]) === 0 ? Effect.succeed(nothing) : pausedOf(sql, db)
    }
  )
}

export const make = ({ dialect, tables }: Sql, connections: Connections, reads: Pick<Connections, "use">) => {
  const table = tables.controls

  const pause = (target: ControlTarget, by: string, now: number): Effect.Effect<PauseOutcome, unknown> => {
    const [scope, task] = keyOf(target)
    const row: ReadonlyArray<Value> = [scope, task, now, JSON.stringify(by)]
    const asked = connections.transaction((db) =>
      Effect.gen(function*() {
        const rows = yield* db.all({ sql: `SELECT scope, task FROM ${table.name} WHERE scope = ?`, params: [scope] })
        if (rows.some((one) => one["task"] === task)) return "AlreadyPaused" as const
        if (rows.length >= maxPausedNames) return "TooMany" as const
        yield* Effect.forEach(dialect.insert(table, [row]), db.all, { discard: true })
        return "Paused" as const
      })
    )
    return Effect.catchAll(
      asked,
      (error) =>
        dialect.problemOf(error) === "duplicate" ? Effect.succeed("AlreadyPaused" as const) : Effect.fail(error)
    )
  }

  const resume = (target: ControlTarget) =>
    Effect.map(
      connections.use((db) =>
        db.run({ sql: `DELETE FROM ${table.name} WHERE scope = ? AND task = ?`, params: [...keyOf(target)] })
      ),
      (removed) => removed > 0
    )

  const list = Effect.map(
    reads.use((db) => db.all({ sql: `SELECT * FROM ${table.name}`, params: [] })),
    (rows) =>
      rows.map((row): Control => ({
        target: targetOf(row),
        since: Number(row["since"]),
        by: JSON.parse(row["by_whom"] as string) // safe: what pause wrote
      })).sort((a, b) => b.since - a.since)
  )

  return { pause, resume, list }
}
