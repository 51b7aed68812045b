/**
 * What a client of the live stream knows: a pure fold over frames and answers, for browsers and programs. Loads nothing.
 *
 * However frames, lists, disconnects and resets are interleaved, it ends at what is true, if the client does three things:
 * it calls `ask` before it sends a request and gives the answer back with the token, it reads again what it shows whenever
 * `isStale` says so, and it fetches log lines from `next` on whenever `isBehind` says so.
 */
import type { Batch, BucketFrame, CountsFrame, Frame, HelloFrame, Json, Row, RunsFrame } from "./frame.js"

export type * from "./frame.js"
export { type Message, reader } from "./messages.js"

/** A task as it was told last. */
export interface Known<R extends Row> {
  /** Null: it is not kept any more. */
  readonly row: R | null
  /** Counts what happened to this state: at which count it was told, or asked for. */
  readonly seen: number
}

/** The log of a watched task. */
export interface Log {
  readonly lines: ReadonlyArray<unknown>
  /** How many lines are known, and where to go on: the `after` of the next request. */
  readonly next: number
  /** How many there are, as far as anybody said. */
  readonly until: number
}

/** All that is known from the frames so far. */
export interface Live<R extends Row> {
  readonly clock: number
  /** To resume with: the `Last-Event-ID` of the next connection. */
  readonly lastId: string | null
  readonly hello: HelloFrame | null
  /** Why the stream ended, when it said so. */
  readonly bye: "auth" | "shutdown" | "lifetime" | null
  readonly runs: ReadonlyMap<string, Known<R>>
  /** What was told of tasks that are not known, while a request is under way whose answer may hold them. */
  readonly early: ReadonlyMap<string, Known<R>>
  readonly asked: ReadonlySet<number>
  /** Tasks that are new since the list was read last, those included that were only counted. */
  readonly fresh: number
  /** "Updating faster than can be shown": the latest frame left something out. */
  readonly sampling: boolean
  /** Since which count something was missed, until a list that was asked for later is here. */
  readonly staleSince: number | null
  readonly counts: CountsFrame | null
  /** By `ts`. */
  readonly buckets: ReadonlyMap<unknown, Json>
  /** By id, the oldest first: as they were told or answered, until there are too many. */
  readonly batches: ReadonlyMap<string, Batch>
  readonly logs: ReadonlyMap<string, Log>
}

/** Minutes that are kept. */
const maxBuckets = 120
const maxEarly = 5_000
/** More than one instance keeps. */
const maxBatches = 100

/** Nothing is known yet. The type is that of the rows. */
export const empty = <R extends Row>(): Live<R> => ({
  clock: 0,
  lastId: null,
  hello: null,
  bye: null,
  runs: new Map(),
  early: new Map(),
  asked: new Set(),
  fresh: 0,
  sampling: false,
  staleSince: 0,
  counts: null,
  buckets: new Map(),
  batches: new Map(),
  logs: new Map()
})

/** Whether what is shown has to be read again. Ask at most every few seconds, spread by chance: all clients hear it at once. */
export const isStale = <R extends Row>(live: Live<R>): boolean => live.staleSince !== null

/** Whether lines of this log have to be fetched, from `next` on. */
export const isBehind = (log: Log): boolean => log.next < log.until

const stale = <R extends Row>(live: Live<R>): Live<R> => ({ ...live, staleSince: live.clock })

// ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Before a request for a list or a task is sent: the token to give its answer back with. */
export const ask = <R extends Row>(live: Live<R>): readonly [Live<R>, number] => {
  const clock = live.clock + 1
  return [{ ...live, clock, asked: new Set(live.asked).add(clock) }, clock]
}

const answered = <R extends Row>(live: Live<R>, token: number): Live<R> => {
  const asked = new Set(live.asked)
  asked.delete(token)
  return { ...live, asked, early: asked.size === 0 ? new Map() : live.early }
}

/** The request of this token failed. */
export const failed = answered

// What was told before the request was sent is older than the answer; what came later is not older.
const newer = <R extends Row>(known: Known<R> | undefined, row: R, token: number): Known<R> => {
  if (known === undefined) return { row, seen: token }
  const wins = known.row === null || row.v === known.row.v ? known.seen <= token : row.v > known.row.v
  return wins ? { row, seen: token } : known
}

const merged = <R extends Row>(live: Live<R>, rows: ReadonlyArray<R>, token: number): Map<string, Known<R>> => {
  const runs = new Map(live.runs)
  for (const row of rows) {
    const known = newer(runs.get(row.taskId) ?? live.early.get(row.taskId), row, token)
    if (known.row === null) runs.delete(row.taskId)
    else runs.set(row.taskId, known)
  }
  return runs
}

// What is told in between is not older than the answer, and may be missing there because it is newer.
const without = <R extends Row>(
  runs: ReadonlyMap<string, Known<R>>,
  rows: ReadonlyArray<R>,
  token: number
): Map<string, Known<R>> => {
  const listed = new Set(rows.map(({ taskId }) => taskId))
  return new Map(Array.from(runs).filter(([id, { seen }]) => listed.has(id) || seen > token))
}

/** The answer to the request that everything shown is read again with: a page of the list. It replaces what was known. */
export const list = <R extends Row>(live: Live<R>, rows: ReadonlyArray<R>, token: number): Live<R> => ({
  ...answered(live, token),
  runs: without(merged(live, rows, token), rows, token),
  fresh: 0,
  staleSince: live.staleSince !== null && token > live.staleSince ? null : live.staleSince
})

/** The answer to any other request: one task, or another page. */
export const more = <R extends Row>(live: Live<R>, rows: ReadonlyArray<R>, token: number): Live<R> => ({
  ...answered(live, token),
  runs: merged(live, rows, token)
})

