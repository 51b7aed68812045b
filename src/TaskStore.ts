/**
 * The only writer. An event is folded into its record, journaled, and published once it was recorded.
 *
 * Holds the window: the records of tasks queued or running in this instance, nothing else. What the backend refuses leaves
 * the window; what ends leaves it when the end is committed.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { isPermanent } from "./internal/backendTrouble.js"
import { changeOf } from "./internal/changeOf.js"
import { ChurnMap } from "./internal/churnMap.js"
import { count } from "./internal/counts.js"
import * as RecentWaits from "./internal/recentWaits.js"
import * as Signal from "./internal/signal.js"
import type { Outcome } from "./TaskBackend.js"
import type { TaskBackendError } from "./TaskError.js"
import type { InstanceId, TaskEvent } from "./TaskEvent.js"
import { TaskEvents } from "./TaskEvents.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import type { TaskId } from "./TaskId.js"
import { type OnOutcome, TaskJournal } from "./TaskJournal.js"
import * as TaskRecord from "./TaskRecord.js"

/** Told after the commit what became of it. */
export type OnCommitted = (outcome: Exit.Exit<Outcome, TaskBackendError>) => void

export class TaskStore extends Context.Tag("effect-taskflow/TaskStore")<TaskStore, {
  /** A record of the window. */
  readonly get: (taskId: TaskId) => TaskRecord.TaskRecord | undefined
  /**
   * Accepts a new task as its record stands: for anyone, held in the window, or started. Enters the window when it has an
   * owner. One that could not be held in the end is applied too, but not in the window: it waits for anyone.
   */
  readonly enqueue: (
    record: TaskRecord.TaskRecord,
    onCommitted: OnCommitted,
    /** Called when its key is busy: it will not be owned, and its commit may take a while. */
    onDeferred?: () => void,
    /** This instance does not start it before then: see `Insert`. */
    heldUntil?: number
  ) => void
  /** The ids of the window. A copy. */
  readonly known: () => ReadonlySet<TaskId>
  /**
   * Takes a claimed row into the window, and announces its start when the claim started it. `joined`: it came in a
   * transaction of the application, and that it was enqueued is announced now that it is known to be committed.
   */
  readonly adopt: (record: TaskRecord.TaskRecord, joined: boolean) => void
  /** Announces a new task that the backend inserted for anyone to claim. */
  readonly inserted: (record: TaskRecord.TaskRecord) => void
  /** Records an event of a task in the window. False when it is illegal there; then nothing happens. */
  readonly commit: (event: TaskEvent, onCommitted?: OnCommitted) => boolean
  /** Gives a pending row back for anyone to claim. */
  readonly unclaim: (record: TaskRecord.TaskRecord, onCommitted: () => void) => void
  /** Announces an end that the backend wrote by itself (a cancel, a reap). */
  readonly ended: (event: TaskEvent, record: TaskRecord.TaskRecord) => void
  /** Announces that the backend gave a task back by itself. A newer claim of this instance stays. */
  readonly returned: (event: TaskEvent, record: TaskRecord.TaskRecord) => void
  /** Takes a record out of the window without writing: its claim is not ours any more. */
  readonly drop: (record: TaskRecord.TaskRecord) => void
  /** Calls back once the task ended, as far as this instance sees it. The answer stops waiting. */
  readonly onEnd: (taskId: TaskId, callback: (record: TaskRecord.TaskRecord) => void) => () => void
  /** Unfinished tasks this instance enqueued or claimed and whose end it has not seen. */
  readonly unfinished: () => number
  /** Returns when fewer than `limit` are unfinished. */
  readonly roomBelow: (limit: number) => Effect.Effect<void>
  /** How long tasks had waited whose first start was here, of the five minutes before `now`. */
  readonly waits: RecentWaits.RecentWaits["summary"]
}>() {}

