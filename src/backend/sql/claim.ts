/**
 * Claiming: what is due becomes ready, the first of each name are read, the best of them are locked and taken.
 *
 * The heads of the names are read one index range each, so rows of names that nobody asked for cost nothing however many
 * stand in front. Which of the heads are taken is decided here, because slots are counted by name and together.
 */
import * as Effect from "effect/Effect"
import type { Claimed, ClaimRequest } from "../../TaskBackend.js"
import type { TaskId } from "../../TaskId.js"
import type { TaskRecord } from "../../TaskRecord.js"
import type { Connections } from "./connections.js"
import type { Db, Row, Sql, Statement, Value } from "./dialect.js"
import { fromLive, isJoined, nameText } from "./rows.js"
import { fence } from "./write.js"

// Rows that become ready in one claim, and in one step of it.
const promoteStep = 500
const maxPromoteSteps = 20

/** A row that could be taken. */
interface Head {
  readonly id: string
  readonly task: string
  readonly priority: number
  readonly seq: number
  readonly suspect: boolean
}

type Wanted = ClaimRequest["tasks"][number] & { readonly task: string }

const headOf = (suspect: boolean) => (row: Row): Head => ({
  id: row["id"] as string, // safe (both): text columns
  task: row["task"] as string,
  priority: Number(row["priority"]),
  seq: Number(row["seq"]),
  suspect
})

const before = (a: Head, b: Head): number => b.priority - a.priority || a.seq - b.seq

/** Makes ready what is due by `now`. Answers when the next is due. */
const promote = ({ dialect, tables }: Sql, db: Db, now: number) => {
  const live = tables.live.name
  const waiting = "ready IS NULL AND owner IS NULL"
  const next = { sql: `SELECT MIN(due_at) AS next FROM ${live} WHERE ${waiting}`, params: [] }
  const due = {
    sql:
      `SELECT id FROM ${live} WHERE ${waiting} AND due_at <= ? ORDER BY due_at LIMIT ${promoteStep}${dialect.skipLocked}`,
    params: [now]
  }
  const step = (left: number): Effect.Effect<number | null, unknown> =>
    Effect.flatMap(db.all(next), ([row]) => {
      const at = row?.["next"] === null || row === undefined ? null : Number(row["next"])
      if (at === null || at > now || left === 0) return Effect.succeed(at)
      return Effect.flatMap(db.all(due), (rows) => {
        if (rows.length === 0) return Effect.succeed(at)
        const { params, sql } = dialect.in("id", "uuid", rows.map((one) => one["id"] as string)) // safe: a text column
        const change = { sql: `UPDATE ${live} SET ready = 1 + suspect, due_at = NULL WHERE ${sql}`, params }
        return Effect.zipRight(db.all(change), step(left - 1))
      })
    })
  return step(maxPromoteSteps)
}

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

/** The first ready rows of each name, one more than could be taken. */
const headsOf = (sql: Sql, db: Db, wanted: ReadonlyArray<Wanted>) =>
  Effect.gen(function*() {
    const { dialect, tables } = sql
    const live = tables.live.name
    const heads: Array<Head> = []
    // Usually one version is there. An older one shows when the newest known gave less than was asked for.
    let asked = wanted
    while (asked.length > 0) {
      const lanes = yield* lanesOf(sql, db, asked)
      if (lanes.length === 0) break
      const one =
        `SELECT * FROM (SELECT id, task, priority, seq FROM ${live} WHERE ready = 1 AND task = ? AND version = ? ` +
        `ORDER BY priority DESC, seq LIMIT ?${dialect.kind === "postgres" ? dialect.skipLocked : ""}) AS h`
      const statement: Statement = {
        sql: lanes.map(() => one).join(" UNION ALL "),
        params: lanes.flatMap(({ of, version }) => [of.task, version, of.slots + of.window + 1])
      }
      for (const row of yield* db.all(statement)) heads.push(headOf(false)(row))
      // Older versions compete with newer ones by priority, so all of them are read.
      asked = lanes.map(({ of, version }) => ({ ...of, version: version - 1 }))
    }
    return heads.sort(before)
  })

const holdsSuspect = ({ tables }: Sql, db: Db, instance: string) =>
  Effect.map(
    db.all({ sql: `SELECT seq FROM ${tables.live.name} WHERE owner = ? AND suspect = 1 LIMIT 1`, params: [instance] }),
    (rows) => rows.length > 0
  )

const suspectOf = (sql: Sql, db: Db, wanted: ReadonlyArray<Wanted>, instance: string) =>
  Effect.gen(function*() {
    const { dialect, tables } = sql
    const live = tables.live.name
    const any = yield* db.all({ sql: `SELECT seq FROM ${live} WHERE ready = 2 LIMIT 1`, params: [] })
    if (any.length === 0) return []
    if (yield* holdsSuspect(sql, db, instance)) return []
    const names = dialect.in("task", "name", wanted.map(({ task }) => task))
    const rows = yield* db.all({
      sql: `SELECT id, task, priority, seq, version FROM ${live} WHERE ready = 2 AND ${names.sql} ` +
        `ORDER BY priority DESC, seq LIMIT 50${dialect.skipLocked}`,
      params: names.params
    })
    const known = rows.filter((row) =>
      wanted.some(({ task, version }) => task === row["task"] && Number(row["version"]) <= version)
    )
    return known.map(headOf(true))
  })

