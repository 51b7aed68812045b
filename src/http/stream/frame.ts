/**
 * What the live stream says, as types alone: shared by the server and by browsers, so it loads nothing.
 */

/** JSON as it is sent. */
export type Json = null | boolean | number | string | ReadonlyArray<unknown> | { readonly [key: string]: unknown }

/** What is told of a task: its summary as in a list, with the version `v`. */
export interface Row {
  readonly taskId: string
  readonly v: number
}

/** The first frame of a connection. `epoch` is new with every start of the server, `now` is its clock in epoch milliseconds. */
export interface HelloFrame {
  readonly t: "hello"
  readonly epoch: string
  readonly build: string
  readonly now: number
  /** What the caller may do. */
  readonly can: Json
  /** How many rows a client should hold at most. */
  readonly maxRows: number
}

/** Tasks that are new, changed or gone. */
export interface RunsFrame<R extends Row = Row> {
  readonly t: "runs"
  /** New, at most 50. */
  readonly n: ReadonlyArray<R>
  /** Changed, at most 200. */
  readonly u: ReadonlyArray<R>
  /** Ids of tasks that are not kept any more. */
  readonly d: ReadonlyArray<string>
  /** So many were new that they are not told one by one; `n` is empty then. */
  readonly over?: number
  /** So many changes were left out, because there are more than can be shown. */
  readonly sampled?: number
}

/** How many tasks are in each status. */
export interface CountsFrame {
  readonly t: "counts"
  readonly c: Readonly<Record<string, number>>
  /** Tasks that ended per second since the counts before; null in the first frame. */
  readonly rate: number | null
  /** Dead letters: failed and interrupted. */
  readonly dlq: number
  /** Groups of errors that are not dismissed: what a person should look at. 100 means a hundred or more, null not known yet. */
  readonly attention: number | null
}

/** The roll-up of the latest minute. It replaces what was told before of the same `b.ts`. */
export interface BucketFrame {
  readonly t: "bucket"
  readonly b: Json
}

/** A batch as it is told: many tasks retried or cancelled one after the other. As `GET /batches/{id}` answers it. */
export interface Batch {
  readonly id: string
  /** Of two with one id the one with the larger `v` is newer. */
  readonly v: number
  readonly action: "retry" | "cancel"
  readonly who: string
  readonly q: string | null
  readonly state: "waiting" | "running" | "done" | "stopped" | "failed"
  readonly stopRequested: boolean
  readonly perSecond: number | null
  readonly createdAt: string
  readonly startsAt: string
  readonly endedAt: string | null
  readonly done: number
  readonly skipped: number
  readonly reasons: ReadonlyArray<{ readonly reason: string; readonly count: number }>
  readonly total: number
  readonly totalIsFloor: boolean
  readonly error: string | null
  readonly instance: string
}

/** The batches of this instance that have not ended, and those that ended lately, newest first. */
export interface BatchesFrame {
  readonly t: "batches"
  readonly b: ReadonlyArray<Batch>
}

/** What may have changed besides tasks: pauses, instances, the names that have handlers, schedules. */
export type FleetPart = "pauses" | "instances" | "definitions" | "schedules"

/** These are not as they were: read again what you show of them. */
export interface FleetFrame {
  readonly t: "fleet"
  readonly what: ReadonlyArray<FleetPart>
}

/** Log lines of a watched task, from the line number `from` on (counted from 0). Without lines: this is where the log is. */
export interface LogFrame {
  readonly t: "log"
  readonly run: string
  readonly from: number
  readonly l: ReadonlyArray<unknown>
}

/** The summary of a watched task; null when it is not kept any more. */
export interface RunFrame<R extends Row = Row> {
  readonly t: "run"
  readonly run: string
  readonly patch: R | null
}

/** Something was missed: read again what you show. */
export interface ResetFrame {
  readonly t: "reset"
}

/** The stream ends. `auth`: the caller may not pass any more. `shutdown` and `lifetime`: connect again. */
export interface ByeFrame {
  readonly t: "bye"
  readonly why: "auth" | "shutdown" | "lifetime"
}

/** A message of the stream, by its topic. */
export type Frame<R extends Row = Row> =
  | HelloFrame
  | RunsFrame<R>
  | CountsFrame
  | BucketFrame
  | BatchesFrame
  | FleetFrame
  | LogFrame
  | RunFrame<R>
  | ResetFrame
  | ByeFrame
