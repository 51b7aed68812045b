/**
 * The port to where tasks are kept. Encoded rows in and out, each method one atomic unit, time always an argument.
 *
 * Called by TaskJournal (writes), TaskDispatcher (claims) and TaskManager (reads). Whoever writes a backend proves it with the
 * conformance suite of `effect-taskflow/testing`; every promise below has a case there.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { AuditStore } from "./AuditStore.js"
import type { ControlStore } from "./ControlStore.js"
import type { ErrorStore } from "./ErrorStore.js"
import type { ScheduleStore } from "./ScheduleStore.js"
import type { FeedPage, FeedQuery, Hint } from "./TaskChange.js"
import type { InstanceFenced, TaskBackendError, TaskWrongTransaction } from "./TaskError.js"
import type { InstanceId, LogLine, Progress, TaskFailure } from "./TaskEvent.js"
import type { TaskId } from "./TaskId.js"
import type { Heartbeat, InstanceFacts, InstanceInfo, Reaped, Vitals } from "./TaskPeer.js"
import type { Counted, CountQuery, ListPage, ListQuery, Stats, Unfinished } from "./TaskQuery.js"
import type { TaskRecord } from "./TaskRecord.js"
import type { Rollup, RollupQuery } from "./TaskRollup.js"
import type { TaskStatus, Terminal } from "./TaskStatus.js"
import type { TaskTransaction } from "./TaskTransaction.js"

export type { Counted, CountQuery, ListPage, ListQuery, Rollup, RollupQuery, Stats, Unfinished }

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
  /** Whether what tasks carry is encrypted before it is stored. Default false. */
  readonly encrypted?: boolean | undefined
}

/** How one attempt went that a `Release` or a reap ended. An attempt that a `Finish` ended is told by the record itself. */
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
 *   Refused as `NotRetryable` when `retryOf` is missing, not failed, interrupted or cancelled, or was retried before; then
 *   as `Duplicate` when the idempotency key is held. Applied, it sets `retriedAs` of the record it retries.
 * - `Start`: wins when the row is owned by `record.owner` under `record.claim` and no attempt is under way.
 * - `Unclaim`: a row without a live attempt out of a window, ready for anyone again. `record` is the one the writer holds;
 *   only the owner changes.
 * - `Release`: ends the attempt under way without ending the task: failed, snoozed (`nextAttemptAt`) or requeued
 *   (pending). A cancel asked meanwhile wins: the attempt counts as `record` says, the task is finished as cancelled at
 *   the batch's `now`, and the outcome says so.
 * - `Finish`: ends the attempt under way and the task, in the status of `record`, whether or not a cancel was asked.
 * - `Log`: adds a line to a task that is there, also under a claim that is stale by now. `size`: what it counts in `logBytes`,
 *   by default the characters of its message and annotations.
 * - `Progress`: of the attempt under way.
 *
 * An idempotency key (exactly compared, within one task name) is held from the insert on; a success holds it until
 * `endedAt + keyTtl`, without `keyTtl` as long as its record is kept; every other end frees it.
 *
 * `owner` and `claim` beside a record are the ones the writer believes to hold; the record carries the state after. An
 * owned row is written by its owner: it is the batch's instance. `logLines` and `logBytes` are the exception: the backend
 * counts them itself while a task has not ended.
 */
export type Change =
  | {
    readonly _tag: "Insert"
    readonly record: TaskRecord
    /** Inserts of one batch with the same number stay together: when the key of one is busy, none of them is written. */
    readonly together?: number | undefined
    /**
     * Of a pending record with an owner: its owner means not to start it before this moment (epoch milliseconds), so for
     * `stealAfter` it counts as held since then. Given back, it is ready at once. Default: the batch's `now`.
     */
    readonly heldUntil?: number | undefined
  }
  | { readonly _tag: "Start"; readonly record: TaskRecord }
  | { readonly _tag: "Unclaim"; readonly record: TaskRecord }
  | {
    readonly _tag: "Release" | "Finish"
    readonly record: TaskRecord
    readonly owner: InstanceId
    readonly claim: number
    readonly attempt: AttemptEntry
  }
  | { readonly _tag: "Log"; readonly taskId: TaskId; readonly line: LogLine; readonly size?: number | undefined }
  | {
    readonly _tag: "Progress"
    readonly taskId: TaskId
    readonly owner: InstanceId
    readonly claim: number
    readonly progress: Progress
  }

/**
 * What became of one change. `Lost`: somebody else changed the task first, nothing was written. `KeyBusy`: the idempotency
 * key, or that of one it stays `together` with, is being decided in somebody's open transaction, nothing was written: ask
 * again, in a later batch.
 */
export type Outcome =
  | { readonly _tag: "Applied" }
  | { readonly _tag: "Lost" }
  | { readonly _tag: "KeyBusy" }
  | { readonly _tag: "Duplicate"; readonly taskId: TaskId }
  | { readonly _tag: "NotRetryable"; readonly status: TaskStatus | null; readonly retriedAs: TaskId | null }
  | { readonly _tag: "CancelledInstead" }

