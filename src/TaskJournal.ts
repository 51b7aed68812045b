/**
 * The group commit: everything that must reach the backend goes through one fiber, in order.
 *
 * It takes what waits, writes it as one numbered batch, answers every waiter, and starts again: batches grow under load by
 * themselves, and a single change is one small commit. A failing backend is asked again with growing waits; a batch keeps
 * its number, so a write whose answer was lost is not applied twice. One bad row fails its own waiter alone; when this
 * instance was declared dead, new tasks are written for anyone to claim and nothing else of its old life is written.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import { errorOf, isFenced, isPermanent } from "./internal/backendTrouble.js"
import * as Backoff from "./internal/backoff.js"
import { within } from "./internal/endWithin.js"
import * as FairTurn from "./internal/fairTurn.js"
import { afterDeath, ownerOf } from "./internal/fencedChange.js"
import * as JournalQueue from "./internal/journalQueue.js"
import * as JournalRoom from "./internal/journalRoom.js"
import * as Signal from "./internal/signal.js"
import { type Batch, type Change, type Outcome, TaskBackend } from "./TaskBackend.js"
import { type InstanceFenced, TaskBackendError } from "./TaskError.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import { TaskInstance } from "./TaskInstance.js"

/**
 * Told what became of a change: its outcome, or the error when it could not be written. `written` is the change itself,
 * but for a new task that could not be held: that was written for anyone to claim.
 */
export type OnOutcome = JournalQueue.Waiting["onOutcome"]

export class TaskJournal extends Context.Tag("effect-taskflow/TaskJournal")<TaskJournal, {
  /**
   * Hands over a change. `onOutcome` is called once, after the commit, in the order of submission. When the key of a new
   * task is busy, it is written for anyone to claim later on: `onDeferred` is called when that is known.
   */
  readonly submit: (change: Change, onOutcome: OnOutcome, onDeferred?: () => void) => void
  /** Begins and ends a group that is written as one batch, whatever its size. */
  readonly grouped: (submitAll: () => void) => void
  /** Returns when everything handed over before this was written, whatever comes after; busy keys are waited for. */
  readonly flush: Effect.Effect<void>
  /** As `flush`, but waits for no busy key. */
  readonly written: Effect.Effect<void>
  /** Whether `room` would return at once. */
  readonly hasRoom: () => boolean
  /**
   * Returns when there is room for another change from outside, or fails when the backend has taken nothing for longer
   * than `journal.maxOutage`. Never waits on a quiet engine.
   */
  readonly room: Effect.Effect<void, TaskBackendError>
  /** As `room`, however long it takes: for what a running task enqueues. */
  readonly roomAtLast: Effect.Effect<void>
}>() {}

type Waiting = JournalQueue.Waiting
type Trouble = Cause.Cause<TaskBackendError | InstanceFenced>

const lost: Exit.Exit<Outcome> = Exit.succeed({ _tag: "Lost" })

const maxWaitingSize = 64 * 1_048_576

const closedAlready = "the engine is closed"
const dead = "this instance was declared dead before it accepted the effect: nothing was written, run it again"

// How long closing waits for what is still to be written, in milliseconds.
const flushGrace = { whole: 5_000, left: 1_000 }
// The first wait for a busy key, and the longest.
const busyFor = { first: 20, longest: 500 }

