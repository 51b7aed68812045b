/**
 * The feed: the rows of `batches` are it. Whoever writes a batch writes its row; what the backend changes by itself (claims,
 * reaps, cancels) has a lane of its own in each instance; what came about in a transaction of the application is written
 * down in it as `untold`, and told by the first that reads the feed behind its commit.
 *
 * A lane is written by one after the other, so its numbers become visible in their order, and a reader that remembers one
 * number for each lane misses nothing.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { FeedPage, FeedQuery, TaskChange } from "../../TaskChange.js"
import type { InstanceId } from "../../TaskEvent.js"
import type { TaskRecord } from "../../TaskRecord.js"
import { type Connections, transactionConnection } from "./connections.js"
import type { Db, Row, Sql } from "./dialect.js"
import { fromDone } from "./doneRows.js"
import * as FeedText from "./feedText.js"
import { selectIn } from "./lists.js"
import { fromLive } from "./rows.js"

/** Which instance this backend speaks for; null until one attached. */
export interface Identity {
  id: InstanceId | null
}

type Lane = "own" | "joined"

// In the order of a cursor's numbers: to be appended to, never changed.
const lanes = ["journal", "own", "joined"] as const

/** How long rows of `batches` are kept, in milliseconds. */
export const kept = 10 * 60_000

// A cursor that is older than this may have missed what is forgotten by now.
const cursorKept = kept - 60_000

// An instance that is gone writes no more; for so long its last rows may be unread.
const goneFor = 2 * kept

const untoldStep = 500

/** Tells of records as they are now, in the transaction that made them so. Nothing is told before an instance attached. */
export const tell = (
  { dialect, tables }: Sql,
  db: Db,
  instance: InstanceId | null,
  now: number,
  records: ReadonlyArray<TaskRecord>,
  lane: Lane = "own"
) => {
  if (instance === null || records.length === 0) return Effect.void
  const batches = tables.batches.name
  const last = dialect.edge("MAX", "n", `${batches} WHERE instance = ? AND lane = ?`)
  return Effect.asVoid(db.run({
    sql: `INSERT INTO ${batches} (instance, lane, n, at, outcomes) ` +
      `SELECT id, ${dialect.text("?")}, COALESCE(${last}, 0) + 1, ${dialect.number("?")}, ${dialect.text("?")} ` +
      `FROM ${tables.instances.name} WHERE id = ?`,
    params: [lane, instance, lane, now, `0\n${FeedText.ofRecords(instance, records)}`, instance]
  }))
}

/** Writes down, in a transaction of the application, what is to be told when it is committed. */
export const untold = (
  { dialect, tables }: Sql,
  db: Db,
  records: ReadonlyArray<Pick<TaskRecord, "taskId" | "claim">>,
  now: number
) =>
  records.length === 0 ? Effect.void : Effect.forEach(
    dialect.insert(tables.untold, records.map(({ claim, taskId }) => [taskId, claim, now])),
    db.run,
    { discard: true }
  )

// ── cursors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

type Numbers = ReadonlyArray<number>

interface Cursor {
  readonly at: number
  /** By instance, in the order of `lanes`. */
  readonly read: ReadonlyMap<string, Numbers>
}

const textOf = (at: number, read: ReadonlyMap<string, Numbers>): string => JSON.stringify([at, ...read])

// It may have been through a browser.
const decode = Schema.decodeOption(Schema.parseJson(
  Schema.Tuple([Schema.JsonNumber], Schema.Tuple(Schema.String, Schema.Array(Schema.JsonNumber)))
))

