/**
 * How many tasks fit, counted up to a bound: walks along indexes that each stop after so many entries, all in one statement.
 *
 * Where an index has exactly what is asked for, nothing but its entries is read. Elsewhere the rows behind them are looked at,
 * and those that do not fit are counted too: a walk that comes to its end says nothing of what is behind it.
 */
import * as Effect from "effect/Effect"
import * as Counting from "../../internal/counting.js"
import { idFrom } from "../../internal/idTimes.js"
import { askable } from "../../internal/listing.js"
import type { Counted, CountQuery, Unfinished } from "../../TaskQuery.js"
import { isTerminal, type TaskStatus } from "../../TaskStatus.js"
import type { Connections } from "./connections.js"
import type { Sql, Statement, Value } from "./dialect.js"
import { isOwned } from "./reads.js"
import { nameText, scheduleHash, tagHash } from "./rows.js"

type Conditions = ReadonlyArray<readonly [sql: string, ...params: ReadonlyArray<Value>]>

/** A range of an index in its order. `own`: the statuses of its rows that count, which it may have others of. */
interface Walk {
  readonly from: string
  readonly range: Conditions
  readonly order: string
  readonly own: ReadonlyArray<TaskStatus>
  /** What a row must be besides. */
  readonly fits: Conditions
  /** The only status that its rows have. */
  readonly only?: TaskStatus
  /** Its rows have not ended. */
  readonly unended?: boolean
}

// Of an unfinished row, told apart from the others that run. In the answers only: indexes have the status.
const waiting = "retrying"
const unendedStatus = `CASE WHEN status = 'running' AND active = 0 THEN '${waiting}' ELSE status END`

const joined = (conditions: Conditions): Statement => ({
  sql: conditions.map(([sql]) => sql).join(" AND "),
  params: conditions.flatMap(([, ...params]) => params)
})

const whereOf = (conditions: Conditions): string => conditions.length === 0 ? "" : ` WHERE ${joined(conditions).sql}`

/** Answers rows `walk, status, many`; the status is null of rows that do not fit. */
const statementOf = (walk: Walk, index: number, most: number, done: string): Statement => {
  const { from, only, order, range } = walk
  const fits = joined(walk.fits)
  const isExact = fits.sql === "" && only !== undefined
  const columns = isExact
    ? "1"
    : `id, status, task, source, priority, schedule${walk.unended === true ? ", active" : ""}`
  const inner = `SELECT ${columns} FROM ${from}${whereOf(range)} ORDER BY ${order} LIMIT ?`
  const rows = [...joined(range).params, isExact ? most : Counting.lookedAt(most)]
  if (isExact) {
    return { sql: `SELECT ${index} AS walk, '${only}' AS status, COUNT(*) AS many FROM (${inner}) AS r`, params: rows }
  }
  const limit = Counting.lookedAt(most)
  if (only !== undefined) {
    // By entries of the index first: PostgreSQL would rather read the rows of another one, however many do not fit. The limit
    // around them keeps MariaDB from looking for `g` in the wrong place.
    const ids = `SELECT id FROM ${from}${whereOf(range)} ORDER BY ${order} LIMIT ?`
    return {
      sql: `SELECT ${index} AS walk, status, COUNT(*) AS many FROM (SELECT (SELECT status FROM ${done} AS r ` +
        `WHERE r.id = g.id AND ${fits.sql}) AS status FROM (${ids}) AS g LIMIT ?) AS r GROUP BY status`,
      params: [...fits.params, ...joined(range).params, limit, limit]
    }
  }
  const word = walk.unended === true ? unendedStatus : "status"
  const status = fits.sql === "" ? word : `CASE WHEN ${fits.sql} THEN ${word} END`
  return {
    sql: `SELECT ${index} AS walk, ${status} AS status, COUNT(*) AS many FROM (${inner}) AS r GROUP BY 2`,
    params: [...fits.params, ...rows]
  }
}

const unended = ["pending", "running"] as const

