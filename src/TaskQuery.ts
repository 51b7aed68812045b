/**
 * What can be asked of a backend about many tasks: pages of them, and counts. Plain data between the port and its readers.
 */
import type { TaskId } from "./TaskId.js"
import type { TaskRecord } from "./TaskRecord.js"
import type { TaskStatus } from "./TaskStatus.js"

/**
 * Which tasks. Everything given must hold; absent means any. Strings are compared exactly. Numbers may be any: nothing
 * fits a time that is no number, or a priority that no task can have.
 */
export interface TaskFilter {
  /** One of these; none of them when it is empty. Default: any. */
  readonly status?: ReadonlyArray<TaskStatus> | undefined
  /** Of this name. Default: any. */
  readonly taskName?: string | undefined
  /** With this tag. Default: with or without any. */
  readonly tag?: readonly [name: string, value: string] | undefined
  /** Enqueued by a call, or by a schedule. Default: either. */
  readonly source?: TaskRecord["source"] | undefined
  /** Of exactly this priority. Default: any. */
  readonly priority?: number | undefined
  /** The name of a schedule: the tasks of its slots. Default: any. */
  readonly schedule?: string | undefined
  /** The fingerprint of an `ErrorGroup`: the failed tasks of that group. Default: any. */
  readonly errorGroup?: string | undefined
  /** Created at or after: epoch milliseconds. Default: since ever. */
  readonly since?: number | undefined
  /** Created before: epoch milliseconds. Default: up to now. */
  readonly until?: number | undefined
}

/** Which tasks to list, and how. */
export interface ListQuery extends TaskFilter {
  /** By id, which begins with the time of creation. Default `newest`. */
  readonly order?: "newest" | "oldest" | undefined
  /** Taken as a whole number from 1 to 200. Default 50, also for what is no number. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before; that task need not be there any more. Nothing is behind what is no id. Default: the first page. */
  readonly cursor?: TaskId | undefined
}

/** One page, and where the next begins; null at the end. */
export interface ListPage {
  readonly items: ReadonlyArray<TaskRecord>
  readonly nextCursor: TaskId | null
}

/** Which tasks to count. `since` and `until` are compared with the time in their ids, which is that of their creation. */
export type CountQuery = TaskFilter

/**
 * How many tasks there are, by status: of each no more than was asked for, 0 for a status that was not. Exact where it is
 * not `capped`; in these statuses there may be more than was counted.
 */
export interface Counted {
  readonly counts: { readonly [Status in TaskStatus]: number }
  readonly capped: ReadonlyArray<TaskStatus>
  /** How many of `running` wait for their next attempt, as far as they were counted. Absent where a backend cannot tell cheaply. */
  readonly retrying?: number | undefined
}

/** Unfinished tasks by name: the thousand names with the most. `capped`: there are more tasks, or names, than were counted. */
export interface Unfinished {
  readonly tasks: ReadonlyArray<{ readonly taskName: string; readonly pending: number; readonly running: number }>
  readonly capped: boolean
}

/**
 * Counts by status of the tasks that are there, and the durations (milliseconds, first start to end) of what succeeded or
 * failed. Whether removed tasks still count in the durations is left to the backend.
 */
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
