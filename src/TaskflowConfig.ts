/**
 * What can be set for one engine, with its defaults. Read by every part of the engine, given once to `TaskflowLayer`.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import type { LogLevel } from "./TaskEvent.js"

/** Settings of one engine. Everything may be left out. */
export interface TaskflowOptions {
  /** Attempts that run at once in this instance. Default 100. */
  readonly maxConcurrentTasks?: number | undefined
  /** How long running tasks may finish at shutdown before they are interrupted. Default 30 seconds, for all together. */
  readonly shutdownTimeout?: Duration.DurationInput | undefined
  /** Tasks held ready in memory beyond the running ones. Default 1,000. */
  readonly windowSize?: number | undefined
  /** The largest payload or result, in UTF-16 units of JSON text. Default 1,048,576. */
  readonly maxPayloadSize?: number | undefined
  /** Log lines kept on a record. */
  readonly logs?: {
    /** The lowest level kept, whatever the console shows. Default debug. */
    readonly level?: LogLevel | undefined
    /** Lines kept for a task over all its attempts. Default 1,000. */
    readonly maxLines?: number | undefined
    /** UTF-16 units kept for a task over all its attempts. Default 262,144. */
    readonly maxSize?: number | undefined
    /** Whether annotations and extras are kept with the line or only shown to observers. Default store. */
    readonly fields?: "store" | "observe" | undefined
  } | undefined
  /** The group commit. */
  readonly journal?: {
    /** Changes in one batch. Default 500; what `enqueueMany` is given stays together up to 10,000. */
    readonly maxBatch?: number | undefined
    /** Changes waiting to be written before an enqueue waits too. Default 10,000. */
    readonly maxWaiting?: number | undefined
  } | undefined
  /** Events a slow reader may fall behind before the oldest are dropped for it (and counted). Default 4,096. */
  readonly eventsCapacity?: number | undefined
  /** How long a task may wait for a handler nobody registered before a warning says so. Default 5 seconds. */
  readonly unhandledAfter?: Duration.DurationInput | undefined
  /** Whether awaiting a task nobody handles waits, or dies at once with a message (as `TaskflowTest` sets it). Default wait. */
  readonly unhandled?: "wait" | "die" | undefined
  /** Whether one line at start says where tasks are kept, how durably, and what a shutdown does. Default true. */
  readonly announce?: boolean | undefined
}

/** The same with every default filled in; durations in milliseconds. */
export class TaskflowConfig extends Context.Tag("effect-taskflow/TaskflowConfig")<TaskflowConfig, {
  readonly maxConcurrentTasks: number
  readonly shutdownTimeout: number
  readonly windowSize: number
  readonly maxPayloadSize: number
  readonly logs: {
    readonly level: LogLevel
    readonly maxLines: number
    readonly maxSize: number
    readonly fields: "store" | "observe"
  }
  readonly journal: { readonly maxBatch: number; readonly maxWaiting: number }
  readonly eventsCapacity: number
  readonly unhandledAfter: number
  readonly unhandled: "wait" | "die"
  readonly announce: boolean
}>() {}

const atLeastOne = (name: string, value: number): number => {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new RangeError(`TaskflowLayer: ${name} is ${value}: a whole number from 1`)
}

/** Fills in the defaults. Throws a RangeError that names the option when a bound is not a whole number from 1. */
export const make = (options: TaskflowOptions = {}): TaskflowConfig["Type"] => ({
  maxConcurrentTasks: atLeastOne("maxConcurrentTasks", options.maxConcurrentTasks ?? 100),
  shutdownTimeout: Duration.toMillis(options.shutdownTimeout ?? "30 seconds"),
  windowSize: atLeastOne("windowSize", options.windowSize ?? 1_000),
  maxPayloadSize: atLeastOne("maxPayloadSize", options.maxPayloadSize ?? 1_048_576),
  logs: {
    level: options.logs?.level ?? "debug",
    maxLines: atLeastOne("logs.maxLines", options.logs?.maxLines ?? 1_000),
    maxSize: atLeastOne("logs.maxSize", options.logs?.maxSize ?? 262_144),
    fields: options.logs?.fields ?? "store"
  },
  journal: {
    maxBatch: atLeastOne("journal.maxBatch", options.journal?.maxBatch ?? 500),
    maxWaiting: atLeastOne("journal.maxWaiting", options.journal?.maxWaiting ?? 10_000)
  },
  eventsCapacity: atLeastOne("eventsCapacity", options.eventsCapacity ?? 4_096),
  unhandledAfter: Duration.toMillis(options.unhandledAfter ?? "5 seconds"),
  unhandled: options.unhandled ?? "wait",
  announce: options.announce ?? true
})

export const layer = (options?: TaskflowOptions): Layer.Layer<TaskflowConfig> =>
  Layer.sync(TaskflowConfig, () => make(options))