export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const { journal: { maxBatch, maxBatchBytes, maxKeyWait, maxOutage, maxWaiting } } = yield* TaskflowConfig
  const instance = yield* TaskInstance
  const clock = yield* Effect.clock
  const runtime = yield* Effect.runtime<never>()
  const changed = yield* Signal.make

  const queue = JournalQueue.make({ maxBatch, maxBatchSize: maxBatchBytes })
  const deferred = new Set<Waiting>()
  const barriers: Array<{ readonly upTo: number; readonly resume: () => void }> = []
  let inFlight: ReadonlyArray<Waiting> = []
  let takenAt = 0
  let lastError: TaskBackendError | null = null
  let number = 0
  let fences = 0
  let closed = false
  let wake: (() => void) | null = null
  let submitted = 0
  let answered = 0

  const begin = (): void => {
    submitted += 1
    if (wake === null) return
    const resume = wake
    wake = null
    resume()
  }

  const work = Effect.async<void>((resume) => {
    if (queue.length() > 0) resume(Effect.void)
    else wake = () => resume(Effect.void)
  })

  const refusal = (why: string) => Exit.fail(new TaskBackendError({ method: "write", cause: new Error(why) }))

  // ── answers ────────────────────────────────────────────────────────────────────────────────────────────────────

  // A busy key delays nobody else: the task waits here on its own, and whoever is free runs it then.
  const defer = (waiting: Waiting): boolean => {
    const now = clock.unsafeCurrentTimeMillis()
    if (waiting.busy === 0) waiting.busySince = now
    if (closed || now - waiting.busySince >= maxKeyWait) return false
    const unheld = waiting.busy === 0 && ownerOf(waiting.change) !== null ? afterDeath(waiting.change) : null
    if (unheld !== null) waiting.change = unheld
    if (waiting.busy === 0) waiting.onDeferred?.()
    const again = Effect.sync(() => {
      if (closed) return
      waiting.group = -1
      queue.addAgain(waiting)
      begin()
    })
    const pause = Backoff.pause(Math.min(busyFor.longest, busyFor.first * 2 ** waiting.busy))
    waiting.busy += 1
    deferred.add(waiting)
    Runtime.runFork(runtime, Effect.zipRight(pause, again))
    return true
  }

  // One waiter that throws must not cost the others their answer.
  const answer = (batch: ReadonlyArray<Waiting>, exitOf: () => Exit.Exit<Outcome, TaskBackendError>) => {
    const thrown: Array<unknown> = []
    inFlight = inFlight.length === batch.length ? [] : inFlight.slice(batch.length)
    answered += batch.length
    for (const waiting of batch) {
      try {
        const exit = !waiting.dead ? exitOf() : waiting.change._tag === "Insert" ? refusal(dead) : lost
        if (Exit.isSuccess(exit) && exit.value._tag === "KeyBusy" && defer(waiting)) continue
        if (waiting.busy > 0) deferred.delete(waiting)
        waiting.onOutcome(exit, waiting.change)
      } catch (error) {
        thrown.push(error)
      }
    }
    changed.notify()
    while (barriers.length > 0 && barriers[0]!.upTo <= answered) barriers.shift()!.resume()
    return thrown.length === 0 ? Effect.void : Effect.logError("task journal: a waiter threw", ...thrown)
  }

  const answerEach = (waiters: ReadonlyArray<Waiting>, outcomes: ReadonlyArray<Outcome>) => {
    let next = 0
    fences = 0
    return answer(waiters, () => Exit.succeed(outcomes[next++]!))
  }

  // ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────

  const write = (waiters: ReadonlyArray<Waiting>): Effect.Effect<void> => {
    if (instance.renewals > 0) JournalQueue.bury(waiters, instance.id)
    const changes: Array<Change> = []
    for (const waiting of waiters) if (!waiting.dead) changes.push(waiting.change)
    if (changes.length === 0) return answerEach(waiters, [])
    number += 1
    const batch: Batch = { instance: instance.id, lane: "journal", number, now: instance.now(), changes }
    return attempt(waiters, batch, 0, false)
  }

  // A retry around every batch cost more than the batch, so the first try is the plain write.
  const attempt = (waiters: ReadonlyArray<Waiting>, batch: Batch, failures: number, refused: boolean) =>
    Effect.matchCauseEffect(backend.write(batch), {
      onSuccess: (outcomes) => answerEach(waiters, outcomes),
      onFailure: (cause) => troubled(waiters, batch, cause, failures + 1, refused)
    })

  const troubled = (
    waiters: ReadonlyArray<Waiting>,
    batch: Batch,
    cause: Trouble,
    failures: number,
    refused: boolean
  ): Effect.Effect<void> => {
    if (isFenced(cause)) {
      fences += 1
      // A backend that refuses every identity is not asked in a circle.
      const renewed = Effect.zipRight(
        fences > 1 ? Backoff.afterFailure(fences) : Effect.void,
        instance.renew(batch.instance)
      )
      return Effect.zipRight(renewed, Effect.suspend(() => write(waiters)))
    }
    lastError = errorOf("write", cause)
    const permanent = isPermanent(cause)
    if (permanent && refused) return divide(waiters, lastError)
    return Effect.logWarning("task journal: the backend failed, asking again", cause).pipe(
      // Refused as it is, the same number is asked once more at once: had an earlier try been applied, it would say so.
      Effect.zipRight(permanent ? Effect.void : Backoff.afterFailure(failures)),
      Effect.zipRight(Effect.suspend(() => attempt(waiters, batch, failures, permanent)))
    )
  }

  // The halves are new batches, because the whole one is known not to be applied. A group does not stay whole here: its
  // bad row could never be written, and the others shall be.
  const divide = (waiters: ReadonlyArray<Waiting>, error: TaskBackendError): Effect.Effect<void> => {
    if (waiters.length === 1) {
      const { change } = waiters[0]!
      const taskId = "record" in change ? change.record.taskId : change.taskId
      return Effect.zipRight(
        Effect.logError(`task journal: the backend refuses the ${change._tag} of task ${taskId}`, error),
        Effect.suspend(() => answer(waiters, () => Exit.fail(error)))
      )
    }
    const half = Math.ceil(waiters.length / 2)
    return Effect.zipRight(
      Effect.suspend(() => write(waiters.slice(0, half))),
      Effect.suspend(() => write(waiters.slice(half)))
    )
  }

  const turn = FairTurn.make(clock, () => queue.length() === 0)
  const step = Effect.flatMap(Effect.zipRight(turn, work), () => {
    inFlight = queue.take()
    takenAt = clock.unsafeCurrentTimeMillis()
    lastError = null
    return write(inFlight)
  })

  const fiber = yield* Effect.forkDaemon(Effect.interruptible(Effect.forever(step)))

  // ── waiting for it ─────────────────────────────────────────────────────────────────────────────────────────────

  const written = Effect.async<void>((resume) => {
    // More were answered than submitted when closing answered for busy keys.
    if (answered >= submitted) resume(Effect.void)
    else barriers.push({ upTo: submitted, resume: () => resume(Effect.void) })
  })

  const flush = Effect.zipRight(
    written,
    Effect.suspend(() => {
      if (deferred.size === 0) return Effect.void
      const open = [...deferred]
      return changed.until(() => !open.some((waiting) => deferred.has(waiting)))
    })
  )

  const size = () => queue.length() + inFlight.length
  const hasRoom = () => size() < maxWaiting && queue.size() < maxWaitingSize
  const room = JournalRoom.make({
    maxOutage,
    now: () => clock.unsafeCurrentTimeMillis(),
    changed,
    hasRoom,
    waiting: size,
    writing: () => inFlight.length === 0 ? null : { since: takenAt, lastError }
  })

  // What waits for longer than that had its time during the drain. The first in the set has waited longest.
  const closeGrace = (): number => {
    const [first = { busySince: Infinity }] = deferred
    const since = Math.min(inFlight.length > 0 ? takenAt : Infinity, first.busySince)
    return clock.unsafeCurrentTimeMillis() - since >= flushGrace.whole ? flushGrace.left : flushGrace.whole
  }

  // Last of the engine to close: whatever was handed over is still written, for a bounded time; who still waits then is told.
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => within(flush, closeGrace())).pipe(
      Effect.zipRight(Effect.suspend(() => {
        closed = true
        if (inFlight.length > 0) instance.expectNoAnswer()
        return within(Fiber.interrupt(fiber), 1_000)
      })),
      Effect.zipRight(Effect.suspend(() => {
        const left = [...new Set([...inFlight, ...queue.takeAll(), ...deferred])]
        inFlight = []
        return answer(left, () => refusal(closedAlready))
      }))
    )
  )

  return TaskJournal.of({
    submit: (change, onOutcome, onDeferred) => {
      if (closed) return onOutcome(refusal(closedAlready), change)
      queue.add(change, onOutcome, onDeferred)
      begin()
    },
    grouped: queue.grouped,
    flush,
    written,
    hasRoom,
    room,
    roomAtLast: changed.until(hasRoom)
  })
})

export const layer: Layer.Layer<TaskJournal, never, TaskBackend | TaskflowConfig | TaskInstance> = Layer.scoped(
  TaskJournal,
  make
)
