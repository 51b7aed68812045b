/**
 * The group commit: everything that must reach the backend goes through one fiber, in order.
 *
 * It takes what waits, writes it as one numbered batch, answers every waiter, and starts again: batches grow under load by
 * themselves, and a single change is one small commit. A failing backend is asked again with growing waits; a batch keeps
 * its number, so a write whose answer was lost is not applied twice. One bad row fails its own waiter alone (and its group);
 * when this instance was declared dead, new tasks are written for anyone to claim and nothing else of its old life is written.
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
import * as Barriers from "./internal/barriers.js"
import { within } from "./internal/endWithin.js"
import * as FairTurn from "./internal/fairTurn.js"
import * as JournalBusy from "./internal/journalBusy.js"
import * as JournalOutage from "./internal/journalOutage.js"
import * as JournalQueue from "./internal/journalQueue.js"
import * as SaidAgain from "./internal/saidAgain.js"
import * as Signal from "./internal/signal.js"
import * as TwoJournals from "./internal/twoJournals.js"
import { type Batch, type Change, type Outcome, TaskBackend } from "./TaskBackend.js"
import { type InstanceFenced, TaskBackendError } from "./TaskError.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import type { TaskId } from "./TaskId.js"
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
  /** Begins and ends a group of new tasks that is written as one batch, whatever its size, wholly or not at all. */
  readonly grouped: (submitAll: () => void) => void
  /** Returns when everything handed over before this was written, whatever comes after; busy keys are waited for. */
  readonly flush: Effect.Effect<void>
  /** As `flush`, but waits for no busy key. */
  readonly written: Effect.Effect<void>
  /** As `written`, but fails within seconds when the backend takes nothing. */
  readonly caughtUp: Effect.Effect<void, TaskBackendError>
  /** Whether `room` would return at once. */
  readonly hasRoom: () => boolean
  /**
   * Returns when there is room for another change from outside, or fails when the backend has taken nothing for longer
   * than `journal.maxOutage`. Never waits on a quiet engine.
   */
  readonly room: Effect.Effect<void, TaskBackendError>
  /** As `room`, however long it takes: for what a running task enqueues. */
  readonly roomAtLast: Effect.Effect<void>
  /**
   * Somebody waits for these new tasks, no longer than `journal.maxOutage`. What was not sent by then is withdrawn and fails;
   * what was sent goes on, and `onUnknown` hears. The answer ends it.
   */
  readonly impatient: (taskIds: ReadonlyArray<TaskId>, onUnknown: (error: TaskBackendError) => void) => () => void
}>() {}

type Waiting = JournalQueue.Waiting
type Trouble = Cause.Cause<TaskBackendError | InstanceFenced>

const lost: Exit.Exit<Outcome> = Exit.succeed({ _tag: "Lost" })
const keyBusy: Exit.Exit<Outcome> = Exit.succeed({ _tag: "KeyBusy" })

const maxWaitingSize = 64 * 1_048_576

const closedAlready = "the engine is closed"
const recovered = Effect.logInfo("task journal: the backend takes writes again")
const dead = "this instance was declared dead before it accepted the effect: nothing was written, run it again"

const refusal = (why: string) => Exit.fail(new TaskBackendError({ method: "write", cause: new Error(why) }))

