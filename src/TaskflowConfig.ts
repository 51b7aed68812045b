/**
 * What can be set for one engine, with its defaults. Read by every part of the engine, given once to `TaskflowLayer`.
 */
import * as os from "node:os"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import { atLeastOne, millisAtLeast, millisOf, oneOf } from "./internal/engineOptions.js"
import { inWords } from "./internal/shown.js"
import type { FileObserverOptions } from "./observer/FileObserver.js"
import type { LogLevel } from "./TaskEvent.js"
import type { Terminal } from "./TaskStatus.js"

/** The workers of one executor. */
export interface PoolOptions {
  /** Workers that are started with the first handler and kept. Default 0. */
  readonly min?: number | undefined
  /** The most workers, so the most attempts at once. Default: as many as there are processors, less one for this program. */
  readonly max?: number | undefined
  /** How long a worker beyond `min` may be idle before it ends. Default 1 minute. */
  readonly idleTimeout?: Duration.DurationInput | undefined
  /** A worker ends after so many attempts, and another one starts. Default: never. */
  readonly recycleAfter?: number | undefined
  /** The most memory of one worker, in MiB: of a thread the heap, of a process all. Default: no limit of our own. */
  readonly memoryLimit?: number | undefined
  /** How long a worker may take to start and load a module. Default 30 seconds. */
  readonly startTimeout?: Duration.DurationInput | undefined
  /** How long an attempt that is to stop may run finalizers before its worker is ended. Default 250 milliseconds. */
  readonly grace?: Duration.DurationInput | undefined
}

/** Settings of one engine. Everything may be left out. */
export interface TaskflowOptions {
  /** Attempts that run at once in this instance. Default 100. */
  readonly maxConcurrentTasks?: number | undefined
  /** How long running tasks may finish at shutdown before they are interrupted. Default 30 seconds, for all together. */
  readonly shutdownTimeout?: Duration.DurationInput | undefined
  /** The most tasks held ready in memory beyond the running ones; of long ones fewer. Default 1,000. */
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
  /**
   * What handlers log, in a file too: `FileObserver` inside the engine, so it sees everything up to the end of the shutdown.
   * Default none.
   */
  readonly logFile?: FileObserverOptions | undefined
  /** The group commit. */
  readonly journal?: {
    /** Changes in one batch. Default 500; what `enqueueMany` is given stays together up to 10,000, and 8 MiB. */
    readonly maxBatch?: number | undefined
    /** Changes waiting to be written before an enqueue waits too. Default 10,000. */
    readonly maxWaiting?: number | undefined
    /** About how many UTF-16 units of payloads, results and messages are in one batch. Default 1,048,576; at least one change. */
    readonly maxBatchBytes?: number | undefined
    /** How long an enqueue waits while its idempotency key is in somebody's open transaction. Default 10 seconds. */
    readonly maxKeyWait?: Duration.DurationInput | undefined
    /** How long the backend may fail before an enqueue from outside a task fails instead of waiting. Default 1 minute. */
    readonly maxOutage?: Duration.DurationInput | undefined
  } | undefined
  /** Where tasks with `executor: "thread"` and `"process"` run. */
  readonly executors?: {
    /** Threads of this process. Default: as `PoolOptions` says. */
    readonly thread?: PoolOptions | undefined
    /** Processes of their own. Default: as `PoolOptions` says. */
    readonly process?: PoolOptions | undefined
    /**
     * For tests: modules run in this process, like functions, and functions are accepted in their place. Default false;
     * `TaskflowTest.layer` sets it.
     */
    readonly inPlace?: boolean | undefined
  } | undefined
  /** The application's own version, shown to people beside its instance. Default none. */
  readonly appVersion?: string | undefined
  /** How long this instance may be silent before others take its tasks over. Default 30 seconds; at least 100 ms. */
  readonly lease?: Duration.DurationInput | undefined
  /** How often it says that it is alive. Default, and at most, a third of `lease`. */
  readonly heartbeatInterval?: Duration.DurationInput | undefined
  /** Whether the end of a process on this machine counts as its death at once. Default true. */
  readonly sameHostDetection?: boolean | undefined
  /** How often a shared backend is looked at for tasks of others: from `min` while there is work up to `max`. */
  readonly poll?: {
    /** Default 250 milliseconds. */
    readonly min?: Duration.DurationInput | undefined
    /** Default 2 seconds. */
    readonly max?: Duration.DurationInput | undefined
  } | undefined
  /** How long finished tasks are kept, by how they ended, and what people did. */
  readonly retention?: {
    /** Default 7 days. */
    readonly success?: Duration.DurationInput | "forever" | undefined
    /** Default 7 days. */
    readonly cancelled?: Duration.DurationInput | "forever" | undefined
    /** Default 30 days. */
    readonly failed?: Duration.DurationInput | "forever" | undefined
    /** Default 30 days. */
    readonly interrupted?: Duration.DurationInput | "forever" | undefined
    /** The audit trail. Default 90 days; at least 8 days, as sessions that were ended are known from it. */
    readonly audit?: Duration.DurationInput | "forever" | undefined
  } | undefined
  /** Events a slow reader may fall behind before the oldest are dropped for it (and counted). Default 4,096. */
  readonly eventsCapacity?: number | undefined
  /** How long a task may wait for a handler nobody registered before a warning says so. Default 5 seconds. */
  readonly unhandledAfter?: Duration.DurationInput | undefined
  /** Whether awaiting a task nobody handles waits, or dies at once with a message (as `TaskflowTest` sets it). Default wait. */
  readonly unhandled?: "wait" | "die" | undefined
  /** Spans of enqueues and attempts. */
  readonly tracing?: {
    /**
     * `auto`: where a tracer was given; where only a parent span is there its trace is passed on to the attempts. `off`: none,
     * and the span of an enqueue is not stored either. Default auto.
     */
    readonly mode?: "auto" | "on" | "off" | undefined
    /** What an attempt's span is to the span of the enqueue: its child, or the root of a trace that links to it. Default child. */
    readonly parent?: "child" | "link" | undefined
  } | undefined
  /** Whether one line at start says where tasks are kept, how durably, and what a shutdown does. Default true. */
  readonly announce?: boolean | undefined
}

