/**
 * Batches, as schemas: many tasks retried or cancelled by the server, one after the other, while whoever asked does something else.
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { InstanceId } from "../TaskEvent.js"
import { SkipReason } from "./ActionShapes.js"
import { Time } from "./TaskShapes.js"

/** What a batch does with each task. */
export const BatchAction = Schema.Literal("retry", "cancel").annotations({ identifier: "BatchAction" })

/** `waiting` for the end of its undo window, `running`, and how it ended: `done`, `stopped` before that, or `failed`. */
export const BatchState = Schema.Literal("waiting", "running", "done", "stopped", "failed").annotations({
  identifier: "BatchState"
})

/** A batch: what it does, how far it is, and how it ended. */
export const Batch = Schema.Struct({
  id: Schema.String,
  /** Counts its changes: of two answers the one with the larger number is newer. */
  v: Schema.Int,
  action: BatchAction,
  /** Who asked for it. */
  who: Schema.String,
  /** Which tasks, in the filter language; null for ids. Values of arguments are hidden, and a long text is cut. */
  q: Schema.NullOr(Schema.String),
  state: BatchState,
  /** It was told to stop, and does so behind the tasks under way. */
  stopRequested: Schema.Boolean,
  /** Tasks a second, as asked. */
  perSecond: Schema.NullOr(Schema.Int),
  createdAt: Time,
  /** When the undo window ends, or ended. */
  startsAt: Time,
  endedAt: Schema.NullOr(Time),
  /** Those that were retried, are cancelled, or were told to stop. */
  done: Schema.Int,
  /** Those that were left alone, and why. */
  skipped: Schema.Int,
  reasons: Schema.Array(Schema.Struct({ reason: SkipReason, count: Schema.Int })),
  /** How many tasks the selection showed when it was asked for. */
  total: Schema.Int,
  /** There may be more. */
  totalIsFloor: Schema.Boolean,
  /** Why it failed or was stopped by the server; while it runs, what it waits for. */
  error: Schema.NullOr(Schema.String),
  /** Where it is done. Other instances do not know it. */
  instance: InstanceId
}).annotations({ identifier: "Batch" })

/** A batch: what it does, how far it is, and how it ended. */
export type Batch = typeof Batch.Type

/** 202: it is kept, and begins when its undo window ends. */
export const BatchAccepted = Schema.Struct({ batch: Batch }).annotations({
  identifier: "BatchAccepted",
  ...HttpApiSchema.annotations({ status: 202 })
})

/** Newest first, at most 60. */
export const Batches = Schema.Struct({ items: Schema.Array(Batch) }).annotations({ identifier: "Batches" })

/** `undone`: it had not begun, so nothing happened. `stopping`: what is under way is finished, the rest left alone. */
export const BatchStopped = Schema.Struct({
  outcome: Schema.Literal("undone", "stopping"),
  batch: Batch
}).annotations({ identifier: "BatchStopped" })
