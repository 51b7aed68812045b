/**
 * What could be claimed: the first ready rows of each name, suspects, and what others hold without starting it. Read
 * without a lock, each name as one range of an index, so rows of names that nobody asked for cost nothing.
 */
import * as Effect from "effect/Effect"
import type { ClaimRequest } from "../../TaskBackend.js"
import type { Db, Row, Sql, Statement } from "./dialect.js"

/** A row that could be taken. */
export interface Head {
  readonly id: string
  readonly task: string
  readonly priority: number
  readonly seq: number
  readonly suspect: boolean
}

export type Wanted = ClaimRequest["tasks"][number] & { readonly task: string }

const headOf = (suspect: boolean) => (row: Row): Head => ({
  id: row["id"] as string, // safe (both): text columns
  task: row["task"] as string,
  priority: Number(row["priority"]),
  seq: Number(row["seq"]),
  suspect
})

export const before = (a: Head, b: Head): number => b.priority - a.priority || a.seq - b.seq

// Rows of a name that others take at the same moment are passed over as far as this many more were read.
const spare = 16

/** The versions of each name that have ready rows and that the instance knows: found by skipping, not by counting. */
const lanesOf = ({ tables }: Sql, db: Db, wanted: ReadonlyArray<Wanted>) => {
  const live = tables.live.name
  const newest = (task: string, below: string) =>
    `(SELECT MAX(version) FROM ${live} l WHERE l.task = ${task} AND l.ready = 1 AND l.version ${below})`
  const first = wanted.map(() => `SELECT ${newest("?", "<= ?")} AS version, ? AS at`).join(" UNION ALL ")
  return Effect.map(
    db.all({ sql: first, params: wanted.flatMap(({ task, version }, index) => [task, version, index]) }),
    (rows) =>
      rows.flatMap((row) =>
        row["version"] === null ? [] : [{ version: Number(row["version"]), of: wanted[Number(row["at"])]! }]
      )
  )
}

// One statement asks for this many names; SQLite takes 500 parts of a UNION.
const namesTogether = 200

/** The first ready rows of each name, a few more than could be taken. */
export const headsOf = (sql: Sql, db: Db, wanted: ReadonlyArray<Wanted>) =>
  Effect.map(
    Effect.forEach(
      Array.from({ length: Math.ceil(wanted.length / namesTogether) }, (_, index) => index * namesTogether),
      (from) => headsOfSome(sql, db, wanted.slice(from, from + namesTogether))
    ),
    (groups) => groups.flat().sort(before)
  )

const headsOfSome = (sql: Sql, db: Db, wanted: ReadonlyArray<Wanted>) =>
  Effect.gen(function*() {
    const { tables } = sql
    const live = tables.live.name
    const heads: Array<Head> = []
    // Usually one version is there. An older one shows when the newest known gave less than was asked for.
    let asked = wanted
    while (asked.length > 0) {
      const lanes = yield* lanesOf(sql, db, asked)
      if (lanes.length === 0) break
      const one =
        `SELECT * FROM (SELECT id, task, priority, seq FROM ${live} WHERE ready = 1 AND task = ? AND version = ? ` +
        `ORDER BY priority DESC, seq LIMIT ?) AS h`
      const statement: Statement = {
        sql: lanes.map(() => one).join(" UNION ALL "),
        params: lanes.flatMap(({ of, version }) => [of.task, version, of.slots + of.window + 1 + spare])
      }
      for (const row of yield* db.all(statement)) heads.push(headOf(false)(row))
      // Older versions compete with newer ones by priority, so all of them are read.
      asked = lanes.map(({ of, version }) => ({ ...of, version: version - 1 }))
    }
    return heads
  })

const holdsSuspect = ({ tables }: Sql, db: Db, instance: string) =>
  Effect.map(
    db.all({ sql: `SELECT seq FROM ${tables.live.name} WHERE owner = ? AND suspect = 1 LIMIT 1`, params: [instance] }),
    (rows) => rows.length > 0
  )

export const suspectOf = (sql: Sql, db: Db, wanted: ReadonlyArray<Wanted>, instance: string) =>
  Effect.gen(function*() {
    const { dialect, tables } = sql
    const live = tables.live.name
    const any = yield* db.all({ sql: `SELECT seq FROM ${live} WHERE ready = 2 LIMIT 1`, params: [] })
    if (any.length === 0) return []
    if (yield* holdsSuspect(sql, db, instance)) return []
    const names = dialect.in("task", "name", wanted.map(({ task }) => task))
    const rows = yield* db.all({
      sql: `SELECT id, task, priority, seq, version FROM ${live} WHERE ready = 2 AND ${names.sql} ` +
        `ORDER BY priority DESC, seq LIMIT 50`,
      params: names.params
    })
    const known = rows.filter((row) =>
      wanted.some(({ task, version }) => task === row["task"] && Number(row["version"]) <= version)
    )
    return known.map(headOf(true))
  })

/** What others hold without starting it; of suspects one at most, and none when this instance has one. */
export const stealable = (sql: Sql, db: Db, wanted: ReadonlyArray<Wanted>, request: ClaimRequest, slots: number) =>
  Effect.gen(function*() {
    if (request.stealAfter === null || slots === 0 || wanted.length === 0) return []
    const { dialect, tables } = sql
    const names = dialect.in("task", "name", wanted.map(({ task }) => task))
    const rows = yield* db.all({
      sql: `SELECT id, task, priority, seq, version, suspect FROM ${tables.live.name} WHERE owner IS NOT NULL AND ` +
        `owner <> ? AND active = 0 AND due_at < ? AND ${names.sql} ORDER BY priority DESC, seq LIMIT ?`,
      params: [request.instance, request.now - request.stealAfter, ...names.params, slots * 2 + 10]
    })
    const known = rows.filter((row) =>
      wanted.some(({ task, version }) => task === row["task"] && Number(row["version"]) <= version)
    )
    if (known.every((row) => Number(row["suspect"]) === 0)) return known.map(headOf(false))
    let mayHaveOne = !(yield* holdsSuspect(sql, db, request.instance))
    return known.map((row) => headOf(Number(row["suspect"]) === 1)(row)).filter(({ suspect }) => {
      if (!suspect) return true
      const takes = mayHaveOne
      mayHaveOne = false
      return takes
    })
  })