/** The workers of one executor, with every default filled in; durations in milliseconds. */
export interface PoolConfig {
  readonly min: number
  readonly max: number
  readonly idleTimeout: number
  /** Infinity: never. */
  readonly recycleAfter: number
  /** Bytes. */
  readonly memoryLimit: number | null
  readonly startTimeout: number
  readonly grace: number
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
  readonly journal: {
    readonly maxBatch: number
    readonly maxWaiting: number
    readonly maxBatchBytes: number
    readonly maxKeyWait: number
    readonly maxOutage: number
  }
  readonly executors: { readonly thread: PoolConfig; readonly process: PoolConfig; readonly inPlace: boolean }
  readonly appVersion: string | null
  readonly lease: number
  readonly heartbeatInterval: number
  readonly sameHostDetection: boolean
  readonly poll: { readonly min: number; readonly max: number }
  /** Infinity: for ever. */
  readonly retention: { readonly [Status in Terminal | "audit"]: number }
  readonly eventsCapacity: number
  readonly unhandledAfter: number
  readonly unhandled: "wait" | "die"
  readonly tracing: { readonly mode: "auto" | "on" | "off"; readonly parent: "child" | "link" }
  readonly announce: boolean
}>() {}

const leaseOf = (options: TaskflowOptions): Pick<TaskflowConfig["Type"], "lease" | "heartbeatInterval"> => {
  const lease = millisAtLeast(100, "lease", options.lease ?? "30 seconds")
  if (lease === Number.POSITIVE_INFINITY) {
    throw new RangeError("TaskflowLayer: lease is endless: no death would be noticed")
  }
  // A third of what three does not divide is no duration: it would be rounded up to more than a third.
  const heartbeatInterval = options.heartbeatInterval === undefined
    ? lease / 3
    : millisAtLeast(1, "heartbeatInterval", options.heartbeatInterval)
  if (heartbeatInterval <= lease / 3) return { lease, heartbeatInterval }
  throw new RangeError(
    `TaskflowLayer: heartbeatInterval is ${heartbeatInterval} ms: at most a third of lease, ${lease / 3} ms`
  )
}

const pollOf = ({ max = "2 seconds", min = "250 millis" }: NonNullable<TaskflowOptions["poll"]>) => {
  const least = millisAtLeast(1, "poll.min", min)
  return { min: least, max: millisAtLeast(least, "poll.max", max) }
}

