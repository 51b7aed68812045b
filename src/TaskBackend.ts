/**
 * The port to where tasks are kept. Encoded rows in and out, each method one atomic unit, time always an argument.
 *
 * Called by TaskJournal (writes), TaskDispatcher (claims) and TaskManager (reads). Whoever writes a backend proves it
 * with the conformance suite of `effect-taskflow/testing`; every promise below has a case there.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { TaskBackendError } from "./TaskError.js"
import type { InstanceId, LogLine, Progress, TaskFailure } from "./TaskEvent.js"
import type { TaskId } from "./TaskId.js"
import type { TaskRecord } from "./TaskRecord.js"
import type { TaskStatus, Terminal } from "./TaskStatus.js"

/** What a crash must destroy before an accepted task is lost: nothing is kept at all, our process, the host, a replica. */
export type Durability = "none" | "process" | "host" | "replica"

/** Facts about a backend that do not change while it lives. */
export interface BackendInfo {
  /** As `memory` or `postgres`: for people. */
  readonly kind: string
  readonly durability: Durability
  /** Whether other instances can reach the same tasks. */
  readonly shared: boolean
  /** How many unfinished tasks fit; enqueues from outside a task wait beyond it. `Infinity` where disk is the bound. */
  readonly maxLive: number
}

/** How one finished attempt went, as the ledger keeps it. The last attempt of a task is told by the record itself. */
export interface AttemptEntry {
  readonly claim: number
  /** Counted from 1. */
  readonly attempt: number
  readonly instance: InstanceId
  readonly startedAt: number
  readonly endedAt: number
  readonly outcome: "failed" | "snoozed" | "requeued" | "interrupted" | "cancelled" | "success"
  readonly failure: TaskFailure | null
}

/**
 * One conditional change. Each says what it believes and is refused, alone, when that no longer holds.
 *
 * - `Insert`: the record as it shall stand: unclaimed (`owner` null), in a window (`owner`, pending) or already started.
 *   Refused as `Duplicate` when the idempotency key is held, as `NotRetryable` when `retryOf` may not be retried.
 * - `Start`: wins when the row is owned by `record.owner` under `record.claim` and no attempt is under way.
 * - `Unclaim`: a row without a live attempt out of a window, ready for anyone again.
 * - `Release`: ends an attempt without ending the task: failed, snoozed (`nextAttemptAt`) or requeued (pending). A cancel
 *   asked meanwhile wins: the task is finished as cancelled at the batch's `now` and the outcome says so.
 * - `Finish`: ends the task, in the status of `record`. A success wins over a cancel that was asked.
 * - `Log`, `Progress`: add to a running attempt; a stale claim's lines are kept under its claim.
 *
 * `owner` and `claim` beside a record are the ones the writer believes to hold; the record carries the state after.
 */
export type Change =
  | { readonly _tag: "Insert"; readonly record: TaskRecord }
  | { readonly _tag: "Start"; readonly record: TaskRecord }
  | { readonly _tag: "Unclaim"; readonly record: TaskRecord }
  | {
    readonly _tag: "Release" | "Finish"
    readonly record: TaskRecord
    readonly owner: InstanceId
    readonly claim: number
    readonly attempt: AttemptEntry
  }
  | { readonly _tag: "Log"; readonly taskId: TaskId; readonly line: LogLine }
  | {
    readonly _tag: "Progress"
    readonly taskId: TaskId
    readonly owner: InstanceId
    readonly claim: number
    readonly progress: Progress
  }

/** What became of one change. `Lost`: somebody else changed the task first, nothing was written. */
export type Outcome =
  | { readonly _tag: "Applied" }
  | { readonly _tag: "Lost" }
  | { readonly _tag: "Duplicate"; readonly taskId: TaskId }
  | { readonly _tag: "NotRetryable"; readonly status: TaskStatus | null; readonly retriedAs: TaskId | null }
  | { readonly _tag: "CancelledInstead" }

/**
 * A numbered unit of changes. (instance, lane, number) identifies it: writing it again changes nothing and answers the
 * first outcomes, so a write whose answer was lost can be repeated.
 */
export interface Batch {
  readonly instance: InstanceId
  readonly lane: string
  readonly number: number
  readonly now: number
  readonly changes: ReadonlyArray<Change>
}