const partsOf = ({ dialect, tables }: Sql, query: CountQuery) => {
  const { errorGroup, priority, schedule, source, tag, taskName } = query
  const live = tables.live.name
  const done = tables.done.name
  const asked = Counting.askedOf(query.status)
  const ends = asked.filter((status) => isTerminal(status))
  const waits = unended.filter((status) => asked.includes(status))
  const first = query.since === undefined ? null : idFrom(query.since)
  const end = query.until === undefined ? null : idFrom(query.until)
  const createdBy = (id: string): Conditions => [
    ...first === null ? [] : [[`${id} >= ?`, first]] as const,
    ...end === null ? [] : [[`${id} < ?`, end]] as const
  ]
  const created = createdBy("id")
  const given = <A>(value: A | undefined, ...condition: Conditions[number]): Conditions =>
    value === undefined ? [] : [condition]
  const name = given(taskName, "task = ?", taskName === undefined ? null : nameText(taskName))
  const ofSource = given(source, "source = ?", source ?? null)
  const ofPriority = given(priority, "priority = ?", priority ?? null)
  const ofTag = given(
    tag,
    `EXISTS (SELECT 1 FROM ${tables.tags.name} WHERE hash = ? AND task_id = r.id)`,
    tag === undefined ? null : tagHash(tag[0], tag[1])
  )
  const ofSchedule = given(schedule, "schedule = ?", schedule === undefined ? null : scheduleHash(schedule))
  const any = [...name, ...ofSource, ...ofPriority, ...ofTag]
  const by = (index: string) => `${done}${dialect.byIndex(`${done}_${index}`)}`
  const newest = "id DESC"

  // Of finished tasks one index has them all; of unfinished ones there is none, or one.
  const rare = (): readonly [index: string, range: Conditions, fits: Conditions] | null => {
    if (priority !== undefined && priority !== 0) {
      return ["priority", [...ofPriority, ["priority <> 0"]], [...name, ...ofSource]]
    }
    return source !== undefined && source !== "manual"
      ? ["source", [...ofSource, ["source <> 'manual'"]], [...name, ...ofPriority]]
      : null
  }

  const finished = (): ReadonlyArray<Walk> => {
    if (ends.length === 0) return []
    const of = (index: string, range: Conditions, fits: Conditions): Walk => ({
      from: by(index),
      range: [...range, ...created],
      order: newest,
      own: ends,
      fits
    })
    if (schedule !== undefined) return [of("schedule", ofSchedule, any)]
    const found = rare()
    if (found !== null) return [of(...found)]
    return ends.map((status) => ({
      ...of(taskName === undefined ? "status" : "task", [...name, [`status = '${status}'`]], [
        ...ofSource,
        ...ofPriority
      ]),
      own: [status],
      only: status
    }))
  }

  /** What is ready, what waits for its time, what has an owner, and what waits for its next attempt. */
  const backlog = (): ReadonlyArray<Walk> => {
    const rest = [...created, ...ofSource, ...ofPriority, ...ofTag]
    const of = (range: Conditions, order: string, fits: Conditions, own: ReadonlyArray<TaskStatus>): Walk => ({
      from: live,
      range,
      order,
      own,
      fits,
      unended: true
    })
    const walks: Array<Walk> = [of([[isOwned]], "owner", [...name, ...rest], waits)]
    if (waits.includes("pending")) {
      walks.push(
        of([["ready = 1"], ...name], `${taskName === undefined ? "task, " : ""}version, priority DESC, seq`, rest, [
          "pending"
        ]),
        of([["ready = 2"]], "seq", [...name, ...rest], ["pending"]),
        of([["ready IS NULL"], ["owner IS NULL"]], "due_at", [...name, ...rest], ["pending"])
      )
    }
    if (waits.includes("running")) {
      walks.push(of(
        [["next_attempt_at IS NOT NULL"], ["owner IS NULL"]],
        dialect.kind === "mysql" ? "owner, next_attempt_at" : "id",
        [...name, ...rest],
        ["running"]
      ))
    }
    return walks
  }

  const unfinished = (): ReadonlyArray<Walk> => {
    if (waits.length === 0) return []
    if (schedule === undefined) return backlog()
    const of = { from: live, order: newest, own: waits, unended: true }
    // No index there has those alone.
    return dialect.kind === "mysql"
      ? [{ ...of, order: "seq", range: [], fits: [...created, ...any, ...ofSchedule] }]
      : [{ ...of, range: [...ofSchedule, ...created], fits: any }]
  }

  const failed: Walk = {
    from: by("fingerprint"),
    range: [["fingerprint = ?", errorGroup ?? null], ...created],
    order: newest,
    own: ["failed"],
    fits: [...any, ...ofSchedule],
    only: "failed"
  }
  return {
    asked,
    createdBy,
    failed,
    fits: [...name, ...ofSource, ...ofPriority],
    walks: () => [...unfinished(), ...finished()]
  }
}

