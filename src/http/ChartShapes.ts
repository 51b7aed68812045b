/**
 * What charts, counters and forms are drawn from, as schemas. From roll-ups and bounded counts: nothing here costs more the
 * more tasks are kept.
 */
import * as Schema from "effect/Schema"
import { TaskId } from "../TaskId.js"
import { Count, ends, Millis, Time } from "./TaskShapes.js"

/** How long something took, of many: milliseconds, null without any. Percentiles are within five percent of the truth. */
export const Spread = Schema.Struct({
  count: Count,
  average: Schema.NullOr(Millis),
  min: Schema.NullOr(Millis),
  max: Schema.NullOr(Millis),
  p50: Schema.NullOr(Millis),
  p95: Schema.NullOr(Millis),
  p99: Schema.NullOr(Millis)
}).annotations({ identifier: "TaskSpread" })

/** What ended within a window of time. */
export const WindowStats = Schema.Struct({
  /** The window, in whole slots: it may begin a little before what was asked for. */
  from: Time,
  to: Time,
  ended: Count,
  ...ends,
  /** Successes among all that ended, 0 to 1; null when none did. */
  successRate: Schema.NullOr(Schema.Number),
  /** Ends a minute. */
  throughput: Schema.Number,
  /** From first start to end, of what succeeded or failed. */
  durations: Spread,
  /** From when a task might have started to its first start. */
  waits: Spread
}).annotations({ identifier: "TaskWindowStats" })

/** What ended in one slice of time. */
export const Bucket = Schema.Struct({
  /** When it begins. */
  at: Time,
  ...ends,
  durations: Spread,
  waits: Spread
}).annotations({ identifier: "TaskBucket" })

/** Slices of time, the oldest first. */
export const Buckets = Schema.Struct({
  /** How long each is, in milliseconds. */
  width: Millis,
  /** Oldest first, empty ones too. What is older than three hours is known by the hour and stands at its beginning. */
  items: Schema.Array(Bucket)
}).annotations({ identifier: "TaskBuckets" })

/** About how many took how long, within a window of time. */
export const Durations = Schema.Struct({
  /** The window, in whole slots: it may begin a little before what was asked for. */
  from: Time,
  to: Time,
  durations: Spread,
  /** Shortest first, without empty ones. Each is ten percent longer than the one before; the first is all under a millisecond. */
  items: Schema.Array(Schema.Struct({
    /** Took as long as this, or longer. */
    from: Millis,
    /** And not as long as this. */
    to: Millis,
    count: Count
  }))
}).annotations({ identifier: "TaskDurations" })

/** How many tasks of a filter are in each status. */
export const Facets = Schema.Struct({
  pending: Count,
  running: Count,
  /** Those among `running` that wait for their next attempt. */
  retrying: Count,
  ...ends,
  /** Statuses, and `retrying`, of which there may be more than was counted: each is counted up to 10,000. */
  atLeast: Schema.Array(Schema.String),
  /** False when only the newest 10,000 tasks were looked at. */
  complete: Schema.Boolean,
  applied: Schema.Struct({ q: Schema.String })
}).annotations({ identifier: "TaskFacets" })

/** What became of one task name within the window of an overview. */
export const OverviewTask = Schema.Struct({
  taskName: Schema.String,
  ...ends,
  durations: Spread,
  /** How many ended in each slot of the overview, and how many of them failed or were interrupted. */
  ended: Schema.Array(Count),
  bad: Schema.Array(Count)
}).annotations({ identifier: "TaskOverviewTask" })

/** Whether all is well, and if not, what is not: what the first page of the dashboard shows. */
export const Overview = Schema.Struct({
  /** The window in whole slots, the latest of which is not over. */
  current: WindowStats,
  /** As many slots before it. */
  previous: WindowStats,
  /** Of a slot, in milliseconds: a minute, or of long windows an hour and more. */
  width: Millis,
  /** The slots of the window, oldest first, empty ones too. */
  items: Schema.Array(Bucket),
  /** Names by failures, then by ends: the first ten. Failures are failed and interrupted tasks. */
  tasks: Schema.Array(OverviewTask),
  /** How many names ended something in the window. */
  names: Count,
  /** As `Facets` of everything. */
  pending: Count,
  running: Count,
  retrying: Count,
  atLeast: Schema.Array(Schema.String),
  /** Groups of errors that are not dismissed; 100 means a hundred or more. */
  attention: Count,
  /** Among the 20 oldest pending tasks, the one that waits longest since it might start; null when none does. */
  waiting: Schema.NullOr(Schema.Struct({ taskId: TaskId, taskName: Schema.String, since: Time })),
  /** Schedules whose next slot was due more than a minute ago: the latest ten of the first 1,000 by name. */
  late: Schema.Array(Schema.Struct({ name: Schema.String, taskName: Schema.String, slot: Time }))
}).annotations({ identifier: "TaskOverview" })

/** What may stand at a place of a filter. */
export const Suggestion = Schema.Struct({
  /** What to put in place of the text between `from` and `to`. */
  insert: Schema.String,
  label: Schema.String,
  kind: Schema.String,
  from: Schema.Int,
  to: Schema.Int
}).annotations({ identifier: "TaskSuggestion" })

/** What may stand at a place of a filter, the likeliest first. */
export const Suggestions = Schema.Struct({ items: Schema.Array(Suggestion) }).annotations({
  identifier: "TaskSuggestions"
})