/** What others hold without starting it; of suspects one at most, and none when this instance has one. */
const stealable = (sql: Sql, db: Db, wanted: ReadonlyArray<Wanted>, request: ClaimRequest, slots: number) =>
  Effect.gen(function*() {
    if (request.stealAfter === null || slots === 0 || wanted.length === 0) return []
    const { dialect, tables } = sql
    const names = dialect.in("task", "name", wanted.map(({ task }) => task))
    const rows = yield* db.all({
      sql: `SELECT id, task, priority, seq, version, suspect FROM ${tables.live.name} WHERE owner IS NOT NULL AND ` +
        `owner <> ? AND active = 0 AND due_at < ? AND ${names.sql} ORDER BY priority DESC, seq LIMIT ?${dialect.skipLocked}`,
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

interface Picked {
  readonly start: Array<string>
  readonly hold: Array<string>
  readonly more: Set<string>
}

// As in the port: each head is started, else held, else it stays, by the room of its name and of all together. Of suspects
// one is taken; the others are no reason to ask again at once.
const pick = (heads: ReadonlyArray<Head>, wanted: ReadonlyArray<Wanted>, request: ClaimRequest): Picked => {
  const room = new Map(wanted.map(({ slots, task, window }) => [task, { slots, window }]))
  const names = new Map(wanted.map(({ name, task }) => [task, name]))
  const picked: Picked = { start: [], hold: [], more: new Set() }
  let suspectTaken = false
  const left: Array<Head> = []
  for (const head of heads) {
    const of = room.get(head.task)!
    if (head.suspect && suspectTaken) continue
    if (of.slots > 0 && picked.start.length < request.slots) {
      of.slots -= 1
      picked.start.push(head.id)
    } else if (of.window > 0 && picked.hold.length < request.window) {
      of.window -= 1
      picked.hold.push(head.id)
    } else {
      left.push(head)
      continue
    }
    suspectTaken ||= head.suspect
  }
  for (const { suspect, task } of left) if (!suspect || !suspectTaken) picked.more.add(names.get(task)!)
  return picked
}

/** Locks the rows if nobody else took them meanwhile, and writes them as this instance's. */
const take = (
  sql: Sql,
  db: Db,
  ids: ReadonlyArray<string>,
  request: ClaimRequest,
  as: "started" | "held",
  still: string,
  params: ReadonlyArray<Value>,
  joined: Array<TaskId>
) =>
  Effect.gen(function*() {
    if (ids.length === 0) return []
    const { dialect, tables } = sql
    const live = tables.live.name
    const list = dialect.in("id", "uuid", ids)
    const rows = yield* db.all({
      sql: `SELECT * FROM ${live} WHERE ${list.sql} AND ${still} ORDER BY priority DESC, seq${dialect.skipLocked}`,
      params: [...list.params, ...params]
    })
    if (rows.length === 0) return []
    const won = dialect.in("id", "uuid", rows.map((row) => row["id"] as string)) // safe: a text column
    const { instance, now } = request
    const started = "status = 'running', active = 1, attempts = attempts + 1, started_at = COALESCE(started_at, ?), " +
      "attempt_started_at = ?, instance = ?, next_attempt_at = NULL, due_at = NULL"
    const change: Statement = {
      sql:
        `UPDATE ${live} SET owner = ?, ready = NULL, claim = claim + 1, ${as === "started" ? started : "due_at = ?"} ` +
        `WHERE ${won.sql}`,
      params: [instance, ...as === "started" ? [now, now, instance] : [now], ...won.params]
    }
    yield* db.all(change)
    for (const row of rows) if (Number(row["claim"]) === 0 && isJoined(row)) joined.push(row["id"] as TaskId) // safe: an id
    return rows.map(fromLive).map((record): TaskRecord => {
      const mine = { ...record, owner: instance, claim: record.claim + 1 }
      if (as === "held") return mine
      return {
        ...mine,
        status: "running",
        instance,
        attempts: record.attempts + 1,
        startedAt: record.startedAt ?? now,
        attemptStartedAt: now,
        nextAttemptAt: null
      }
    })
  })

/** `claim` of the port. */
export const make = (sql: Sql, connections: Connections) => (request: ClaimRequest): Effect.Effect<Claimed, unknown> =>
  connections.transaction((db) =>
    Effect.gen(function*() {
      yield* fence(sql, db, request.instance)
      const nextDueAt = yield* promote(sql, db, request.now)
      const wanted = request.tasks.map((task) => ({ ...task, task: nameText(task.name) }))
      if (wanted.length === 0) return { started: [], pending: [], more: [], nextDueAt, joined: [] }
      const heads = yield* headsOf(sql, db, wanted)
      const suspects = yield* suspectOf(sql, db, wanted, request.instance)
      const joined: Array<TaskId> = []
      const { hold, more, start } = pick([...heads, ...suspects].sort(before), wanted, request)
      const started = yield* take(sql, db, start, request, "started", "ready IS NOT NULL", [], joined)
      const pending = yield* take(sql, db, hold, request, "held", "ready IS NOT NULL", [], joined)
      // Somebody was faster with some of them, so others of these names may be there.
      const raced = started.length < start.length || pending.length < hold.length
      if (raced) { for (const { name } of wanted) more.add(name) }
      const free = request.slots - started.length
      const open = wanted
        .map((one) => ({
          ...one,
          window: 0,
          slots: one.slots - started.filter(({ taskName }) => taskName === one.name).length
        }))
        .filter(({ slots }) => slots > 0)
      const idle = yield* stealable(sql, db, open, request, raced ? 0 : free)
      const stolen = pick(idle, open, { ...request, slots: free, window: 0 }).start
      const still = "owner IS NOT NULL AND owner <> ? AND active = 0"
      const taken = yield* take(sql, db, stolen, request, "started", still, [request.instance], joined)
      return { started: [...started, ...taken], pending, more: [...more], nextDueAt, joined }
    })
  )
