/**
 * What becomes of tasks that were held for a request: they start, or they are cancelled.
 */
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import type { Any, Input } from "../Task.js"
import type { EnqueueError } from "../TaskError.js"
import type { TaskId } from "../TaskId.js"
import type { EnqueueResult, Parts, TaskManager } from "../TaskManager.js"
import type { EnqueueOptions } from "./prepare.js"

/** Tasks that are committed and start later, when their request is over. */
export interface Holding {
  /**
   * As `enqueue`, but this instance does not start the task before its release, and no other does while this one lives; an
   * hour at most. `told` hears of it once it is committed, also when nobody waits for the answer any more. It does not hear of
   * one that was there already, nor of one that joined a transaction: that starts after the commit.
   */
  readonly enqueue: <T extends Any>(
    task: T,
    payload: Input<T>,
    options: EnqueueOptions,
    told: (taskId: TaskId) => void
  ) => Effect.Effect<EnqueueResult, EnqueueError, T["payloadSchema"]["Context"]>
  readonly release: (taskId: TaskId) => void
  /** It shall never start. Asks the backend until that answers. */
  readonly cancel: (taskId: TaskId) => void
}

const pauses = Schedule.union(Schedule.exponential("100 millis"), Schedule.spaced("5 seconds"))

export const make = ({ cancel, dispatcher, instance, runtime }: Pick<Parts, "dispatcher" | "instance"> & {
  readonly cancel: TaskManager["Type"]["cancel"]
  readonly runtime: Runtime.Runtime<never>
}): Omit<Holding, "enqueue"> => ({
  release: dispatcher.holding.release,
  cancel: (taskId) => {
    dispatcher.holding.forget(taskId)
    // Not in the fiber of the request: that may be in a transaction, and it is over.
    Runtime.runFork(
      runtime,
      instance.orClosed(
        "cancel",
        Effect.retry(cancel(taskId), { schedule: pauses, while: ({ _tag }) => _tag === "TaskBackendError" })
      ).pipe(Effect.catchAllCause((cause) => Effect.logDebug(`${taskId} was not cancelled with its request`, cause)))
    )
  }
})