/** Forgets the tasks that are not shown any more. */
export const keep = <R extends Row>(live: Live<R>, ids: ReadonlySet<string>): Live<R> => ({
  ...live,
  runs: new Map(Array.from(live.runs).filter(([id]) => ids.has(id)))
})

// ── logs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const noLog: Log = { lines: [], next: 0, until: 0 }

const withLines = (log: Log, from: number, l: ReadonlyArray<unknown>): Log => {
  const end = from + l.length
  const until = Math.max(log.until, end)
  return from > log.next || end <= log.next
    ? { ...log, until }
    : { lines: [...log.lines, ...l.slice(log.next - from)], next: end, until }
}

/** Begins with the log of a task: its lines are kept from now on. */
export const watch = <R extends Row>(live: Live<R>, taskId: string): Live<R> => ({
  ...live,
  logs: new Map(live.logs).set(taskId, live.logs.get(taskId) ?? noLog)
})

/** Ends with the log of a task. */
export const unwatch = <R extends Row>(live: Live<R>, taskId: string): Live<R> => {
  const logs = new Map(live.logs)
  logs.delete(taskId)
  return { ...live, logs }
}

/** Lines of a watched log, as a request for those behind the first `from` answered them. */
export const lines = <R extends Row>(
  live: Live<R>,
  taskId: string,
  from: number,
  l: ReadonlyArray<unknown>
): Live<R> => {
  const log = live.logs.get(taskId)
  return log === undefined ? live : { ...live, logs: new Map(live.logs).set(taskId, withLines(log, from, l)) }
}

// ── batches ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Batches as a frame told or a request answered them, in any order: of each the newer one stays. */
export const batches = <R extends Row>(live: Live<R>, told: ReadonlyArray<Batch>): Live<R> => {
  const newer = told.filter(({ id, v }) => v > (live.batches.get(id)?.v ?? -1))
  if (newer.length === 0) return live
  const all = new Map(live.batches)
  for (const one of newer) all.set(one.id, one)
  // Ids sort by the time they were made.
  const sorted = Array.from(all).sort(([one], [other]) => one < other ? -1 : 1)
  return { ...live, batches: new Map(sorted.slice(-maxBatches)) }
}

// ── frames ───────────────────────────────────────────────────────────────────────────────────────────────────────────

// Frames come in the order they were made: of two with one version the later one is newer. What there is no room for is
// missed.
const heard = <R extends Row>(live: Live<R>, rows: ReadonlyArray<R>, areNew: boolean): Live<R> => {
  const runs = new Map(live.runs)
  const early = new Map(live.early)
  const maxRows = live.hello?.maxRows ?? maxEarly
  let { fresh, staleSince } = live
  for (const row of rows) {
    const known = runs.get(row.taskId) ?? early.get(row.taskId)
    if (known !== undefined && (known.row === null || known.row.v > row.v)) continue
    const next = { row, seen: live.clock }
    const isShown = runs.has(row.taskId)
    if (!isShown && areNew) fresh += 1
    if (isShown || areNew && runs.size < maxRows) runs.set(row.taskId, next)
    else if (live.asked.size > 0 && early.size < maxEarly) early.set(row.taskId, next)
    else if (live.asked.size > 0 || areNew) staleSince = live.clock
  }
  return { ...live, runs, early, fresh, staleSince }
}

const gone = <R extends Row>(live: Live<R>, ids: ReadonlyArray<string>): Live<R> => {
  if (ids.length === 0) return live
  const runs = new Map(live.runs)
  const early = new Map(live.early)
  for (const id of ids) {
    runs.delete(id)
    if (live.asked.size > 0) early.set(id, { row: null, seen: live.clock })
  }
  return { ...live, runs, early }
}

const runs = <R extends Row>(live: Live<R>, frame: RunsFrame<R>): Live<R> => {
  const told = gone(heard(heard(live, frame.n, true), frame.u, false), frame.d)
  const sampling = frame.over !== undefined || frame.sampled !== undefined
  const next = { ...told, fresh: told.fresh + (frame.over ?? 0), sampling }
  // Nothing is left out any more: what was can be read now.
  return live.sampling && !sampling ? stale(next) : next
}

const bucket = <R extends Row>(live: Live<R>, { b }: BucketFrame): Live<R> => {
  const ts = typeof b === "object" && b !== null && "ts" in b ? b.ts : null
  const buckets = Array.from(new Map(live.buckets).set(ts, b))
  return { ...live, buckets: new Map(buckets.slice(-maxBuckets)) }
}

/** What is known after one frame. `id` is that of its message, null when it has none. */
export const frame = <R extends Row>(before: Live<R>, frame: Frame<R>, id: string | null): Live<R> => {
  const live: Live<R> = { ...before, clock: before.clock + 1, lastId: id ?? before.lastId }
  switch (frame.t) {
    case "hello":
      // Whoever resumes hears what came between, or a reset.
      return before.lastId === null ? stale({ ...live, hello: frame, bye: null }) : { ...live, hello: frame, bye: null }
    case "runs":
      return runs(live, frame)
    case "counts":
      return { ...live, counts: frame }
    case "bucket":
      return bucket(live, frame)
    case "batches":
      return batches(live, frame.b)
    // Nothing of it is held here: whoever shows the fleet reads it again.
    case "fleet":
      return live
    case "log":
      return lines(live, frame.run, frame.from, frame.l)
    case "run":
      return frame.patch === null ? gone(live, [frame.run]) : heard(live, [frame.patch], false)
    case "reset":
      return stale(live)
    case "bye":
      return { ...live, bye: frame.why }
  }
}
