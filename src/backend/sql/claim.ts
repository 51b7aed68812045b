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
import { fencedPaused } from "./controls.js"
import type { Db, Row, Sql, Value } from "./dialect.js"
import * as Feed from "./feed.js"
import { before, type Head, headsOf, stealable, suspectOf, type Wanted } from "./heads.js"
import { deleteIn, liveById } from "./lists.js"
import { fromLive, isJoined, liveNames, liveNamesInOrder, nameText } from "./rows.js"

// Rows that become ready in one claim, and in one step of it.
const promoteStep = 500
const maxPromoteSteps = 20

/** Makes ready what is due by `now`. Answers when the next is due. */
const promote = (sql: Sql, db: Db, now: number) => {
  const { dialect, tables } = sql
  const live = tables.live.name
  const waiting = "ready IS NULL AND owner IS NULL"
  const next = { sql: `SELECT ${dialect.edge("MIN", "due_at", `${live} WHERE ${waiting}`)} AS next`, params: [] }
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
        const ids = dialect.in("id", "uuid", rows.map((one) => one["id"] as string)) // safe: a text column
        const change = `UPDATE ${liveById(sql)} SET ready = 1 + suspect, due_at = NULL WHERE ${ids.sql}`
        return Effect.zipRight(db.all({ sql: change, params: ids.params }), step(left - 1))
      })
    })
  return step(maxPromoteSteps)
}

interface Picked {
  readonly start: Array<string>
  readonly hold: Array<string>
  readonly more: Set<string>
}

/** What is left of the slots that names share, after these were started. */
const sharesLeft = ({ groups = [] }: ClaimRequest, started: ReadonlyArray<TaskRecord>) => {
  const shares = new Map<string, { slots: number }>()
  for (const { names, slots } of groups) {
    const share = { slots: names.reduce((left, name) => left - countOf(started, name), slots) }
    for (const name of names) shares.set(nameText(name), share)
  }
  return shares
}