/** Asks for due, unclaimed tasks. */
export interface ClaimRequest {
  readonly instance: InstanceId
  /** The names this instance can run: how many of each to take already started, and how many more for the window. */
  readonly tasks: ReadonlyArray<{ readonly name: string; readonly slots: number; readonly window: number }>
  /** The same two bounds over all names together. */
  readonly slots: number
  readonly window: number
  readonly now: number
}

/** What was claimed: priority descending, then in order of arrival. */
export interface Claimed {
  readonly started: ReadonlyArray<TaskRecord>
  readonly pending: ReadonlyArray<TaskRecord>
  /** The requested names of which more was ready than was taken. */
  readonly more: ReadonlyArray<string>
  /** When the next waiting task (of any name) is due: epoch milliseconds, or null. */
  readonly nextDueAt: number | null
}

/** What `cancel` found. `Requested`: an attempt is under way at `owner`, which has to stop it. */
export type CancelResult =
  | { readonly _tag: "Cancelled"; readonly record: TaskRecord }
  | { readonly _tag: "Requested"; readonly record: TaskRecord; readonly owner: InstanceId }
  | { readonly _tag: "AlreadyEnded"; readonly status: Terminal }
  | { readonly _tag: "NotFound" }

/** Which tasks to list. Everything given must hold; absent means any. */
export interface ListQuery {
  readonly status?: ReadonlyArray<TaskStatus> | undefined
  readonly taskName?: string | undefined
  readonly tag?: readonly [name: string, value: string] | undefined
  readonly source?: TaskRecord["source"] | undefined
  readonly priority?: number | undefined
  /** Created at or after, before: epoch milliseconds. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  /** By creation. Default `newest`. */
  readonly order?: "newest" | "oldest" | undefined
  /** 1 to 200. Default 50. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before. */
  readonly cursor?: TaskId | undefined
}

/** One page, and where the next begins; null at the end. */
export interface ListPage {
  readonly items: ReadonlyArray<TaskRecord>
  readonly nextCursor: TaskId | null
}

/** Counts by status, and the durations (milliseconds, first start to end) of what succeeded or failed. */
export interface Stats {
  readonly counts: { readonly [Status in TaskStatus]: number }
  readonly durations: {
    readonly count: number
    readonly sum: number
    readonly min: number | null
    readonly max: number | null
    /** Estimates from a histogram with buckets 10 % wide. */
    readonly p50: number | null
    readonly p95: number | null
    readonly p99: number | null
  }
}

/** Where tasks are kept. */
export class TaskBackend extends Context.Tag("effect-taskflow/TaskBackend")<TaskBackend, {
  readonly info: BackendInfo
  /** Applies the changes in order, as one unit; one outcome for each, in order. */
  readonly write: (batch: Batch) => Effect.Effect<ReadonlyArray<Outcome>, TaskBackendError>
  /** Claims ready rows, highest priority first, first come first served among equals; due rows become ready first. */
  readonly claim: (request: ClaimRequest) => Effect.Effect<Claimed, TaskBackendError>
  /** Cancels what has no live attempt at once; marks what runs. `now` is epoch milliseconds. */
  readonly cancel: (taskId: TaskId, now: number) => Effect.Effect<CancelResult, TaskBackendError>
  readonly get: (taskId: TaskId) => Effect.Effect<Option.Option<TaskRecord>, TaskBackendError>
  readonly list: (query: ListQuery) => Effect.Effect<ListPage, TaskBackendError>
  /** At most `limit` lines in the order they were written, skipping the first `after`. */
  readonly logs: (
    taskId: TaskId,
    options: { readonly after: number; readonly limit: number }
  ) => Effect.Effect<ReadonlyArray<LogLine>, TaskBackendError>
  /** The ledger: every ended attempt but the last of a finished task, oldest first. */
  readonly attempts: (taskId: TaskId) => Effect.Effect<ReadonlyArray<AttemptEntry>, TaskBackendError>
  readonly stats: (query: { readonly taskName?: string | undefined }) => Effect.Effect<Stats, TaskBackendError>
  /** Removes up to `limit` finished tasks that ended before `cutoff` (epoch milliseconds); answers how many. */
  readonly deleteBefore: (cutoff: number, limit: number) => Effect.Effect<number, TaskBackendError>
}>() {}
