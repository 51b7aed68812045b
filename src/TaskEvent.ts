/**
 * Everything that can happen to a task. The spine of the library: recording, observing and persisting read the same event.
 *
 * Events are plain data: times in epoch milliseconds, payload and result as JSON text.
 */
import * as Schema from "effect/Schema"
import { TaskId } from "./TaskId.js"

/** Which running engine: a UUID made anew at every start. */
export const InstanceId = Schema.String.pipe(Schema.brand("InstanceId"))

/** Which running engine: a UUID made anew at every start. */
export type InstanceId = typeof InstanceId.Type

/** From low to high. Effect's Trace is stored as debug, Fatal as error. */
export const LogLevel = Schema.Literal("debug", "info", "warning", "error")

/** From low to high. Effect's Trace is stored as debug, Fatal as error. */
export type LogLevel = typeof LogLevel.Type

/** One part of a cause. Texts are empty where there is nothing to say. */
export const CausePart = Schema.Struct({
  /** How deep it stands: 0 for the whole; a part belongs to the nearest one before it that is less deep. */
  depth: Schema.Int,
  /** `parallel` and `sequential` hold the parts behind them that are deeper; the others are what happened. */
  kind: Schema.Literal("parallel", "sequential", "error", "defect", "interrupt"),
  name: Schema.String,
  message: Schema.String,
  /** Its first frames, the handler's own before others. */
  stack: Schema.String
})

/** One part of a cause. Texts are empty where there is nothing to say. */
export type CausePart = typeof CausePart.Type

/** What a cause of several parts is made of, in the order they are read, and how many errors, defects and interrupts were left out. */
export const FailureCause = Schema.Struct({ parts: Schema.Array(CausePart), omitted: Schema.Int })

/** What a cause of several parts is made of, in the order they are read, and how many errors, defects and interrupts were left out. */
export type FailureCause = typeof FailureCause.Type

/** Why one attempt did not succeed, in a form that can be stored and shown. */
export const TaskFailure = Schema.Struct({
  /** `error`: the task's own typed error; `undecodable`: the stored payload does not fit the definition. */
  kind: Schema.Literal("error", "defect", "timeout", "crashed", "undecodable"),
  /** The error's `_tag`, or the thrown value's class name. */
  name: Schema.String,
  message: Schema.String,
  /** The pretty printed cause, the handler's own frames first; at most 16 KiB. */
  stack: Schema.String,
  /** The typed error as JSON text through the task's error schema; null for every other kind. */
  error: Schema.NullOr(Schema.String),
  /** What a cause of several parts is made of; absent when it has one part, or was stored by a version that did not keep it. */
  cause: Schema.optionalWith(FailureCause, { exact: true })
})

/** Why one attempt did not succeed, in a form that can be stored and shown. */
export type TaskFailure = typeof TaskFailure.Type

/** Why a task ended otherwise than by success. */
export const StopReason = Schema.Literal(
  "retriesSpent",
  "unrecoverable",
  "undecodable",
  "poison",
  "cancel",
  "shutdown",
  "lostLease",
  "instanceDied"
)

/** Why a task ended otherwise than by success. */
export type StopReason = typeof StopReason.Type

/** One line a handler wrote. */
export const LogLine = Schema.Struct({
  /** Counts the lines of one claim from 1; (task, claim, sequence) is unique. */
  sequence: Schema.Int,
  claim: Schema.Int,
  /** Counted from 1: the attempt that wrote the line. */
  attempt: Schema.Int,
  at: Schema.Number,
  level: LogLevel,
  message: Schema.String,
  /** Log annotations and extras as a JSON object text, or null when there are none. */
  annotations: Schema.NullOr(Schema.String)
})

/** One line a handler wrote. */
export type LogLine = typeof LogLine.Type

/** Which slot of which schedule a task is for: the moment it stands for, in epoch milliseconds. */
export const ScheduledSlot = Schema.Struct({ name: Schema.String, slot: Schema.Number })

