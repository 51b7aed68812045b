/**
 * How a new task gets on its way: already started, already in the window, or written for anyone to claim.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type { TaskId } from "../TaskId.js"
import type { TaskInstance } from "../TaskInstance.js"
import * as TaskRecord from "../TaskRecord.js"
import type { TaskRegistry } from "../TaskRegistry.js"
import type { OnCommitted, TaskStore } from "../TaskStore.js"
import type { Backlog } from "./backlog.js"
import type { Slot, Slots } from "./slots.js"
import type { Timers } from "./timers.js"

export const make = (options: {
  readonly backlog: Backlog
  readonly instance: TaskInstance["Type"]
  readonly registry: TaskRegistry["Type"]
  readonly runtime: Runtime.Runtime<never>
  readonly slots: Slots
  readonly store: TaskStore["Type"]
  readonly timers: Timers
  readonly unhandledAfter: number
  readonly now: () => number
  /** Whether something may start, and no claim is under way that could bring something older. */
  readonly isOpen: () => boolean
  readonly isPaused: (taskName: string) => boolean
  /** Of this instance alone, which claims nothing any more. */
  readonly isNobodyElses: (taskId: TaskId) => boolean
  readonly run: (record: TaskRecord.TaskRecord, slot: Slot) => void
  readonly hold: (record: TaskRecord.TaskRecord) => void
  readonly unclaim: (record: TaskRecord.TaskRecord, ranked: boolean) => void
  readonly wakeAt: (at: number) => void
  readonly pump: () => void
}): {
  /** Accepts a new task on the shortest fair way. */
  readonly accept: (record: TaskRecord.TaskRecord, onCommitted: OnCommitted) => void
  /** Finds a place for a pending task that this instance owns and that may start now: here if that is fair. */
  readonly place: (record: TaskRecord.TaskRecord) => void
} => {
  const { backlog, instance, now, pump, registry, slots, store, timers } = options

  const warnUnhandled = (taskName: string): void => {
    const first = backlog.countUnhandled(taskName)
    if (!first) return
    timers.schedule(now() + options.unhandledAfter, () => {
      const waiting = backlog.takeUnhandled(taskName)
      if (waiting === 0) return
      const message = `${waiting} × ${taskName} pending, no live instance has a handler: is its toLayer(…) in Main?`
      Runtime.runFork(options.runtime, Effect.logWarning(message))
    })
  }

  const place = (record: TaskRecord.TaskRecord): void => {
    const { taskId, taskName } = record
    const fair = options.isOpen() && registry.of(record) !== undefined && !backlog.holdsUp() &&
      backlog.windowRoom(taskName) > 0
    if (fair || options.isNobodyElses(taskId)) options.hold(record)
    else options.unclaim(record, true)
    pump()
  }

  const accept = (record: TaskRecord.TaskRecord, onCommitted: OnCommitted): void => {
    const { priority, runAt, taskId, taskName } = record
    const handled = registry.of(record) !== undefined
    const local = record.kind === "effect" || options.isNobodyElses(taskId)
    const waits = record.kind === "task" && options.isPaused(taskName)
    const open = options.isOpen() && runAt === null && handled && !waits && (local || !backlog.holdsUp())

    if (open && backlog.arriving() === 0 && slots.mayStart(taskName)) {
      const slot = slots.take(taskName)
      const event = { _tag: "Started", taskId, at: record.createdAt, instance: instance.id, claim: 1 } as const
      // safe: a new task may start
      const started = Option.getOrThrow(TaskRecord.apply(record, event))
      return store.enqueue(started, (exit) => {
        const current = store.get(taskId)
        const applied = Exit.isSuccess(exit) && exit.value._tag === "Applied"
        if (applied && current !== undefined) options.run(current, slot)
        else {
          slot.release()
          // Written, but not for us: it waits for anyone.
          if (applied) backlog.add(taskName, priority)
          pump()
        }
        onCommitted(exit)
      }, slot.release)
    }
    if ((local && !waits) || (open && backlog.windowRoom(taskName) > 0)) {
      let arriving = true
      const arrived = (): void => {
        if (arriving) backlog.arrive(taskName, -1)
        arriving = false
      }
      backlog.arrive(taskName, 1)
      return store.enqueue(TaskRecord.ownedBy(record, instance.id, 1), (exit) => {
        arrived()
        const current = store.get(taskId)
        if (Exit.isSuccess(exit) && exit.value._tag === "Applied") {
          if (current === undefined) backlog.add(taskName, priority)
          else options.hold(current)
        }
        pump()
        onCommitted(exit)
      }, () => {
        arrived()
        pump()
      })
    }
    store.enqueue(record, (exit) => {
      if (Exit.isSuccess(exit) && exit.value._tag === "Applied") {
        if (runAt !== null && runAt > now()) options.wakeAt(runAt)
        else backlog.add(taskName, priority)
        if (!handled) warnUnhandled(taskName)
      }
      pump()
      onCommitted(exit)
    })
  }

  return { accept, place }
}