const cursorOf = (text: string): Cursor | null => {
  const decoded = decode(text)
  if (Option.isNone(decoded)) return null
  const [at, ...entries] = decoded.value
  return { at, read: new Map(entries) }
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Place {
  readonly first: number
  readonly last: number
}

interface News {
  readonly instance: InstanceId
  readonly lane: number
  readonly after: number
  readonly upTo: number
}

interface Told {
  readonly at: number
  readonly number: number
  readonly changes: ReadonlyArray<TaskChange>
}

// By their times, without changing the order of one lane.
const merged = (all: ReadonlyArray<ReadonlyArray<Told>>): ReadonlyArray<TaskChange> => {
  const next = all.map(() => 0)
  const changes: Array<TaskChange> = []
  while (true) {
    let best = -1
    for (let lane = 0; lane < all.length; lane += 1) {
      const head = all[lane]![next[lane]!]
      if (head !== undefined && (best === -1 || head.at < all[best]![next[best]!]!.at)) best = lane
    }
    if (best === -1) return changes
    for (const change of all[best]![next[best]!]!.changes) changes.push(change)
    next[best]! += 1
  }
}

/** `feed` of the port. */
export const make = (
  sql: Sql,
  reads: Pick<Connections, "use">,
  own: Connections,
  identity: Identity
) => {
  const { dialect, tables } = sql
  const batches = tables.batches.name

  // Both ends of every lane, as of one moment: what is read up to there has its causes in it.
  const ends = (now: number) => {
    const end = (lane: string, order: string) =>
      `(SELECT b.n FROM ${batches} b WHERE b.instance = i.id AND b.lane = '${lane}' ORDER BY b.n ${order} LIMIT 1)`
    const columns = lanes.flatMap((lane, index) => [
      `${end(lane, "ASC")} AS f${index}`,
      `${end(lane, "DESC")} AS l${index}`
    ])
    const statement = {
      sql: `SELECT i.id AS id, ${columns.join(", ")} FROM ${tables.instances.name} i ` +
        "WHERE i.state <> 'gone' OR i.beat_at >= ?",
      params: [now - goneFor]
    }
    const placeOf = (row: Row, lane: number): Place | null =>
      row[`l${lane}`] === null ? null : { first: Number(row[`f${lane}`]), last: Number(row[`l${lane}`]) }
    return Effect.map(
      reads.use((db) => db.all(statement)),
      (rows) =>
        new Map(rows.map((row) => [
          row["id"] as InstanceId, // safe: an id
          lanes.map((_, lane) => placeOf(row, lane))
        ]))
    )
  }

  // In the order they are committed by, at most `limit`, and at least one.
  const rowsOf = ({ after, instance, lane, upTo }: News, limit: number) =>
    Effect.map(
      reads.use((db) =>
        db.all({
          sql: `SELECT n, at, outcomes FROM ${batches} WHERE instance = ? AND lane = ? AND n > ? AND n <= ? ` +
            "ORDER BY n LIMIT ?",
          params: [instance, lanes[lane]!, after, upTo, limit]
        })
      ),
      (rows) =>
        rows.map((row): Told => {
          const at = Number(row["at"])
          const text = row["outcomes"] as string // safe: a text column
          const from = text.indexOf("\n")
          const changes = from === -1 ? [] : FeedText.changesOf(text.slice(from + 1), instance, at)
          return { at, number: Number(row["n"]), changes }
        })
    )

  // What came about in transactions of the application since, by anyone's.
  const tellUntold = (now: number) =>
    own.transaction((db) =>
      Effect.gen(function*() {
        const rows = yield* db.all({
          sql: `SELECT task_id, claim FROM ${tables.untold.name} ORDER BY task_id, claim LIMIT ${untoldStep}` +
            dialect.skipLocked,
          params: []
        })
        const ids = [...new Set(rows.map((row) => row["task_id"] as string))] // safe: a text column
        const live = yield* selectIn(sql, db, tables.live, "*", "id", ids)
        const done = yield* selectIn(sql, db, tables.done, "record, retried_as", "id", ids)
        yield* tell(sql, db, identity.id, now, [...live.map(fromLive), ...done.map(fromDone)], "joined")
        // One that was written down meanwhile, under a later claim, stays.
        for (const claim of new Set(rows.map((row) => Number(row["claim"])))) {
          const told = rows.filter((row) => Number(row["claim"]) === claim).map((row) => row["task_id"] as string) // safe: text
          const list = dialect.in("task_id", "uuid", told)
          yield* db.run({
            sql: `DELETE FROM ${tables.untold.name} WHERE ${list.sql} AND claim = ?`,
            params: [...list.params, claim]
          })
        }
        return rows.length
      })
    )

  const tellAllUntold = (now: number): Effect.Effect<void, unknown> =>
    Effect.gen(function*() {
      // On a client with one connection this would wait for the transaction that the caller is in.
      if (identity.id === null || (yield* transactionConnection)._tag === "Some") return
      const some = { sql: `SELECT task_id FROM ${tables.untold.name} ORDER BY task_id, claim LIMIT 1`, params: [] }
      for (let step = 0; step < 20; step += 1) {
        const rows = yield* reads.use((db) => db.all(some))
        if (rows.length === 0 || (yield* tellUntold(now)) === 0) return
      }
    })

  return ({ cursor, limit, now }: FeedQuery): Effect.Effect<FeedPage, unknown> =>
    Effect.gen(function*() {
      yield* tellAllUntold(now)
      const known = yield* ends(now)
      const here = () =>
        textOf(now, new Map([...known].map(([id, places]) => [id, places.map((place) => place?.last ?? 0)])))
      const nothing = (reset: boolean): FeedPage => ({ changes: [], cursor: here(), more: false, reset })
      if (cursor === null) return nothing(false)
      const from = cursorOf(cursor)
      if (from === null || now - from.at > cursorKept) return nothing(true)
      const read = new Map<string, Array<number>>()
      const news: Array<News> = []
      for (const [instance, places] of known) {
        const before = from.read.get(instance)
        const numbers = places.map((place, lane) => before?.[lane] ?? (place === null ? 0 : place.first - 1))
        for (const [lane, place] of places.entries()) {
          const after = numbers[lane]!
          if (place === null || place.last <= after) continue
          // Of a lane that is new to the reader nothing was forgotten: all of it is younger than the cursor.
          if (before !== undefined && after > 0 && place.first > after + 1) return nothing(true)
          news.push({ instance, lane, after, upTo: place.last })
        }
        read.set(instance, numbers)
      }
      const each = Math.max(1, Math.ceil(limit / Math.max(1, news.length)))
      let more = false
      const told: Array<ReadonlyArray<Told>> = []
      for (const one of news) {
        const rows = yield* rowsOf(one, each)
        // Without a full page the lane was read to its end, also where its last numbers were never used.
        const last = rows.length < each ? one.upTo : rows[rows.length - 1]!.number
        read.get(one.instance)![one.lane] = last
        more ||= last < one.upTo
        told.push(rows)
      }
      return { changes: merged(told), cursor: textOf(now, read), more, reset: false }
    })
}
