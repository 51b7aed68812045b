/**
 * Groups of failures: rows of `errors`, one for each instance, summed when they are read. How many rows there are is bounded by
 * `maintain`, so a list may go through all of them.
 */
import * as Effect from "effect/Effect"
import { type ErrorGroup, type ErrorPage, type ErrorQuery, errorsKept, maxErrorGroups } from "../../ErrorStore.js"
import * as PageCursor from "../../internal/pageCursor.js"
import { pageLimit } from "../../internal/pageLimit.js"
import type { TaskId } from "../../TaskId.js"
import type { Connections } from "./connections.js"
import type { Db, Row, Sql, Value } from "./dialect.js"
import { failureRows, type Failures } from "./failures.js"
import { countedFor } from "./instances.js"
import { selectIn } from "./lists.js"
import { nameText } from "./rows.js"

/** The sum of rows of one fingerprint. */
const groupOf = (rows: ReadonlyArray<Row>): ErrorGroup => {
  const latest = rows.reduce((a, b) => Number(b["last_at"]) > Number(a["last_at"]) ? b : a)
  const sum = (column: string) => rows.reduce((total, row) => total + Number(row[column]), 0)
  return {
    fingerprint: latest["fingerprint"] as string, // safe (all): what a batch wrote
    taskName: JSON.parse(latest["task"] as string),
    count: sum("failures"),
    dismissed: sum("dismissed"),
    firstSeenAt: Math.min(...rows.map((row) => Number(row["first_at"]))),
    lastSeenAt: Number(latest["last_at"]),
    lastTask: latest["last_task"] as TaskId,
    sample: JSON.parse(latest["sample"] as string)
  }
}

const byFingerprint = (rows: ReadonlyArray<Row>): ReadonlyMap<string, ReadonlyArray<Row>> => {
  const groups = new Map<string, Array<Row>>()
  for (const row of rows) {
    const fingerprint = row["fingerprint"] as string // safe: a text column
    const group = groups.get(fingerprint)
    if (group === undefined) groups.set(fingerprint, [row])
    else group.push(row)
  }
  return groups
}

export const make = (sql: Sql, connections: Connections, reads: Pick<Connections, "use">) => {
  const { dialect, tables } = sql
  const table = tables.errors

  const groupsOf = (db: Db, fingerprints: ReadonlyArray<string>) =>
    Effect.map(selectIn(sql, db, table, "*", "fingerprint", fingerprints), (rows) => {
      const found = byFingerprint(rows)
      return fingerprints.flatMap((fingerprint) => {
        const group = found.get(fingerprint)
        return group === undefined ? [] : [groupOf(group)]
      })
    })

  const get = (fingerprint: string) =>
    PageCursor.isPlain(fingerprint)
      ? Effect.map(reads.use((db) => groupsOf(db, [fingerprint])), ([group]) => group ?? null)
      : Effect.succeed(null)

  const list = (query: ErrorQuery): Effect.Effect<ErrorPage, unknown> => {
    const limit = pageLimit(query.limit)
    const by = query.order === "count" ? "failures" : "last_at"
    const conditions = [query.dismissed === true ? "failures = dismissed" : "failures > dismissed"]
    const params: Array<Value> = []
    const ofName = query.taskName === undefined ? "" : " WHERE task = ?"
    if (query.taskName !== undefined) params.push(nameText(query.taskName))
    if (query.since !== undefined) {
      conditions.push(`last_at >= ${dialect.number("?")}`)
      params.push(query.since)
    }
    if (query.cursor !== undefined) {
      const place = PageCursor.read(query.cursor)
      if (place === null) return Effect.succeed<ErrorPage>({ items: [], nextCursor: null })
      const [value, fingerprint] = place
      conditions.push(`(${by} < ${dialect.number("?")} OR ${by} = ${dialect.number("?")} AND fingerprint > ?)`)
      params.push(value, value, fingerprint)
    }
    const sums =
      "SELECT fingerprint, SUM(failures) AS failures, SUM(dismissed) AS dismissed, MAX(last_at) AS last_at " +
      `FROM ${table.name}${ofName} GROUP BY fingerprint`
    const statement = {
      sql: `SELECT fingerprint, ${by} AS place FROM (${sums}) AS g WHERE ${conditions.join(" AND ")} ` +
        `ORDER BY ${by} DESC, fingerprint LIMIT ?`,
      params: [...params, limit + 1]
    }
    return reads.use((db) =>
      Effect.gen(function*() {
        const rows = yield* db.all(statement)
        const shown = rows.slice(0, limit)
        const items = yield* groupsOf(db, shown.map((row) => row["fingerprint"] as string)) // safe: a text column
        const last = shown[limit - 1]
        const more = rows.length > limit && last !== undefined
        return {
          items,
          nextCursor: more ? PageCursor.write([Number(last["place"]), last["fingerprint"] as string]) : null
        }
      })
    )
  }

  // Rows of several instances, while `foldGone` may be moving some of them: whoever of the two gives way asks again.
  const dismiss = (fingerprint: string) =>
    connections.transaction((db) =>
      Effect.gen(function*() {
        if (!PageCursor.isPlain(fingerprint)) return false
        const rows = yield* selectIn(sql, db, table, "instance", "fingerprint", [fingerprint], dialect.forUpdate)
        if (rows.length === 0) return false
        yield* db.run({
          sql: `UPDATE ${table.name} SET dismissed = failures WHERE fingerprint = ?`,
          params: [fingerprint]
        })
        return true
      })
    ).pipe(Effect.retry({ times: 3, while: (error) => dialect.problemOf(error) === "busy" }))

  return { list, get, dismiss }
}

