/**
 * The filter language as data: what a text is read into, and what is printed back. Plain TypeScript, also for browsers.
 *
 * A filter is a list of terms that must all hold.
 */
import type { TaskRecord } from "../../TaskRecord.js"
import type { TaskStatus } from "../../TaskStatus.js"

/** A status, or the one that is shown of a running task that waits for its next attempt. */
export type ShownStatus = TaskStatus | "retrying"

/** A text that is compared exactly, or the beginning of one (`text*`). */
export interface Pattern {
  readonly text: string
  readonly prefix: boolean
}

/** How a value is compared with that of a task. */
export type Comparison = ">" | ">=" | "<" | "<=" | "="

/** A moment: so long ago, or epoch milliseconds. */
export type Moment = { readonly ago: number } | { readonly at: number }

/** Keys with several values hold when one of the values does. `negated`: holds for what it would not hold for. */
export type Term =
  & { readonly negated: boolean }
  & (
    | { readonly key: "status"; readonly values: ReadonlyArray<ShownStatus> }
    | { readonly key: "source"; readonly values: ReadonlyArray<TaskRecord["source"]> }
    | { readonly key: "executor"; readonly values: ReadonlyArray<TaskRecord["executor"]> }
    | { readonly key: PatternKey; readonly values: ReadonlyArray<Pattern> }
    /** Without values: has the tag. */
    | { readonly key: "tag"; readonly name: string; readonly values: ReadonlyArray<Pattern> }
    /** Without a path: the payload itself. */
    | { readonly key: "args"; readonly path: ReadonlyArray<string>; readonly values: ReadonlyArray<Pattern> }
    /** Ids in full, or the last eight digits of them. */
    | { readonly key: "id" | "retryof"; readonly values: ReadonlyArray<string> }
    /** Milliseconds. */
    | { readonly key: "dur" | "wait" | "age"; readonly comparison: Comparison; readonly value: number }
    | { readonly key: "attempts" | "retries" | "priority"; readonly comparison: Comparison; readonly value: number }
    | { readonly key: "since" | "until"; readonly moment: Moment }
    /** Somewhere in what is shown of a task: its name, error, tags' values, id. */
    | { readonly key: "text"; readonly text: string }
  )

/** `error` looks inside the message, where the others compare with the whole. */
export type PatternKey = "task" | "error" | "schedule" | "instance" | "key" | "group"

/** The keys a person writes. */
export type Key = Exclude<Term["key"], "text">

/** Every key in the order in which it is offered, with what is said of it. */
export const hints: { readonly [K in Key]: string } = {
  status: "pending, running, retrying, success, failed, interrupted or cancelled",
  task: "a task's name, or its beginning as send*",
  tag: "key=value, or key for any value",
  args: "args.path.to:value of the payload",
  error: "a part of the error message",
  dur: "how long it took, as >5s",
  wait: "how long it waited for its first start, as >1m",
  age: "how long ago it was created, as <2h",
  attempts: "attempts started, as >1",
  retries: "retries used, as >=2",
  priority: "as >=8",
  source: "schedule or manual",
  schedule: "a schedule's name",
  instance: "where it ran last, as abc*",
  executor: "fiber, thread or process",
  id: "a task's id, or its last 8 digits",
  key: "an idempotency key",
  group: "the fingerprint of an error group",
  retryof: "the id of the task it runs again",
  since: "created at or after: 6h, or 2026-01-31T08:00Z",
  until: "created before: 6h, or 2026-01-31T08:00Z"
}

// safe: the object above has exactly these keys
export const keys = Object.keys(hints) as ReadonlyArray<Key>

export const isKey = (name: string): name is Key => Object.hasOwn(hints, name)

/** What a person may write for a value that is one of a few, and what it stands for. */
export const choices: {
  readonly status: { readonly [name: string]: ShownStatus }
  readonly source: { readonly [name: string]: TaskRecord["source"] }
  readonly executor: { readonly [name: string]: TaskRecord["executor"] }
} = {
  status: {
    pending: "pending",
    running: "running",
    retrying: "retrying",
    success: "success",
    failed: "failed",
    interrupted: "interrupted",
    cancelled: "cancelled"
  },
  source: { schedule: "scheduled", manual: "manual", scheduled: "scheduled" },
  executor: { fiber: "fiber", thread: "thread", process: "process" }
}

/** A longer text is refused, and one whose printed form is longer. UTF-16 units. */
export const maxLength = 2_000
export const maxTerms = 50
/** Of one term. */
export const maxValues = 50
/** Of one path into a payload. */
export const maxSteps = 20
/** No more are told of one text. */
export const maxProblems = 10

/** What is wrong with a text, and where: offsets in UTF-16 units, `token` is what stands there, cut to 100. */
export interface Problem {
  readonly from: number
  readonly to: number
  readonly token: string
  /** What is wrong and what to write. */
  readonly message: string
  /** What may stand there, the likeliest first. */
  readonly expected?: ReadonlyArray<string>
}
