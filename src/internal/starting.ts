/**
 * From a task that may start to its attempt: the start is written, and what changed meanwhile is looked at once more.
 */
import * as Exit from "effect/Exit"
import type { TaskEvent } from "../TaskEvent.js"
import type { TaskInstance } from "../TaskInstance.js"
import type { TaskLease } from "../TaskLease.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { TaskRegistry } from "../TaskRegistry.js"
import type { TaskRunner } from "../TaskRunner.js"
import type { TaskStore } from "../TaskStore.js"
import type * as CancelsAtStart from "./cancelsAtStart.js"
import type { Slot, Slots } from "./slots.js"

export const make = (options: {
  readonly instance: TaskInstance["Type"]
  readonly lease: TaskLease["Type"]
  readonly registry: TaskRegistry["Type"]
  readonly runner: TaskRunner["Type"]
  readonly slots: Slots
  readonly store: TaskStore["Type"]
  readonly cancels: ReturnType<typeof CancelsAtStart.make>
  /** Whether the time of a shutdown is over. */
  readonly isOver: () => boolean
  readonly lookAgain: () => void
  readonly onNext: (record: TaskRecord, at: number) => void
  readonly unclaim: (record: TaskRecord) => void
}) => {
  const { instance, lease, onNext, registry, runner, slots, store } = options

  // The attempt that was counted does not happen.
  const giveUp = (
    record: TaskRecord,
    slot: Slot,
    tag: "Requeued" | "Interrupted" | "Cancelled",
    stopReason: "shutdown" | "lostLease" = "shutdown"
  ): void => {
    const common = { taskId: record.taskId, at: instance.now() }
    const event: TaskEvent = tag === "Cancelled" ? { _tag: tag, ...common } : { _tag: tag, ...common, stopReason }
    store.commit(event, () => {
      if (tag === "Requeued") onNext(record, instance.now())
    })
    slot.release()
  }

  /** Runs a task whose start was written. */
  const run = (record: TaskRecord, slot: Slot): void => {
    const registered = registry.of(record)
    if (record.owner !== instance.id) {
      store.drop(record)
      return slot.release()
    }
    if (options.cancels.take(record.taskId)) return giveUp(record, slot, "Cancelled")
    if (options.isOver()) return giveUp(record, slot, record.requeueOnInterrupt ? "Requeued" : "Interrupted")
    if (record.requeueOnInterrupt && !lease.isHeld()) return giveUp(record, slot, "Requeued", "lostLease")
    // While a suspect runs here no other is claimed.
    if (record.crashes > 0) store.onEnd(record.taskId, options.lookAgain)
    if (registered !== undefined) return runner.start(record, registered, slot, onNext)
    // Its handler left between the claim and now.
    giveUp(record, slot, record.kind === "task" ? "Requeued" : "Interrupted")
  }

  /** Writes the start of a task that waits in the window, and runs it. */
  const startFromWindow = (record: TaskRecord): void => {
    const slot = slots.take(record.taskName)
    const { claim, taskId } = record
    const started = { _tag: "Started", taskId, at: instance.now(), instance: instance.id, claim } as const
    const legal = store.commit(started, (exit) => {
      const current = store.get(taskId)
      if (Exit.isSuccess(exit) && exit.value._tag === "Applied" && current !== undefined) return run(current, slot)
      if (Exit.isFailure(exit) && current !== undefined) options.unclaim(current)
      slot.release()
    })
    if (!legal) slot.release()
  }

  return { run, startFromWindow }
}
