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

interface Lanes {
  /** Of each name the newest version that has ready rows and that the instance knows, and the oldest that has some. */
  readonly found: ReadonlyArray<{ readonly version: number; readonly oldest: number; readonly of: Wanted }>
  /** Whether there are suspects, of any name. */
  readonly hasSuspects: boolean
}

// Found by skipping, not by counting. A round trip costs more than the index ranges that are looked at beside: with the oldest
// version and the suspects asked for by themselves a claim took two more.
const lanesOf = ({ dialect, tables }: Sql, db: Db, wanted: ReadonlyArray<Wanted>): Effect.Effect<Lanes, unknown> => {
  const live = tables.live.name
  const most = (which: "MAX" | "MIN", below: string) =>
    dialect.edge(which, "version", `${live} l WHERE l.task = ? AND l.ready = 1${below}`)
  const suspects = `(SELECT 1 FROM ${live} s WHERE s.ready = 2 LIMIT 1)`
  const first = wanted.map((_, index) =>
    `SELECT ${most("MAX", " AND l.version <= ?")} AS version, ${most("MIN", "")} AS oldest, ? AS at, ` +
    `${index === 0 ? suspects : "NULL"} AS suspects`
  ).join(" UNION ALL ")
  const params = wanted.flatMap(({ task, version }, index) => [task, version, task, index])
  return Effect.map(db.all({ sql: first, params }), (rows) => ({
    found: rows.flatMap((row) =>
      row["version"] === null
        ? []
        : [{ version: Number(row["version"]), oldest: Number(row["oldest"]), of: wanted[Number(row["at"])]! }]
    ),
    hasSuspects: rows.some((row) => row["suspects"] !== null)
  }))
}

// One statement asks for this many names; SQLite takes 500 parts of a UNION.
const namesTogether = 200

interface Heads {
  readonly heads: ReadonlyArray<Head>
  readonly hasSuspects: boolean
}

/** The first ready rows of each name, a few more than could be taken. */
export const headsOf = (sql: Sql, db: Db, wanted: ReadonlyArray<Wanted>): Effect.Effect<Heads, unknown> =>
  Effect.map(
    Effect.forEach(
      Array.from({ length: Math.ceil(wanted.length / namesTogether) }, (_, index) => index * namesTogether),
      (from) => headsOfSome(sql, db, wanted.slice(from, from + namesTogether))
    ),
    (groups) => ({
      heads: groups.flatMap(({ heads }) => heads).sort(before),
      hasSuspects: groups.some(({ hasSuspects }) => hasSuspects)
    })
  )

const headsOfSome = (sql: Sql, db: Db, wanted: ReadonlyArray<Wanted>) =>
  Effect.gen(function*() {
    const { tables } = sql
    const live = `${tables.live.name}${sql.dialect.byIndex(`${tables.live.name}_ready`)}`
    const heads: Array<Head> = []
    let hasSuspects = false
    // Usually one version is there. An older one shows when the oldest is not the newest known.
    let asked = wanted
    while (asked.length > 0) {
      const lanes = yield* lanesOf(sql, db, asked)
      hasSuspects ||= lanes.hasSuspects
      if (lanes.found.length === 0) break
      const one =
        `SELECT * FROM (SELECT id, task, priority, seq FROM ${live} WHERE ready = 1 AND task = ? AND version = ? ` +
        `ORDER BY priority DESC, seq LIMIT ?) AS h`
      const statement: Statement = {
        sql: lanes.found.map(() => one).join(" UNION ALL "),
        params: lanes.found.flatMap(({ of, version }) => [of.task, version, of.slots + of.window + 1 + spare])
      }
      for (const row of yield* db.all(statement)) heads.push(headOf(false)(row))
      // Older versions compete with newer ones by priority, so all of them are read.
      asked = lanes.found.flatMap(({ of, oldest, version }) =>
        oldest < version ? [{ ...of, version: version - 1 }] : []
      )
    }
    return { heads, hasSuspects }
  })

const holdsSuspect = ({ tables }: Sql, db: Db, instance: string) =>
  Effect.map(
    db.all({ sql: `SELECT seq FROM ${tables.live.name} WHERE owner = ? AND suspect = 1 LIMIT 1`, params: [instance] }),
    (rows) => rows.length > 0
  )

/** Suspects that this instance might take: none when it has one. */
export const suspectOf = (sql: Sql, db: Db, wanted: ReadonlyArray<Wanted>, instance: string) =>
  Effect.gen(function*() {
    const { dialect, tables } = sql
    const live = tables.live.name
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
