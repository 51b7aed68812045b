/**
 * New tasks that this instance keeps to itself, unstarted, until they are released. Pure state behind TaskDispatcher.
 *
 * They are written as this instance's own, so no other takes them while it lives; when it dies or closes they are ready for
 * anyone at once. Outside the window: what is held takes no room from what may start.
 */
import * as Exit from "effect/Exit"
import type { TaskId } from "../TaskId.js"
import type { TaskInstance } from "../TaskInstance.js"
import { ownedBy, type TaskRecord } from "../TaskRecord.js"
import type { OnCommitted, TaskStore } from "../TaskStore.js"
import type { Timers } from "./timers.js"

/** The longest a task is held, in milliseconds: what was forgotten starts then. */
export const longest = 3_600_000

export interface Holding {
  /** Accepts a new task that may wait for its release. */
  readonly hold: (record: TaskRecord, onCommitted: OnCommitted) => void
  /** Lets it start; nothing when it is not held. */
  readonly release: (taskId: TaskId) => void
  /** It ended while it was held, or shall not be released any more. */
  readonly forget: (taskId: TaskId) => void
  /** Those that may be given back. None is held any more. */
  readonly takeAll: () => ReadonlyArray<TaskRecord>
}

export const make = (options: {
  readonly instance: TaskInstance["Type"]
  readonly store: TaskStore["Type"]
  readonly timers: Timers
  /** Whether what is new has to be left to others anyway. */
  readonly isClosed: () => boolean
  /** Accepts it as any other. */
  readonly accept: (record: TaskRecord, onCommitted: OnCommitted) => void
  /** It is written, and waits for anyone. */
  readonly waits: (record: TaskRecord, ranked: boolean) => void
  /** Finds a place for one of this instance's own that may start. */
  readonly place: (record: TaskRecord) => void
}): Holding => {
  const { instance, store } = options
  const timers = new Map<TaskId, () => void>()

  const forget = (taskId: TaskId): void => {
    timers.get(taskId)?.()
    timers.delete(taskId)
  }

  const take = (taskId: TaskId): TaskRecord | undefined => {
    if (!timers.has(taskId)) return undefined
    forget(taskId)
    const record = store.get(taskId)
    if (record === undefined || record.owner === instance.id) return record
    // Of an identity that was declared dead: it is whose claims it now.
    store.drop(record)
    return undefined
  }

  const release = (taskId: TaskId): void => {
    const record = take(taskId)
    if (record !== undefined) options.place(record)
  }

  return {
    hold: (record, onCommitted) => {
      // One with a time of its own waits for that.
      if (options.isClosed() || record.runAt !== null) return options.accept(record, onCommitted)
      const { taskId } = record
      const until = instance.now() + longest
      store.enqueue(
        ownedBy(record, instance.id, 1),
        (exit) => {
          if (Exit.isSuccess(exit) && exit.value._tag === "Applied") {
            if (store.get(taskId) === undefined) options.waits(record, true)
            else {
              timers.set(taskId, options.timers.schedule(until, () => release(taskId)))
              if (options.isClosed()) release(taskId)
            }
          }
          onCommitted(exit)
        },
        undefined,
        until
      )
    },
    release,
    forget,
    takeAll: () => [...timers.keys()].flatMap((taskId) => take(taskId) ?? [])
  }
}
