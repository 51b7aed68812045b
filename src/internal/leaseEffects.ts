/**
 * What the engine does when its lease is lost or renewed, when it was declared dead, and when another instance died.
 */
import type { InstanceId, TaskEvent } from "../TaskEvent.js"
import type { TaskId } from "../TaskId.js"
import type { LeaseListener } from "../TaskLease.js"
import type { TaskQueue } from "../TaskQueue.js"
import { isDone, type TaskRecord } from "../TaskRecord.js"
import type { TaskRunner } from "../TaskRunner.js"
import type { TaskStore } from "../TaskStore.js"
import type { Backlog } from "./backlog.js"
import type { Slots } from "./slots.js"

// Told from the record, as it stands after the reap; null for one that had not started.
const eventOf = (record: TaskRecord, now: number): TaskEvent | null => {
  const common = { taskId: record.taskId, at: record.endedAt ?? now }
  switch (record.status) {
    case "cancelled":
      return { _tag: "Cancelled", ...common }
    case "interrupted":
      return { _tag: "Interrupted", ...common, stopReason: record.stopReason ?? "instanceDied" }
    case "failed":
      return record.failure === null
        ? null
        : { _tag: "Failed", ...common, failure: record.failure, stopReason: record.stopReason ?? "poison" }
    default:
      return record.crashes === 0 ? null : { _tag: "Requeued", ...common, stopReason: "instanceDied" }
  }
}

export const make = (options: {
  readonly backlog: Backlog
  readonly queue: TaskQueue["Type"]
  readonly runner: TaskRunner["Type"]
  readonly store: TaskStore["Type"]
  readonly now: () => number
  readonly slots: Slots
  /** How many attempts of a name run at once here, by its own definition. */
  readonly ownLimitOf: (taskName: string) => number
  /** A running task was asked to stop, and there is no attempt of it here yet. */
  readonly cancelAtStart: (taskId: TaskId) => void
  readonly unclaim: (record: TaskRecord) => void
  /** In this instance's memory alone: no other can start it. */
  readonly isFleeting: (taskId: TaskId) => boolean
  /** What may not wait in the window of this instance. */
  readonly isForOthers: (record: TaskRecord) => boolean
  /** Claims and starts what may be claimed and started. */
  readonly lookAgain: () => void
}): LeaseListener & { readonly onRenewed: (old: InstanceId) => void } => {
  const { backlog, lookAgain, now, queue, runner, store } = options
  const letGo = (): void => {
    for (const record of queue.takeAll()) {
      if (options.isForOthers(record)) options.unclaim(record)
      else queue.offer(record)
    }
  }
  return {
    onCancels: (taskIds) => {
      for (const taskId of taskIds) {
        store.commit({ _tag: "CancelRequested", taskId, at: now() })
        if (!runner.stop(taskId, "cancel")) options.cancelAtStart(taskId)
      }
    },
    onReaped: (records) => {
      for (const record of records) {
        const event = eventOf(record, now())
        if (isDone(record)) {
          if (event !== null) store.ended(event, record)
          continue
        }
        if (event !== null) store.returned(event, record)
        backlog.add(record.taskName)
      }
      lookAgain()
    },
    onLost: () => runner.stopRequeueable("lostLease", options.isFleeting),
    onRegained: lookAgain,
    running: runner.running,
    load: () => {
      const tasks = backlog.names()
      const limits = tasks.flatMap((task) => {
        const max = options.ownLimitOf(task)
        return Number.isFinite(max) ? [{ task, max, active: options.slots.active(task) }] : []
      })
      return { active: options.slots.active(), waiting: queue.size(), tasks, limits, waits: store.waits(now()) }
    },
    onDraining: (draining) => {
      if (draining) letGo()
      else lookAgain()
    },
    onPaused: () => {
      letGo()
      lookAgain()
    },
    // What was queued under the old identity belongs to whoever claims it now. What runs and may not run twice goes on:
    // its outcome is not recorded, but nothing is left half done.
    onRenewed: () => {
      for (const record of queue.takeAll()) {
        if (record.kind === "task") store.drop(record)
        else options.unclaim(record)
      }
      runner.stopRequeueable("lostLease")
      lookAgain()
    }
  }
}