/** By tag: of each task that has it, its status, wherever it is. */
const taggedStatement = (
  { tables }: Sql,
  hash: string,
  { createdBy, fits }: Pick<ReturnType<typeof partsOf>, "createdBy" | "fits">,
  most: number
): Statement => {
  const range: Conditions = [["hash = ?", hash], ...createdBy("task_id")]
  const statusIn = (table: string, word = "status") =>
    `(SELECT ${word} FROM ${table} WHERE id = g.task_id${fits.map(([sql]) => ` AND ${sql}`).join("")})`
  const own = joined(fits).params
  const limit = Counting.lookedAt(most)
  return {
    // The limit around them keeps MariaDB from looking for `g` in the wrong place.
    sql: `SELECT 0 AS walk, status, COUNT(*) AS many FROM (SELECT COALESCE(${statusIn(tables.done.name)}, ` +
      `${statusIn(tables.live.name, unendedStatus)}) AS status FROM (SELECT task_id FROM ${tables.tags.name}${
        whereOf(range)
      } ` +
      "ORDER BY task_id DESC LIMIT ?) AS g LIMIT ?) AS r GROUP BY status",
    params: [...own, ...own, ...joined(range).params, limit, limit]
  }
}

export const make = (sql: Sql, connections: Pick<Connections, "use">) => {
  const run = (statement: Statement) => connections.use((db) => db.all(statement))

  const count = (asked: CountQuery, limit: number): Effect.Effect<Counted, unknown> =>
    Effect.suspend(() => {
      const most = Counting.countedTo(limit)
      const query = askable(asked)
      // No id is that late.
      if (query === null || (query.since !== undefined && idFrom(query.since) === null)) {
        return Effect.succeed(Counting.noCounts)
      }
      const parts = partsOf(sql, query)
      const byTag = query.tag !== undefined && query.errorGroup === undefined && query.schedule === undefined
      const walks = query.errorGroup !== undefined ? [parts.failed] : byTag ? [] : parts.walks()
      const statements = byTag
        ? [taggedStatement(sql, tagHash(...query.tag), parts, most)]
        : walks.map((walk, index) => statementOf(walk, index, most, sql.tables.done.name))
      if (parts.asked.length === 0 || statements.length === 0) return Effect.succeed(Counting.noCounts)
      const text = statements.length === 1
        ? statements[0]!.sql
        : statements.map((one) => `SELECT * FROM (${one.sql}) AS w`).join(" UNION ALL ")
      return Effect.map(run({ sql: text, params: statements.flatMap(({ params }) => params) }), (rows) => {
        const found = new Map<TaskStatus, number>()
        const looked = new Map<number, number>()
        let retrying = 0
        for (const row of rows) {
          const walk = Number(row["walk"])
          const many = Number(row["many"])
          const told = row["status"] as TaskStatus | typeof waiting | null // safe: our own words
          const status = told === waiting ? "running" : told
          looked.set(walk, (looked.get(walk) ?? 0) + many)
          const own = walks[walk]?.own ?? parts.asked
          if (status !== null && parts.asked.includes(status) && own.includes(status)) {
            found.set(status, (found.get(status) ?? 0) + many)
            if (told === waiting) retrying += many
          }
        }
        const stopped = new Set<TaskStatus>()
        for (const [walk, many] of looked) {
          if (many >= Counting.lookedAt(most)) {
            for (const status of walks[walk]?.own ?? parts.asked) stopped.add(status)
          }
        }
        return Counting.counted(found, most, stopped, retrying)
      })
    })

  const unfinished: Effect.Effect<Unfinished, unknown> = Effect.suspend(() =>
    Effect.map(
      run({
        sql: `SELECT task, status, COUNT(*) AS many FROM ` +
          `(SELECT task, status FROM ${sql.tables.live.name} LIMIT ?) AS r GROUP BY task, status`,
        params: [Counting.unfinishedLooked]
      }),
      (rows) => {
        const byName = new Map<string, { readonly taskName: string; pending: number; running: number }>()
        let looked = 0
        for (const row of rows) {
          const text = row["task"] as string // safe (and below): a text column, and our own word
          const one = byName.get(text) ?? { taskName: JSON.parse(text) as string, pending: 0, running: 0 }
          byName.set(text, one)
          one[row["status"] as "pending" | "running"] += Number(row["many"])
          looked += Number(row["many"])
        }
        return Counting.byName([...byName.values()], looked >= Counting.unfinishedLooked)
      }
    )
  )

  return { count, unfinished }
}