/** Which slot of which schedule a task is for: the moment it stands for, in epoch milliseconds. */
export type ScheduledSlot = typeof ScheduledSlot.Type

/** How far a running task says it is. */
export const Progress = Schema.Struct({ value: Schema.Number, message: Schema.NullOr(Schema.String) })

/** How far a running task says it is. */
export type Progress = typeof Progress.Type

const common = { taskId: TaskId, at: Schema.Number }

/** A task was accepted. Says all that follows from its definition and the call. */
export const Enqueued = Schema.TaggedStruct("Enqueued", {
  ...common,
  taskName: Schema.String,
  /** `effect` is a one-off of `TaskManager.run`: its code lives in this process alone. */
  kind: Schema.Literal("task", "effect"),
  payload: Schema.String,
  priority: Schema.Int,
  tags: Schema.Record({ key: Schema.String, value: Schema.String }),
  idempotencyKey: Schema.NullOr(Schema.String),
  keyTtl: Schema.NullOr(Schema.Number),
  source: Schema.Literal("manual", "scheduled"),
  /** Null for what no schedule asked for. */
  schedule: Schema.NullOr(ScheduledSlot),
  executor: Schema.Literal("fiber", "thread", "process"),
  requeueOnInterrupt: Schema.Boolean,
  maxCrashes: Schema.Int,
  definitionVersion: Schema.Int,
  runAt: Schema.NullOr(Schema.Number),
  retryOf: Schema.NullOr(TaskId),
  trace: Schema.NullOr(Schema.String),
  /** The instance that holds the new task in its window, or null when any may claim it. */
  owner: Schema.NullOr(InstanceId)
})

/** The attempt is counted here, before the handler runs. */
export const Started = Schema.TaggedStruct("Started", { ...common, instance: InstanceId, claim: Schema.Int })

/** An attempt failed and another will follow at `nextAttemptAt`. */
export const AttemptFailed = Schema.TaggedStruct("AttemptFailed", {
  ...common,
  failure: TaskFailure,
  nextAttemptAt: Schema.Number
})

/** The handler asked to be run again later; no retry is consumed. */
export const Snoozed = Schema.TaggedStruct("Snoozed", { ...common, until: Schema.Number })
/** The handler succeeded. `result` is JSON text, null without a success schema. */
export const Succeeded = Schema.TaggedStruct("Succeeded", { ...common, result: Schema.NullOr(Schema.String) })
/** The last attempt failed, and no other follows. */
export const Failed = Schema.TaggedStruct("Failed", { ...common, failure: TaskFailure, stopReason: StopReason })
/** A running attempt was told to stop. */
export const CancelRequested = Schema.TaggedStruct("CancelRequested", common)
/** The task was cancelled, and runs no more. */
export const Cancelled = Schema.TaggedStruct("Cancelled", common)
/** A shutdown or a death cut the attempt short, and the task is not requeued. */
export const Interrupted = Schema.TaggedStruct("Interrupted", { ...common, stopReason: StopReason })

/** Back to pending after an interruption that was not the task's fault; no retry is consumed. */
export const Requeued = Schema.TaggedStruct("Requeued", { ...common, stopReason: StopReason })
/** The handler logged a line. */
export const Logged = Schema.TaggedStruct("Logged", { ...common, line: LogLine })
/** The handler said how far it is. */
export const Progressed = Schema.TaggedStruct("Progressed", { ...common, progress: Progress })

/** Everything that can happen to a task. */
export const TaskEvent = Schema.Union(
  Enqueued,
  Started,
  AttemptFailed,
  Snoozed,
  Succeeded,
  Failed,
  CancelRequested,
  Cancelled,
  Interrupted,
  Requeued,
  Logged,
  Progressed
)

/** Everything that can happen to a task. */
export type TaskEvent = typeof TaskEvent.Type
/** A task was accepted. Says all that follows from its definition and the call. */
export type Enqueued = typeof Enqueued.Type
/** The attempt is counted here, before the handler runs. */
export type Started = typeof Started.Type
/** The handler logged a line. */
export type Logged = typeof Logged.Type
