/**
 * Which task a piece of code runs for.
 *
 * A handler gets it as a service, so asking for it outside a task is a compile error; the same value travels in a FiberRef
 * through every fork, which is where logging reads it and what `currentOption` answers anywhere.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import * as Option from "effect/Option"
import type { InstanceId, Progress } from "./TaskEvent.js"
import type { TaskId } from "./TaskId.js"
import type { TaskRecord } from "./TaskRecord.js"

/** What a handler may know of its own run. */
export interface Current {
  /** The id of the task, the same in all its attempts. */
  readonly taskId: TaskId
  /** The name of its definition. */
  readonly taskName: string
  /** The zero-based retry index: 0 on the first run, 1 on the first retry. */
  readonly attempt: number
  /** Those of the definition and of the call. */
  readonly tags: Readonly<Record<string, string>>
  /** `scheduled`: a slot of a schedule enqueued it; `manual`: a call did. */
  readonly source: TaskRecord["source"]
  /** The schedule it belongs to and the moment it stands for (epoch milliseconds); null without one. */
  readonly schedule: TaskRecord["schedule"]
  /** The instance that runs it. */
  readonly instance: InstanceId
  /** Grows with every owner of the task; give it with the instance to systems that must refuse a stale run. */
  readonly fence: number
  /** Aborts when the attempt is to stop: cancel, timeout, shutdown, lost lease. For APIs that take a signal. */
  readonly signal: AbortSignal
}

/** For the engine: how the code of an attempt talks back to its runner. */
export interface Attempt {
  readonly current: Current
  readonly log: (
    level: "debug" | "info" | "warning" | "error",
    message: string,
    annotations: Record<string, unknown>
  ) => void
  readonly progress: (progress: Progress) => void
  /** Ends the attempt now, to be run again in `millis`. */
  readonly snooze: (millis: number) => void
  /** The next failure with exactly this error is final. */
  readonly giveUpOn: (error: unknown) => void
  /** Gives the slot back and takes one again, around a wait for another task. */
  readonly park: Effect.Effect<void>
  readonly unpark: Effect.Effect<void>
}

// One ref for all copies of this module: an application may load it both as ESM and through require.
/** For the engine. */
export const currentAttempt: FiberRef.FiberRef<Option.Option<Attempt>> = globalValue(
  Symbol.for("effect-taskflow/TaskContext/currentAttempt"),
  () => FiberRef.unsafeMake<Option.Option<Attempt>>(Option.none())
)

/** The run that a piece of code belongs to. Required by what only makes sense inside a handler. */
export class TaskContext extends Context.Tag("effect-taskflow/TaskContext")<TaskContext, Current>() {
  /** The run this code belongs to. Inside a handler only: the compiler says so elsewhere. */
  static readonly current: Effect.Effect<Current, never, TaskContext> = TaskContext
  /** The run this code belongs to, or `None` outside a task. From any code path. */
  static readonly currentOption: Effect.Effect<Option.Option<Current>> = Effect.map(
    FiberRef.get(currentAttempt),
    Option.map((attempt) => attempt.current)
  )
}