export const make = Effect.gen(function*() {
  const journal = yield* TaskJournal
  const events = yield* TaskEvents
  const { logs } = yield* TaskflowConfig
  const window = new ChurnMap<TaskId, TaskRecord.TaskRecord>()
  const endWaiters = new Map<TaskId, Set<(record: TaskRecord.TaskRecord) => void>>()
  const room = yield* Signal.make
  const waits = RecentWaits.make()
  let accepted = 0
  let finished = 0

  // Annotations may be for observers alone.
  const storable = (event: TaskEvent): TaskEvent =>
    event._tag === "Logged" && logs.fields === "observe"
      ? { ...event, line: { ...event.line, annotations: null } }
      : event

  // Only the claim that was released leaves: a newer one may already have come back.
  const leave = (record: TaskRecord.TaskRecord): void => {
    if (window.get(record.taskId)?.claim === record.claim) window.delete(record.taskId)
  }

  const countStart = (record: TaskRecord.TaskRecord): void => {
    const wait = record.attempts === 1 ? TaskRecord.waitOf(record) : null
    count.started(record.taskName, wait)
    if (wait !== null && record.startedAt !== null) waits.add(record.startedAt, wait)
  }

  const announce = (event: TaskEvent, record: TaskRecord.TaskRecord): void => {
    events.publish(event, record)
    if (event._tag === "Started") countStart(record)
    if (!TaskRecord.isDone(record)) return
    finished += 1
    count.finished(record.taskName, record.status, TaskRecord.durationOf(record))
    room.notify()
    const waiters = endWaiters.get(record.taskId)
    if (waiters === undefined) return
    endWaiters.delete(record.taskId)
    for (const callback of waiters) callback(record)
  }

  const settle = (event: TaskEvent, after: TaskRecord.TaskRecord, outcome: Outcome): void => {
    switch (outcome._tag) {
      case "Applied": {
        if (after.owner === null) leave(after)
        announce(event, after)
        return
      }
      case "CancelledInstead": {
        leave(after)
        const cancelled = { _tag: "Cancelled", taskId: event.taskId, at: event.at } as const
        announce(cancelled, Option.getOrElse(TaskRecord.apply(after, cancelled), () => after))
        return
      }
      default:
        leave(after)
    }
  }

  // What can never be written did not happen: the task is as before, and something else may become of it. A line or a word
  // of progress that is missing changes nothing.
  const undo = (event: TaskEvent, before: TaskRecord.TaskRecord, after: TaskRecord.TaskRecord): void => {
    if (event._tag === "Logged" || event._tag === "Progressed") return
    if (window.get(after.taskId) === after) window.set(after.taskId, before)
  }

  const announceNew = (record: TaskRecord.TaskRecord, owner: InstanceId | null): void => {
    count.enqueued(record.taskName)
    events.publishMade(() => {
      const enqueued = TaskRecord.toEnqueued(record, owner)
      return [enqueued, TaskRecord.fromEnqueued(enqueued)]
    })
  }

  const announceStart = (record: TaskRecord.TaskRecord): void => {
    if (!TaskRecord.isLive(record)) return
    countStart(record)
    events.publishMade(() => {
      const { attemptStartedAt, claim, owner, taskId } = record
      return [{ _tag: "Started", taskId, at: attemptStartedAt!, instance: owner!, claim }, record]
    })
  }

  return TaskStore.of({
    get: (taskId) => window.get(taskId),
    // Thousands may wait for their commit: each keeps its record and nothing that can be made from it.
    enqueue: (record, onCommitted, onDeferred, heldUntil) => {
      accepted += 1
      if (record.owner !== null) window.set(record.taskId, record)
      const onOutcome: OnOutcome = (exit, written) => {
        if (Exit.isFailure(exit) || exit.value._tag !== "Applied") {
          accepted -= 1
          room.notify()
          window.delete(record.taskId)
        } else if (written._tag === "Insert" && written.record.owner === record.owner) {
          announceNew(record, record.owner)
          announceStart(record)
        } else {
          window.delete(record.taskId)
          announceNew(record, null)
        }
        onCommitted(exit)
      }
      const insert = { _tag: "Insert", record } as const
      journal.submit(heldUntil === undefined ? insert : { ...insert, heldUntil }, onOutcome, onDeferred)
    },
    known: () => new Set(window.keys()),
    adopt: (record, joined) => {
      if (joined) announceNew(record, null)
      window.set(record.taskId, record)
      announceStart(record)
    },
    inserted: (record) => {
      accepted += 1
      announceNew(record, null)
    },
    commit: (event, onCommitted) => {
      const before = window.get(event.taskId)
      if (before === undefined) return false
      const folded = TaskRecord.apply(before, event)
      if (Option.isNone(folded)) return false
      const after = folded.value
      window.set(event.taskId, after)
      const change = changeOf(before, storable(event), after)
      if (change === null) announce(event, after)
      else {
        journal.submit(change, (exit) => {
          if (Exit.isSuccess(exit)) settle(event, after, exit.value)
          else if (isPermanent(exit.cause)) undo(event, before, after)
          else leave(after)
          onCommitted?.(exit)
        })
      }
      return true
    },
    unclaim: (record, onCommitted) => {
      window.delete(record.taskId)
      journal.submit({ _tag: "Unclaim", record }, onCommitted)
    },
    ended: (event, record) => {
      window.delete(record.taskId)
      announce(event, record)
    },
    returned: (event, record) => {
      leave(record)
      events.publish(event, record)
    },
    drop: leave,
    onEnd: (taskId, callback) => {
      const waiters = endWaiters.get(taskId) ?? new Set()
      waiters.add(callback)
      endWaiters.set(taskId, waiters)
      return () => {
        waiters.delete(callback)
        if (waiters.size === 0 && endWaiters.get(taskId) === waiters) endWaiters.delete(taskId)
      }
    },
    unfinished: () => accepted - finished,
    roomBelow: (limit) => room.until(() => accepted - finished < limit),
    waits: waits.summary
  })
})

export const layer: Layer.Layer<TaskStore, never, TaskJournal | TaskEvents | TaskflowConfig> = Layer.effect(
  TaskStore,
  make
)