// ── what maintain does ───────────────────────────────────────────────────────────────────────────────────────────────

const step = 500
const maxSteps = 20

const removeRows = ({ tables }: Sql, db: Db, rows: ReadonlyArray<Row>) =>
  Effect.forEach(rows, (row) =>
    db.all({
      sql: `DELETE FROM ${tables.errors.name} WHERE fingerprint = ? AND instance = ?`,
      params: [row["fingerprint"] as string, row["instance"] as string] // safe: text columns
    }), { discard: true })

/** Adds rows of instances that are gone to the ones that are nobody's. */
const foldGone = (sql: Sql, connections: Connections) =>
  connections.transaction((db) =>
    Effect.gen(function*() {
      const { dialect, tables } = sql
      const gone = yield* db.all({
        sql: `SELECT id FROM ${tables.instances.name} WHERE state = 'gone' LIMIT ${step}`,
        params: []
      })
      const ids = gone.map((row) => row["id"] as string) // safe: a text column
      const tail = ` LIMIT ${step}${dialect.skipLocked}`
      const rows = yield* selectIn(sql, db, tables.errors, "*", "instance", ids, tail)
      if (rows.length === 0) return 0
      yield* removeRows(sql, db, rows)
      const groups = new Map<string, Failures>()
      const dismissed = new Map<string, number>()
      for (const [fingerprint, some] of byFingerprint(rows)) {
        const group = groupOf(some)
        dismissed.set(fingerprint, group.dismissed)
        groups.set(fingerprint, {
          fingerprint,
          task: nameText(group.taskName),
          failures: group.count,
          firstAt: group.firstSeenAt,
          lastAt: group.lastSeenAt,
          lastTask: group.lastTask,
          sample: JSON.stringify(group.sample)
        })
      }
      const folded = failureRows(groups, countedFor, dismissed)
      yield* Effect.forEach(dialect.countFailures(tables.errors, folded), db.all, { discard: true })
      return rows.length
    })
  )

/** Removes some of the rows last seen before `cutoff`. */
const forgetSome = (sql: Sql, connections: Connections, cutoff: number) =>
  connections.transaction((db) =>
    Effect.gen(function*() {
      const rows = yield* db.all({
        sql: `SELECT fingerprint, instance FROM ${sql.tables.errors.name} WHERE last_at < ? ORDER BY last_at ` +
          `LIMIT ${step}${sql.dialect.skipLocked}`,
        params: [cutoff]
      })
      yield* removeRows(sql, db, rows)
      return rows.length
    })
  )

const maxRows = 2 * maxErrorGroups

const repeated = (body: Effect.Effect<number, unknown>) =>
  Effect.gen(function*() {
    for (let steps = 0; steps < maxSteps; steps += 1) if ((yield* body) < step) return
  })

/** In bounded steps. */
export const maintain = (sql: Sql, connections: Connections, now: number) =>
  Effect.gen(function*() {
    yield* repeated(foldGone(sql, connections))
    yield* repeated(forgetSome(sql, connections, now - errorsKept))
    const beyond = {
      sql: `SELECT last_at FROM ${sql.tables.errors.name} ORDER BY last_at DESC LIMIT 1 OFFSET ?`,
      params: [maxRows]
    }
    const [oldest] = yield* connections.use((db) => db.all(beyond))
    if (oldest !== undefined) yield* repeated(forgetSome(sql, connections, Number(oldest["last_at"]) + 1))
  })