export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const { journal: { maxBatch, maxBatchBytes, maxKeyWait, maxOutage, maxWaiting } } = yield* TaskflowConfig
  const now = () => clock.unsafeCurrentTimeMillis()
  const instance = yield* TaskInstance
  const clock = yield* Effect.clock
  const runtime = yield* Effect.runtime<never>()
  const changed = yield* Signal.make

  const queue = JournalQueue.make({ maxBatch, maxBatchSize: maxBatchBytes })
  const barriers = Barriers.make()
  let inFlight: ReadonlyArray<Waiting> = []
  const trouble = SaidAgain.make(now)
  let number = 0
  let fences = 0
  let closed = false
  let wake: (() => void) | null = null

  const begin = (count: number): void => {
    barriers.submitted(count)
    if (wake === null) return
    const resume = wake
    wake = null
    resume()
  }

  const work = Effect.async<void>((resume) => {
    if (queue.length() > 0) resume(Effect.void)
    else wake = () => resume(Effect.void)
  })

  // ── answers ────────────────────────────────────────────────────────────────────────────────────────────────────

  const busy = JournalBusy.make({
    maxKeyWait,
    now,
    isClosed: () => closed,
    fork: (effect) => Runtime.runFork(runtime, effect),
    again: (together) => {
      if (closed || together.length === 0) return
      queue.addAgain(together)
      begin(together.length)
    }
  })

  const tell = (waiting: Waiting, exit: Exit.Exit<Outcome, TaskBackendError>): void => {
    if (waiting.busy > 0) busy.end(waiting)
    if (!waiting.told) waiting.onOutcome(exit, waiting.change)
  }

  // One waiter that throws must not cost the others their answer.
  const answer = (batch: ReadonlyArray<Waiting>, exitOf: () => Exit.Exit<Outcome, TaskBackendError>) => {
    const thrown: Array<unknown> = []
    inFlight = inFlight.length === batch.length ? [] : inFlight.slice(batch.length)
    outage.answered(inFlight.length)
    const held: Array<Waiting> = []
    for (const waiting of batch) {
      try {
        const exit = !waiting.dead ? exitOf() : waiting.change._tag === "Insert" ? refusal(dead) : lost
        if (Exit.isSuccess(exit) && exit.value._tag === "KeyBusy") held.push(waiting)
        else tell(waiting, exit)
      } catch (error) {
        thrown.push(error)
      }
    }
    // A busy key delays nobody else: the task waits on its own, with those of its group.
    for (const group of held.length === 0 ? [] : JournalQueue.groupsOf(held)) {
      try {
        if (!busy.put(group)) { for (const one of group) tell(one, keyBusy) }
      } catch (error) {
        thrown.push(error)
      }
    }
    changed.notify()
    barriers.answered(batch.length)
    return thrown.length === 0 ? Effect.void : Effect.logError("task journal: a waiter threw", ...thrown)
  }

  const answerEach = (waiters: ReadonlyArray<Waiting>, outcomes: ReadonlyArray<Outcome>) => {
    let next = 0
    fences = 0
    trouble.worked()
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
      onSuccess: (outcomes) =>
        failures === 0 ? answerEach(waiters, outcomes) : Effect.zipRight(recovered, answerEach(waiters, outcomes)),
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
    const error = errorOf("write", cause)
    const permanent = isPermanent(cause)
    if (permanent && refused) return divide(waiters, error)
    if (!permanent) outage.failed(error)
    if (outage.isOver()) outage.tell(queue.all(), waiters)
    return trouble.failed("task journal: the backend failed, asking again", cause).pipe(
      // Refused as it is, the same number is asked once more at once: had an earlier try been applied, it would say so.
      Effect.zipRight(permanent ? Effect.void : Backoff.afterFailure(failures)),
      Effect.zipRight(Effect.suspend(() => attempt(waiters, batch, failures, permanent)))
    )
  }

  // The parts are new batches, because the whole one is known not to be applied. A group stays whole: nothing of it is written.
  const divide = (waiters: ReadonlyArray<Waiting>, error: TaskBackendError): Effect.Effect<void> => {
    const middle = JournalQueue.middleOf(waiters)
    if (middle === 0) {
      const { change } = waiters[0]!
      const taskId = "record" in change ? change.record.taskId : change.taskId
      const more = waiters.length === 1 ? "" : ` and ${waiters.length - 1} more that were enqueued with it`
      return Effect.zipRight(
        Effect.logError(`task journal: the backend refuses the ${change._tag} of task ${taskId}${more}`, error),
        Effect.suspend(() => answer(waiters, () => Exit.fail(error)))
      )
    }
    return Effect.zipRight(
      Effect.suspend(() => write(waiters.slice(0, middle))),
      Effect.suspend(() => write(waiters.slice(middle)))
    )
  }

  const turn = FairTurn.make(clock, () => queue.length() === 0)
  const step = Effect.flatMap(Effect.zipRight(turn, work), () => {
    inFlight = queue.take()
    outage.begin()
    return write(inFlight)
  })

  const fiber = yield* Effect.forkDaemon(Effect.interruptible(Effect.forever(step)))

  // ── waiting for it ─────────────────────────────────────────────────────────────────────────────────────────────

  const flush = Effect.zipRight(
    barriers.passed,
    Effect.suspend(() => {
      if (busy.count() === 0) return Effect.void
      const open = busy.all()
      return changed.until(() => !open.some(busy.has))
    })
  )

  // What waits for a busy key waits in memory like the rest.
  const size = () => queue.length() + inFlight.length + busy.count()
  const hasSpace = () => size() < maxWaiting && queue.size() + busy.size() < maxWaitingSize
  const hasRoom = () => hasSpace() && !outage.isOver()
  const outage = JournalOutage.make({ maxOutage, now, changed, hasRoom, waiting: size, written: barriers.passed })

  // Last of the engine to close: whatever was handed over is still written, for a bounded time; who still waits then is told.
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => within(flush, outage.closeGrace(busy.since()))).pipe(
      Effect.zipRight(Effect.suspend(() => {
        closed = true
        if (inFlight.length > 0) instance.expectNoAnswer()
        return within(Fiber.interrupt(fiber), 1_000)
      })),
      Effect.zipRight(Effect.suspend(() => {
        const left = [...new Set([...inFlight, ...queue.takeAll(), ...busy.all()])]
        inFlight = []
        return answer(left, () => refusal(closedAlready))
      }))
    )
  )

  return TaskJournal.of({
    submit: (change, onOutcome, onDeferred) => {
      if (closed) return onOutcome(refusal(closedAlready), change)
      queue.add(change, onOutcome, onDeferred)
      begin(1)
    },
    grouped: queue.grouped,
    flush,
    written: barriers.passed,
    caughtUp: outage.caughtUp,
    hasRoom,
    room: outage.room,
    roomAtLast: changed.until(hasSpace),
    impatient: outage.impatient
  })
})

export const layer: Layer.Layer<TaskJournal, never, TaskBackend | TaskflowConfig | TaskInstance> = Layer.scoped(
  TaskJournal,
  TwoJournals.of(make)
)