// As in the port: each head is started, else held, else it stays, by the room of its name, its group and all together. Of
// suspects one is taken; the others are no reason to ask again at once.
const pick = (
  heads: ReadonlyArray<Head>,
  wanted: ReadonlyArray<Wanted>,
  request: ClaimRequest,
  shares: ReadonlyMap<string, { slots: number }>
): Picked => {
  const room = new Map(wanted.map(({ slots, task, window }) => [task, { slots, window }]))
  const names = new Map(wanted.map(({ name, task }) => [task, name]))
  const picked: Picked = { start: [], hold: [], more: new Set() }
  let suspectTaken = false
  const left: Array<Head> = []
  for (const head of heads) {
    const of = room.get(head.task)!
    if (head.suspect && suspectTaken) continue
    const share = shares.get(head.task)
    if (of.slots > 0 && (share === undefined || share.slots > 0) && picked.start.length < request.slots) {
      of.slots -= 1
      if (share !== undefined) share.slots -= 1
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

/** Writes the rows as this instance's if nobody else took them meanwhile. */
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
    const { dialect } = sql
    const { instance, now } = request
    const live = liveById(sql)
    const started = "status = 'running', active = 1, attempts = attempts + 1, started_at = COALESCE(started_at, ?), " +
      "attempt_started_at = ?, instance = ?, next_attempt_at = NULL, due_at = NULL"
    const set = `owner = ?, ready = NULL, claim = claim + 1, ${as === "started" ? started : "due_at = ?"}`
    const values = [instance, ...as === "started" ? [now, now, instance] : [now]]
    const list = dialect.in("id", "uuid", ids)
    // Where nobody else can write in between, reading first is faster: SQLite keeps what RETURNING answers in a table of its own,
    // 12 µs a task in place of 8.
    const alone = dialect.skipLocked === ""
    const answers = dialect.returning && !alone
    const rows = answers
      ? yield* db.all({
        sql: `UPDATE ${live} SET ${set} WHERE id IN (SELECT id FROM ${live} WHERE ${list.sql} AND ${still}` +
          `${dialect.skipLocked}) RETURNING ${liveNames}`,
        params: [...values, ...list.params, ...params]
      })
      : yield* db.wide({
        sql: `SELECT ${liveNames} FROM ${live} WHERE ${list.sql} AND ${still}${dialect.skipLocked}`,
        params: [...list.params, ...params]
      }, liveNamesInOrder)
    if (rows.length === 0) return []
    if (!answers) {
      const won = dialect.in("id", "uuid", rows.map((row) => row["id"] as string)) // safe: a text column
      yield* db.run({ sql: `UPDATE ${live} SET ${set} WHERE ${won.sql}`, params: [...values, ...won.params] })
    }
    const after = answers ? rows : rows.map((row) => rowAfter(row, request, as))
    for (const row of after) if (Number(row["claim"]) === 1 && isJoined(row)) joined.push(row["id"] as TaskId) // safe: an id
    return [...after].sort(byPriorityThenArrival).map(fromLive)
  })

const byPriorityThenArrival = (a: Row, b: Row): number =>
  Number(b["priority"]) - Number(a["priority"]) || Number(a["seq"]) - Number(b["seq"])

// What the update made of a row that was read before it.
const rowAfter = (row: Row, { instance, now }: ClaimRequest, as: "started" | "held"): Row => {
  const claim = Number(row["claim"]) + 1
  return as === "held" ? { ...row, owner: instance, claim } : {
    ...row,
    owner: instance,
    claim,
    status: "running",
    instance,
    attempts: Number(row["attempts"]) + 1,
    started_at: row["started_at"] ?? now,
    attempt_started_at: now,
    next_attempt_at: null
  }
}

const maxRounds = 3

const countOf = (records: ReadonlyArray<TaskRecord>, name: string): number =>
  records.reduce((count, { taskName }) => taskName === name ? count + 1 : count, 0)

/** Takes what fits of the ready rows, and others in the place of those that somebody else was faster with. */
const takeReady = (
  sql: Sql,
  db: Db,
  ready: ReadonlyArray<Head>,
  wanted: ReadonlyArray<Wanted>,
  request: ClaimRequest,
  joined: Array<TaskId>
) =>
  Effect.gen(function*() {
    const started: Array<TaskRecord> = []
    const pending: Array<TaskRecord> = []
    let heads = ready
    let more: ReadonlySet<string> = new Set()
    let raced = false
    for (let round = 0; round < maxRounds && heads.length > 0; round += 1) {
      const open = wanted.map((one) => ({
        ...one,
        slots: one.slots - countOf(started, one.name),
        window: one.window - countOf(pending, one.name)
      }))
      const room = { ...request, slots: request.slots - started.length, window: request.window - pending.length }
      const picked = pick(heads, open, room, sharesLeft(request, started))
      const won = yield* take(sql, db, picked.start, request, "started", "ready IS NOT NULL", [], joined)
      const held = yield* take(sql, db, picked.hold, request, "held", "ready IS NOT NULL", [], joined)
      started.push(...won)
      pending.push(...held)
      more = picked.more
      if (won.length === picked.start.length && held.length === picked.hold.length) break
      raced = true
      const tried = new Set([...picked.start, ...picked.hold])
      heads = heads.filter(({ id }) => !tried.has(id))
    }
    // Others of these names may be there. When nothing at all was won they are with somebody who is slow: a look will do.
    const names = raced && started.length + pending.length > 0 ? wanted.map(({ name }) => name) : []
    return { started, pending, more: new Set([...more, ...names]), raced }
  })

/** `claim` of the port. */
export const make = (sql: Sql, connections: Connections) => (request: ClaimRequest): Effect.Effect<Claimed, unknown> =>
  connections.transaction((db) =>
    Effect.gen(function*() {
      const paused = yield* fencedPaused(sql, db, request.instance)
      const nextDueAt = yield* promote(sql, db, request.now)
      const isPaused = new Set(paused.names)
      const known = paused.everything ? [] : request.tasks.filter(({ name }) => !isPaused.has(name))
      const wanted = known.map((task) => ({ ...task, task: nameText(task.name) }))
      if (wanted.length === 0) return { started: [], pending: [], more: [], nextDueAt, joined: [] }
      const { hasSuspects, heads } = yield* headsOf(sql, db, wanted)
      const suspects = hasSuspects ? yield* suspectOf(sql, db, wanted, request.instance) : []
      const joined: Array<TaskId> = []
      const ready = [...heads, ...suspects].sort(before)
      const { more, pending, raced, started } = yield* takeReady(sql, db, ready, wanted, request, joined)
      const free = request.slots - started.length
      const open = wanted
        .map((one) => ({ ...one, window: 0, slots: one.slots - countOf(started, one.name) }))
        .filter(({ slots }) => slots > 0)
      const idle = yield* stealable(sql, db, open, request, raced ? 0 : free)
      const stolen = pick(idle, open, { ...request, slots: free, window: 0 }, sharesLeft(request, started)).start
      const still = "owner IS NOT NULL AND owner <> ? AND active = 0"
      const taken = yield* take(sql, db, stolen, request, "started", still, [request.instance], joined)
      yield* Feed.tell(sql, db, request.instance, request.now, [...started, ...taken, ...pending])
      yield* deleteIn(sql, db, sql.tables.untold, "task_id", joined)
      return { started: [...started, ...taken], pending, more: [...more], nextDueAt, joined }
    })
  )