/**
 * A numbered unit of changes. (instance, lane, number) identifies it: writing it again changes nothing and answers the
 * first outcomes, whatever happened since, so a write whose answer was lost can be repeated. A lane counts upwards, goes on
 * only after an answer, and repeats only its latest number.
 */
export interface Batch {
  readonly instance: InstanceId
  readonly lane: string
  readonly number: number
  readonly now: number
  readonly changes: ReadonlyArray<Change>
}

/**
 * Asks for due, unclaimed tasks. Ready rows are gone through by priority, then arrival: each is taken started when its name,
 * its group and all names together have a slot left, else into the window when both have room there, else it stays.
 */
export interface ClaimRequest {
  readonly instance: InstanceId
  /**
   * The names this instance can run, up to which version of their definition (rows of a newer one are left alone), how
   * many of each to take already started, and how many more for the window.
   */
  readonly tasks: ReadonlyArray<{
    readonly name: string
    readonly version: number
    readonly slots: number
    readonly window: number
  }>
  /** Names that share slots besides: of each group so many are taken started, together. A name is in one group at most. */
  readonly groups?: ReadonlyArray<{ readonly names: ReadonlyArray<string>; readonly slots: number }> | undefined
  /** The same two bounds over all names together. */
  readonly slots: number
  readonly window: number
  /**
   * When nothing else is left for a slot: takes over, started, what another instance holds in its window and did not start
   * for longer than this many milliseconds. Null: never.
   */
  readonly stealAfter: number | null
  readonly now: number
}

/**
 * What was claimed: priority descending, then in order of arrival. A row keeps the place of its arrival when it was
 * delayed, waited, or comes back from an instance.
 */
export interface Claimed {
  readonly started: ReadonlyArray<TaskRecord>
  readonly pending: ReadonlyArray<TaskRecord>
  /** The requested names of which more was ready than was taken, in any order. */
  readonly more: ReadonlyArray<string>
  /** When the next unowned task of any name that is not ready yet is due: epoch milliseconds, or null. */
  readonly nextDueAt: number | null
  /** Those among them that came by `joinTransaction` and were claimed for the first time: nobody told of them yet. */
  readonly joined: ReadonlyArray<TaskId>
}

/** What an instance owns, in any order. `joined`: those among them that a claim would have named so. */
export interface Owned {
  readonly records: ReadonlyArray<TaskRecord>
  readonly joined: ReadonlyArray<TaskId>
}

/** What `cancel` found. `Requested`: an attempt is under way at `owner`, which has to stop it; asking again asks again. */
export type CancelResult =
  | { readonly _tag: "Cancelled"; readonly record: TaskRecord }
  | { readonly _tag: "Requested"; readonly record: TaskRecord; readonly owner: InstanceId }
  | { readonly _tag: "AlreadyEnded"; readonly status: Terminal }
  | { readonly _tag: "NotFound" }

