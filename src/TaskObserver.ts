/**
 * Code that is told what happens to tasks: their log lines and the steps of their lives.
 *
 * An observer is a Layer beside the handlers. It runs on a fiber of its own behind a bounded buffer, so a slow or failing
 * one delays no task and no other observer. What it misses is counted.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { droppedOf, failuresOf, observe, type Observing, settingsOf } from "./internal/observing.js"
import type { LogLevel } from "./TaskEvent.js"
import { TaskManager } from "./TaskManager.js"
import type { TaskStatus } from "./TaskStatus.js"

/** One line a handler logged. The separator `--- Retry 1 ---` of a further attempt is one too, at level info. */
export interface LogEvent {
  readonly _tag: "LogEvent"
  readonly taskId: string
  readonly taskName: string
  readonly message: string
  readonly level: LogLevel
  readonly timestamp: Date
  /** The zero-based retry index. */
  readonly attempt: number
  readonly tags: Readonly<Record<string, string>>
  /** Annotations and extras of the line. */
  readonly extra: Readonly<Record<string, unknown>>
}

/** A step in the life of a task. `retrying`: an attempt failed and another follows. `requeued`: cut short, and back. */
export type LifecycleStatus = TaskStatus | "retrying" | "requeued"

/** One step in the life of a task. */
export interface LifecycleEvent {
  readonly _tag: "LifecycleEvent"
  readonly taskId: string
  readonly taskName: string
  readonly status: LifecycleStatus
  readonly timestamp: Date
  /** The zero-based retry index; on `retrying` that of the attempt that failed. */
  readonly attempt: number
  /** Retries consumed so far; on `retrying` with the one that follows. */
  readonly retriesUsed: number
  /** Milliseconds from first start to end, on success, failed and cancelled; else null. */
  readonly duration: number | null
  /** Message and printed cause, on failed and retrying; else null. */
  readonly error: string | null
  readonly stacktrace: string | null
  readonly tags: Readonly<Record<string, string>>
}

/** What observers are told. */
export type ObservedEvent = LogEvent | LifecycleEvent

/** `true`: running and the four ends. `"all"`: pending, retrying and requeued as well. */
export type Lifecycle = boolean | "all"

/** What an observer is told, and how far behind it may be. */
export interface ObserverOptions {
  /** Shown in logs and metrics. */
  readonly name: string
  /**
   * The lowest level told. Of steps, failed counts as error, interrupted, cancelled and retrying as warning, the rest as info.
   * Default info.
   */
  readonly minLevel?: LogLevel | undefined
  /** Which steps are told. Default true. */
  readonly lifecycle?: Lifecycle | undefined
  /** Events that wait for the observer; of more, the oldest are dropped and counted. Default 4,096. */
  readonly buffer?: number | undefined
}

/** An observer as a consumer of a Stream. */
export interface StreamOptions<E, R> extends ObserverOptions {
  /**
   * Runs from the start of the engine to its end; the Stream ends then, after what was buffered. When it fails it is counted,
   * logged and started again after 50 ms, doubling to 5 seconds, with the events that came meanwhile; the one it failed at is
   * not repeated. When it returns, the observer is done.
   */
  readonly run: (events: Stream.Stream<ObservedEvent>) => Effect.Effect<unknown, E, R>
}

/** An observer as four functions. One that fails is counted and logged, and the next event follows. */
export interface CallbackOptions<R1, R2, R3, R4> extends ObserverOptions {
  /** Before the first event. When it fails it is tried again, as `run` of `make` is. Default: nothing. */
  readonly startup?: Effect.Effect<unknown, unknown, R1> | undefined
  /** For every line that `minLevel` lets through. Default: lines are ignored. */
  readonly onLog?: ((event: LogEvent) => Effect.Effect<unknown, unknown, R2>) | undefined
  /** For every step that `lifecycle` asks for. Default: steps are ignored. */
  readonly onLifecycle?: ((event: LifecycleEvent) => Effect.Effect<unknown, unknown, R3>) | undefined
  /** After the last event, within five seconds. Default: nothing. */
  readonly close?: Effect.Effect<unknown, unknown, R4> | undefined
}

// One by one: what was not taken when `run` fails is still there.
const eventsOf = ({ buffer }: Observing): Stream.Stream<ObservedEvent> =>
  Stream.repeatEffectChunkOption(
    Effect.flatMap(buffer.take(1), (taken) =>
      taken.length === 0 ? Effect.fail(Option.none()) : Effect.succeed(Chunk.unsafeFromArray(taken)))
  )

/** An observer that reads a Stream. What `run` puts into its scope is closed each time it ends. */
export const make = <E, R>(
  options: StreamOptions<E, R>
): Layer.Layer<never, never, TaskManager | Exclude<R, Scope.Scope>> =>
  Layer.scopedDiscard(Effect.flatMap(TaskManager, (manager) =>
    observe(
      manager,
      settingsOf(options),
      (observing) => Effect.scoped(options.run(eventsOf(observing))),
      Effect.void
    )))

/** An observer of functions that are called one after the other, in the order of events. */
export const callbacks = <R1 = never, R2 = never, R3 = never, R4 = never>(
  options: CallbackOptions<R1, R2, R3, R4>
): Layer.Layer<never, never, TaskManager | R1 | R2 | R3 | R4> => {
  const { close = Effect.void, onLifecycle, onLog, startup = Effect.void } = options
  const settings = settingsOf({ ...options, lifecycle: onLifecycle === undefined ? false : options.lifecycle })
  const call = (event: ObservedEvent): Effect.Effect<unknown, unknown, R2 | R3> =>
    event._tag === "LogEvent" ? onLog?.(event) ?? Effect.void : onLifecycle?.(event) ?? Effect.void
  return Layer.scopedDiscard(Effect.flatMap(TaskManager, (manager) => {
    let started = false
    const begin = Effect.suspend(() =>
      started ? Effect.void : Effect.map(startup, () => {
        started = true
      })
    )
    return observe(
      manager,
      { ...settings, logs: onLog !== undefined },
      (observing) =>
        Effect.zipRight(
          begin,
          Stream.runForEach(eventsOf(observing), (event) =>
            Effect.catchAllCause(Effect.suspend(() => call(event)), observing.failed))
        ),
      close
    )
  }))
}

/** Events that observers of this name missed since the process started: the metric `taskflow_observer_dropped_total`. */
export const dropped = (name: string): Effect.Effect<number> => Effect.sync(() => droppedOf(name))

/** How often observers of this name failed since the process started: the metric `taskflow_observer_failures_total`. */
export const failures = (name: string): Effect.Effect<number> => Effect.sync(() => failuresOf(name))
