/**
 * The tasks that one request added, until it is known what becomes of them. Pure state behind BackgroundTasks.
 */
import * as Effect from "effect/Effect"
import type { BackgroundTasks } from "../BackgroundTasks.js"
import type { Any, Input } from "../Task.js"
import { type EnqueueError, TaskHoldLimit } from "../TaskError.js"
import type { TaskId } from "../TaskId.js"
import type { EnqueueResult, TaskManager } from "../TaskManager.js"
import type { EnqueueOptions } from "./prepare.js"

export interface HeldByRequest {
  readonly add: BackgroundTasks["Type"]["add"]
  /** The route came to its end; a failed one takes what it added with it. The last word before `over` counts. */
  readonly answered: (failed: boolean) => void
  /** The response is out, or nobody waits for it any more. */
  readonly over: () => void
}

export const make = (manager: TaskManager["Type"], maxHeld: number): HeldByRequest => {
  const held: Array<TaskId> = []
  let adding = 0
  let failed: boolean | null = null
  let over = false

  const decided = (): boolean => over && failed !== null

  const decide = (taskId: TaskId): void => {
    if (failed === true) manager.holding.cancel(taskId)
    else manager.holding.release(taskId)
  }

  // One that is committed behind the end of its request goes the way of the others.
  const told = (taskId: TaskId): void => {
    if (decided()) decide(taskId)
    else held.push(taskId)
  }

  const settle = (): void => {
    if (decided()) { for (const taskId of held.splice(0)) decide(taskId) }
  }

  return {
    add: <T extends Any>(task: T, payload: Input<T>, options: EnqueueOptions = {}) =>
      Effect.suspend((): Effect.Effect<EnqueueResult, EnqueueError | TaskHoldLimit, T["payloadSchema"]["Context"]> => {
        if (isEager(task, options) || decided()) return manager.enqueue(task, payload, options)
        if (held.length + adding >= maxHeld) {
          return Effect.fail(new TaskHoldLimit({ task: task._tag, limit: maxHeld }))
        }
        adding += 1
        return Effect.ensuring(
          manager.holding.enqueue(task, payload, options, told),
          Effect.sync(() => {
            adding -= 1
          })
        )
      }),
    answered: (hasFailed) => {
      if (decided()) return
      failed = hasFailed
      settle()
    },
    over: () => {
      if (over) return
      over = true
      settle()
    }
  }
}

const isEager = (task: Any, options: { readonly eager?: boolean | undefined }): boolean =>
  options.eager ?? task.definition.eager