/** Where tasks are kept. */
export class TaskBackend extends Context.Tag("effect-taskflow/TaskBackend")<TaskBackend, {
  readonly info: BackendInfo
  /** Makes an instance known and alive. Its id is new: an instance that was declared dead comes back under another. */
  readonly attach: (instance: InstanceFacts, now: number) => Effect.Effect<void, TaskBackendError>
  /** Says that the instance goes. What it still owns is given back as after a death. */
  readonly detach: (instance: InstanceId, now: number) => Effect.Effect<void, TaskBackendError>
  /** Counts the instance's beat up, keeps how it is doing, and answers what it has to know. */
  readonly heartbeat: (instance: InstanceId, now: number, vitals?: Vitals) => Effect.Effect<Heartbeat, TaskBackendError>
  /** Every instance that is alive or whose tasks are not all given back. */
  readonly instances: Effect.Effect<ReadonlyArray<InstanceInfo>, TaskBackendError>
  /** Asks a live instance to claim nothing more, or to claim again. False when there is none. */
  readonly drain: (instance: InstanceId, draining: boolean) => Effect.Effect<boolean, TaskBackendError>
  /**
   * Declares `suspect` dead if its beat is still the one that was seen (or it was declared so before), and gives back what
   * it owned, at most `limit` tasks a call. Never waits for a task that somebody is just changing: that one is `left`.
   *
   * Pending ones are ready for anyone; one-off effects, whose code died too, end as cancelled. Running ones: with a cancel asked
   * they end as cancelled; without `requeueOnInterrupt` as interrupted (`instanceDied`); the others count a crash and are pending
   * again. One that reaches `maxCrashes` as the only suspect of its instance fails as poison; a suspect is a task at or beyond
   * `maxCrashes - 1` crashes that has crashed before; an instance claims one suspect at a time. Attempts go to the ledger.
   */
  readonly reap: (
    request: { readonly suspect: InstanceId; readonly beat: number; readonly now: number; readonly limit: number }
  ) => Effect.Effect<Reaped, TaskBackendError>
  /**
   * Applies the changes in order, as one unit; one outcome for each, in order. Refused as a whole when the instance is not
   * attached or was declared dead.
   */
  readonly write: (batch: Batch) => Effect.Effect<ReadonlyArray<Outcome>, TaskBackendError | InstanceFenced>
  /**
   * Claims ready rows, highest priority first, first come first served among equals; due rows become ready first. What is
   * paused (`controls`) is left alone. Refused like a write.
   */
  readonly claim: (request: ClaimRequest) => Effect.Effect<Claimed, TaskBackendError | InstanceFenced>
  /** What this instance owns: at most what it runs and holds. For an instance that missed the answer of a claim. */
  readonly owned: (instance: InstanceId) => Effect.Effect<Owned, TaskBackendError>
  /**
   * Inserts new, unclaimed tasks in the transaction of an SqlClient that the calling fiber is in: they are there for any
   * instance once it commits, and never were when it does not. One outcome for each. Null where nothing can be joined: tasks
   * are then committed by themselves.
   */
  readonly joinTransaction:
    | ((
      records: ReadonlyArray<TaskRecord>,
      now: number
    ) => Effect.Effect<ReadonlyArray<Outcome>, TaskBackendError | TaskWrongTransaction>)
    | null
  /** For `transactional` tasks; null where a handler cannot share a transaction with the backend. */
  readonly transaction: TaskTransaction | null
  /** Cancels what has no attempt under way at once, in whoever's window it is; marks what runs. `now` is epoch milliseconds. */
  readonly cancel: (taskId: TaskId, now: number) => Effect.Effect<CancelResult, TaskBackendError>
  readonly get: (taskId: TaskId) => Effect.Effect<Option.Option<TaskRecord>, TaskBackendError>
  readonly list: (query: ListQuery) => Effect.Effect<ListPage, TaskBackendError>
  /** At most `limit` lines in the order they were written (whatever their claim and time), skipping the first `after`. */
  readonly logs: (
    taskId: TaskId,
    options: { readonly after: number; readonly limit: number }
  ) => Effect.Effect<ReadonlyArray<LogLine>, TaskBackendError>
  /**
   * The ledger: the attempt of every `Release`, also of one that a cancel turned into an end. Oldest first; of a task with
   * more, the newest 1,000.
   */
  readonly attempts: (taskId: TaskId) => Effect.Effect<ReadonlyArray<AttemptEntry>, TaskBackendError>
  readonly stats: (query: { readonly taskName?: string | undefined }) => Effect.Effect<Stats, TaskBackendError>
  /**
   * How many tasks fit, by status, each counted up to `most`: a whole number from 1 to 100,000, else 10,001. Never costs more
   * than that many entries of an index for a status. Where no index has exactly what is asked for, tasks are looked at, at
   * least 10,000 (or `most`) of those that an index has before counting stops.
   */
  readonly count: (query: CountQuery, most: number) => Effect.Effect<Counted, TaskBackendError>
  /** Unfinished tasks by name. Looks at no more than 50,000 where no counts are kept. */
  readonly unfinished: Effect.Effect<Unfinished, TaskBackendError>
  /**
   * Ended tasks summed up by slots and names, in that order, without slots in which nothing ended. Every end counts once, at the
   * `now` of the unit that ended the task, and in the same unit; removing a task later changes nothing.
   */
  readonly rollups: (query: RollupQuery) => Effect.Effect<ReadonlyArray<Rollup>, TaskBackendError>
  /**
   * Removes up to `limit` finished tasks that ended before `cutoff` (epoch milliseconds), with all that belongs to them; answers
   * how many; none for a cutoff that is no number. A success with an idempotency key stays while its `keyTtl` had not run out at
   * `cutoff`. `status`: only those that ended so.
   */
  readonly deleteBefore: (
    cutoff: number,
    limit: number,
    status?: ReadonlyArray<Terminal> | undefined
  ) => Effect.Effect<number, TaskBackendError>
  /** How many `deleteBefore` would remove, counted up to `most`: as cheap as the entries of an index, or of memory. */
  readonly countBefore: (cutoff: number, most: number) => Effect.Effect<number, TaskBackendError>
  /**
   * What changed since the cursor, by batches of lane `journal`, claims, reaps, cancels and slots of anyone; what was joined to a
   * transaction once it is committed. Removed tasks are not told.
   */
  readonly feed: (query: FeedQuery) => Effect.Effect<FeedPage, TaskBackendError>
  /**
   * Wakes who looks: an element when there may be something, as far as the backend can tell; `changes` of its own writes
   * too. Never ends. A hint that is missed, or told in vain, costs time and nothing else.
   */
  readonly hints: (about: Hint) => Stream.Stream<void>
  /** Forgets what the protocol itself no longer needs, in bounded steps. Called every minute or so, by any instance. */
  readonly maintain: (now: number) => Effect.Effect<void, TaskBackendError>
  readonly schedules: ScheduleStore
  readonly controls: ControlStore
  readonly audit: AuditStore
  readonly errors: ErrorStore
}>() {}
