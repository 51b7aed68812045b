/**
 * What actions on tasks answer, as schemas: one task retried or cancelled, many of them, history cleared.
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { TaskId } from "../TaskId.js"
import { TaskDetail } from "./TaskShapes.js"

/** `taskId` is the new task. */
export const TaskRetried = Schema.Struct({ taskId: TaskId, task: TaskDetail }).annotations({
  identifier: "TaskRetried"
})

/** 200: it will not run (any more). */
export const TaskCancelled = Schema.Struct({
  outcome: Schema.Literal("cancelled"),
  taskId: TaskId,
  task: TaskDetail
}).annotations({ identifier: "TaskCancelled", ...HttpApiSchema.annotations({ status: 200 }) })

/** 202: the running attempt was told to stop; the task ends as cancelled, or as success if that came first. */
export const TaskCancelRequested = Schema.Struct({
  outcome: Schema.Literal("requested"),
  taskId: TaskId,
  task: TaskDetail
}).annotations({ identifier: "TaskCancelRequested", ...HttpApiSchema.annotations({ status: 202 }) })

/** 201: accepted. 200: a task with the same idempotency key was there; `taskId` is that one. */
export const TaskEnqueued = Schema.Struct({
  outcome: Schema.Literal("enqueued"),
  taskId: TaskId
}).annotations({ identifier: "TaskEnqueued", ...HttpApiSchema.annotations({ status: 201 }) })

/** 200: a task with the same idempotency key was there; `taskId` is that one. */
export const TaskDeduplicated = Schema.Struct({
  outcome: Schema.Literal("deduplicated"),
  taskId: TaskId
}).annotations({ identifier: "TaskDeduplicated", ...HttpApiSchema.annotations({ status: 200 }) })

/** Why a task was left alone: `wrongStatus`, `alreadyRetried`, `keyHeld`, `notRegistered`, `encrypted` or `notFound`. */
export const SkipReason = Schema.Literal(
  "wrongStatus",
  "alreadyRetried",
  "keyHeld",
  "notRegistered",
  "encrypted",
  "notFound"
)

/** Why a task was left alone. */
export type SkipReason = typeof SkipReason.Type

const skips = {
  skipped: Schema.Int,
  reasons: Schema.Array(Schema.Struct({ reason: SkipReason, count: Schema.Int }))
}

const paged = {
  /** Nothing was done: these are the numbers that would come. */
  dryRun: Schema.Boolean,
  /** Send it as `cursor` to go on behind these; null when all that the selection shows was looked at. */
  nextCursor: Schema.NullOr(Schema.String)
}

/** What a bulk retry did. */
export const TasksRetried = Schema.Struct({
  dispatched: Schema.Int,
  ...skips,
  results: Schema.Array(Schema.Struct({ originalTaskId: TaskId, newTaskId: TaskId })),
  ...paged
}).annotations({ identifier: "TasksRetried" })

/** What a bulk cancel did. */
export const TasksCancelled = Schema.Struct({
  /** Those that will not run (any more). */
  cancelled: Schema.Int,
  /** Those whose running attempt was told to stop. */
  requested: Schema.Int,
  ...skips,
  ...paged
}).annotations({ identifier: "TasksCancelled" })

/** What was removed of the history. */
export const HistoryDeleted = Schema.Struct({
  /** Of a dry run: how many would be. */
  deleted: Schema.Int,
  /** False: there is more, ask again. */
  complete: Schema.Boolean,
  /** Nothing was done. */
  dryRun: Schema.Boolean
}).annotations({ identifier: "HistoryDeleted" })
