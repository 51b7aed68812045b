/**
 * What a backend tells of changes, whoever made them: the feed. Plain data between the port and those who watch a fleet.
 *
 * A change says what a task is now, not how it came to be so, and carries neither payload nor result: whoever shows more
 * asks for the record. Telling one twice does no harm.
 */
import * as Schema from "effect/Schema"
import { InstanceId, Progress } from "./TaskEvent.js"
import { TaskId } from "./TaskId.js"
import { TaskStatus } from "./TaskStatus.js"

const common = {
  taskId: TaskId,
  /** When, by the clock of whoever changed it: epoch milliseconds. */
  at: Schema.Number,
  /** The instance that told of it. */
  by: InstanceId
}

/** The task is new, or its status, its owner or its attempt changed. */
export const Changed = Schema.TaggedStruct("Changed", {
  ...common,
  taskName: Schema.String,
  status: TaskStatus,
  /** Who holds or runs it; null when nobody does. */
  owner: Schema.NullOr(InstanceId),
  /** Of two changes of one task, the one with the larger claim, then with more attempts, is newer. */
  claim: Schema.Int,
  attempts: Schema.Int,
  cancelRequested: Schema.Boolean,
  /** When it may start, where it has to wait for that: epoch milliseconds. */
  dueAt: Schema.NullOr(Schema.Number),
  /** The task that this one retries: that one now has a `retriedAs`. */
  retryOf: Schema.NullOr(TaskId)
})

/** It has new log lines. `lines`: how many it has by now, null when it had ended before. */
export const Logged = Schema.TaggedStruct("Logged", { ...common, lines: Schema.NullOr(Schema.Int) })

/** A running task said how far it is. */
export const Progressed = Schema.TaggedStruct("Progressed", { ...common, claim: Schema.Int, progress: Progress })

/** One change of one task. */
export const TaskChange = Schema.Union(Changed, Logged, Progressed)

/** One change of one task. */
export type TaskChange = typeof TaskChange.Type

/** What to read of the feed. */
export interface FeedQuery {
  /** `cursor` of the page before; null: from now on. Of another backend, or unreadable: as one that is too old. */
  readonly cursor: string | null
  /** About how many batches, at least one of each writer that has news. */
  readonly limit: number
  /** The moment it is asked at, in epoch milliseconds. */
  readonly now: number
}

/**
 * A page of the feed. What one instance wrote comes in the order it was committed; changes of different instances come
 * about in the order of their times, and so do what it wrote and what it claimed: of a task that it enqueued and claimed in the
 * same moment either may come first.
 */
export interface FeedPage {
  readonly changes: ReadonlyArray<TaskChange>
  /** Text of the backend's own, good for about ten minutes. */
  readonly cursor: string
  /** More was there already. */
  readonly more: boolean
  /** What was to be read is forgotten by now: read again what you show, and go on from `cursor`. */
  readonly reset: boolean
}

/**
 * Why to look at a shared backend sooner than planned. `work`: somebody wrote a task that anyone may claim; `changes`: the
 * feed has news; `steer`: an instance was asked to stop something.
 */
export type Hint = "work" | "changes" | "steer"
