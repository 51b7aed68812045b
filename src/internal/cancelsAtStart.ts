/**
 * Cancels that came while a start was on its way, before there was an attempt to interrupt: it shall not run.
 */
import type { TaskId } from "../TaskId.js"
import type { TaskStore } from "../TaskStore.js"

export const make = (store: TaskStore["Type"]) => {
  const cancelled = new Set<TaskId>()
  return {
    /** Remembered until the task ends. */
    add: (taskId: TaskId): void => {
      if (cancelled.has(taskId)) return
      cancelled.add(taskId)
      store.onEnd(taskId, () => cancelled.delete(taskId))
    },
    /** Whether this one was cancelled; asked once, by its start. */
    take: (taskId: TaskId): boolean => cancelled.delete(taskId)
  }
}