const poolConfigOf = (kind: "thread" | "process", options: PoolOptions = {}): PoolConfig => {
  const name = (option: keyof PoolOptions) => `executors.${kind}.${option}`
  const max = atLeastOne(name("max"), options.max ?? Math.max(1, os.availableParallelism() - 1))
  const { memoryLimit, min = 0 } = options
  if (!Number.isSafeInteger(min) || min < 0 || min > max) {
    throw new RangeError(`TaskflowLayer: ${name("min")} is ${inWords(min)}: a whole number from 0 to its max, ${max}`)
  }
  return {
    min,
    max,
    idleTimeout: millisAtLeast(1, name("idleTimeout"), options.idleTimeout ?? "1 minute"),
    recycleAfter: options.recycleAfter === undefined
      ? Number.POSITIVE_INFINITY
      : atLeastOne(name("recycleAfter"), options.recycleAfter),
    memoryLimit: memoryLimit === undefined ? null : atLeastOne(name("memoryLimit"), memoryLimit) * 1_048_576,
    startTimeout: millisAtLeast(1, name("startTimeout"), options.startTimeout ?? "30 seconds"),
    grace: millisAtLeast(0, name("grace"), options.grace ?? "250 millis")
  }
}

const keepOf = (
  name: keyof NonNullable<TaskflowOptions["retention"]>,
  value: Duration.DurationInput | "forever" | undefined,
  days: number
): number =>
  value === "forever" ? Number.POSITIVE_INFINITY : millisOf(`retention.${name}`, value ?? Duration.days(days))

// A session lasts 7 days at most. A logout that is forgotten earlier would let it live again.
const auditKeepOf = (value: Duration.DurationInput | "forever" | undefined): number => {
  const keep = keepOf("audit", value, 90)
  const least = Duration.toMillis("8 days")
  if (keep >= least) return keep
  throw new RangeError(
    `TaskflowLayer: retention.audit is ${keep} ms: at least 8 days, as ended sessions are known from it`
  )
}

/** Fills in the defaults. Throws a RangeError that names the option, says what it is, and what it may be. */
export const make = (options: TaskflowOptions = {}): TaskflowConfig["Type"] => ({
  maxConcurrentTasks: atLeastOne("maxConcurrentTasks", options.maxConcurrentTasks ?? 100),
  shutdownTimeout: millisOf("shutdownTimeout", options.shutdownTimeout ?? "30 seconds"),
  windowSize: atLeastOne("windowSize", options.windowSize ?? 1_000),
  maxPayloadSize: atLeastOne("maxPayloadSize", options.maxPayloadSize ?? 1_048_576),
  logs: {
    level: oneOf("logs.level", options.logs?.level ?? "debug", ["debug", "info", "warning", "error"]),
    maxLines: atLeastOne("logs.maxLines", options.logs?.maxLines ?? 1_000),
    maxSize: atLeastOne("logs.maxSize", options.logs?.maxSize ?? 262_144),
    fields: oneOf("logs.fields", options.logs?.fields ?? "store", ["store", "observe"])
  },
  journal: {
    maxBatch: atLeastOne("journal.maxBatch", options.journal?.maxBatch ?? 500),
    maxWaiting: atLeastOne("journal.maxWaiting", options.journal?.maxWaiting ?? 10_000),
    maxBatchBytes: atLeastOne("journal.maxBatchBytes", options.journal?.maxBatchBytes ?? 1_048_576),
    maxKeyWait: millisOf("journal.maxKeyWait", options.journal?.maxKeyWait ?? "10 seconds"),
    maxOutage: millisOf("journal.maxOutage", options.journal?.maxOutage ?? "1 minute")
  },
  executors: {
    thread: poolConfigOf("thread", options.executors?.thread),
    process: poolConfigOf("process", options.executors?.process),
    inPlace: options.executors?.inPlace ?? false
  },
  appVersion: options.appVersion ?? null,
  ...leaseOf(options),
  sameHostDetection: options.sameHostDetection ?? true,
  poll: pollOf(options.poll ?? {}),
  retention: {
    success: keepOf("success", options.retention?.success, 7),
    cancelled: keepOf("cancelled", options.retention?.cancelled, 7),
    failed: keepOf("failed", options.retention?.failed, 30),
    interrupted: keepOf("interrupted", options.retention?.interrupted, 30),
    audit: auditKeepOf(options.retention?.audit)
  },
  eventsCapacity: atLeastOne("eventsCapacity", options.eventsCapacity ?? 4_096),
  unhandledAfter: millisOf("unhandledAfter", options.unhandledAfter ?? "5 seconds"),
  unhandled: oneOf("unhandled", options.unhandled ?? "wait", ["wait", "die"]),
  tracing: {
    mode: oneOf("tracing.mode", options.tracing?.mode ?? "auto", ["auto", "on", "off"]),
    parent: oneOf("tracing.parent", options.tracing?.parent ?? "child", ["child", "link"])
  },
  announce: options.announce ?? true
})

/** The settings of one engine, checked when the layer is built. */
export const layer = (options?: TaskflowOptions): Layer.Layer<TaskflowConfig> =>
  Layer.sync(TaskflowConfig, () => make(options))
