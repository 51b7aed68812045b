/**
 * Runs attempts. An attempt is a pipeline: decode, handle, encode, judge, decide, record.
 *
 * The dispatcher hands over a record whose Started is recorded and the slot it holds; the runner answers with exactly one
 * event for it and gives the slot back. Nothing a handler does gets past it: typed failures, throws, interruptions and
 * results that do not fit all end as an event.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as Attempt from "./internal/attempt.js"
import { isPermanent } from "./internal/backendTrouble.js"
import { ChurnMap } from "./internal/churnMap.js"
import * as Completing from "./internal/completing.js"
import { eventOf, later } from "./internal/eventOf.js"
import { failureOf, messageOf } from "./internal/failureOf.js"
import * as LazyScope from "./internal/lazyScope.js"
import { judge, type StopRequest, type Verdict } from "./internal/outcome.js"
import { pastFailures } from "./internal/pastFailures.js"
import * as Pipeline from "./internal/pipeline.js"
import type { Slot } from "./internal/slots.js"
import * as Starter from "./internal/starter.js"
import * as Timers from "./internal/timers.js"
import * as RetryPolicy from "./RetryPolicy.js"
import { type Outcome, TaskBackend } from "./TaskBackend.js"
import type { TaskEvent, TaskFailure } from "./TaskEvent.js"
import { TaskExecutor } from "./TaskExecutor.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import type { TaskId } from "./TaskId.js"
import { TaskInstance } from "./TaskInstance.js"
import type { TaskRecord } from "./TaskRecord.js"
import type { Registered } from "./TaskRegistry.js"
import { TaskStore } from "./TaskStore.js"

export class TaskRunner extends Context.Tag("effect-taskflow/TaskRunner")<TaskRunner, {
  /** Runs one attempt of `record` and gives `slot` back at its end. `onNext` hears when a further attempt is due. */
  readonly start: (
    record: TaskRecord,
    registered: Registered,
    slot: Slot,
    onNext: (record: TaskRecord, at: number) => void
  ) => void
  /** Asks a live attempt of this instance to stop. False when there is none. */
  readonly stop: (taskId: TaskId, request: StopRequest) => boolean
  /** Asks all live attempts that another instance may start to stop. `unless`: which of them it may not start after all. */
  readonly stopRequeueable: (request: StopRequest, unless?: (taskId: TaskId) => boolean) => void
  /** The names of the tasks that run here, and of the one that was started last. */
  readonly running: () => ReadonlyArray<string>
  /** Asks all live attempts (of one name) to stop. */
  readonly stopAll: (request: StopRequest, taskName?: string) => void
  /** Records attempts that did not end after `stopAll` as what the stop makes of them, and forgets their fibers. */
  readonly abandonAll: (taskName?: string) => ReadonlyArray<TaskId>
}>() {}

export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const store = yield* TaskStore
  const config = yield* TaskflowConfig
  const timers = yield* Timers.make
  const starter = Starter.make()
  const clock = yield* Effect.clock
  const runtime = yield* Effect.runtime<never>()
  const { now } = yield* TaskInstance
  let lastStarted: string | null = null
  const forAttempts: Attempt.Engine = { store, limits: config.logs, now }
  const live = new ChurnMap<TaskId, Attempt.LiveAttempt>()

  const prepare = Pipeline.make(config, clock, yield* TaskExecutor)

  const encodeError = (registered: Registered, verdict: Verdict & { _tag: "Failed" }): Effect.Effect<string | null> => {
    const { error: codec } = registered.definition
    return !verdict.typed || codec === null
      ? Effect.succeed(null)
      : Effect.suspend(() => codec.encode(verdict.error)).pipe(
        Effect.map((text) => text.length <= config.maxPayloadSize ? text : null),
        Effect.catchAllCause(() => Effect.succeed(null))
      )
  }

  const decideFailure = Effect.fnUntraced(function*(
    attempt: Attempt.LiveAttempt,
    registered: Registered,
    verdict: Verdict & { readonly _tag: "Failed" },
    cause: Cause.Cause<unknown>
  ) {
    const { record } = attempt
    const { retry } = registered.definition
    const at = now()
    const encoded = yield* encodeError(registered, verdict)
    const failure: TaskFailure = failureOf(verdict.kind, verdict.error, cause, encoded)
    const ended = Cause.squash(cause)
    const final = verdict.kind !== "timeout" && attempt.final.some((error) => Object.is(error, ended))
    const past = !final && RetryPolicy.needsHistory(retry)
      ? yield* pastFailures(backend, registered.definition, record)
      : []
    const draw = yield* Random.next
    const delay = final ? Option.none<number>() : yield* RetryPolicy.next(retry, {
      failures: record.failures + 1,
      past,
      last: { at, error: verdict.error },
      random: () => draw
    })
    const event: TaskEvent = Option.isSome(delay)
      ? { _tag: "AttemptFailed", taskId: record.taskId, at, failure, nextAttemptAt: later(at, delay.value) }
      : { _tag: "Failed", taskId: record.taskId, at, failure, stopReason: final ? "unrecoverable" : "retriesSpent" }
    return event
  })

  // The attempt ran to an end that counts for nobody: somebody else decides about the task now.
  const warnLost = (taskName: string, taskId: TaskId, event: TaskEvent): void => {
    const message = `task ${taskName} ${taskId}: its ${event._tag} was not recorded, this instance holds it no more`
    Runtime.runFork(runtime, Effect.logWarning(message))
  }

  // The backend refused what became of it for good (a result beyond what the database takes): it fails with these words.
  const unwritten = ({ taskId }: TaskEvent, cause: Cause.Cause<unknown>): TaskEvent => {
    const message = `what became of this attempt cannot be stored: ${messageOf(Cause.squash(cause)).slice(0, 500)}`
    const failure: TaskFailure = { kind: "defect", name: "NotStored", message, stack: "", error: null }
    return { _tag: "Failed", taskId, at: now(), failure, stopReason: "unrecoverable" }
  }

  // What became of the attempt is what the backend says. Where it says nothing, what was asked of it.
  const asRecorded = (event: TaskEvent, exit: Exit.Exit<Outcome, unknown>): TaskEvent | null => {
    if (Exit.isFailure(exit)) return isPermanent(exit.cause) ? unwritten(event, exit.cause) : event
    if (exit.value._tag === "CancelledInstead") return { _tag: "Cancelled", taskId: event.taskId, at: event.at }
    return exit.value._tag === "Applied" ? event : null
  }

  const conclude = (
    attempt: Attempt.LiveAttempt,
    event: TaskEvent,
    onNext: (record: TaskRecord, at: number) => void
  ): void => {
    const { claim, taskId, taskName } = attempt.record
    // Declared dead, and the task came back under a newer claim: that one is not ours to change.
    if (store.get(taskId)?.claim !== claim) {
      attempt.span?.end(null)
      attempt.slot.release()
      return warnLost(taskName, taskId, event)
    }
    attempt.writeProgress()
    attempt.span?.stop()
    const cancelled = { _tag: "Cancelled", taskId, at: event.at } as const
    const isNews = store.commit(event, (exit) => {
      const recorded = asRecorded(event, exit)
      attempt.span?.end(recorded)
      if (Exit.isFailure(exit)) {
        if (recorded !== null && recorded !== event) store.commit(recorded)
        return
      }
      if (exit.value._tag === "Lost") return warnLost(taskName, taskId, event)
      if (exit.value._tag !== "Applied") return
      if (event._tag === "AttemptFailed") onNext(attempt.record, event.nextAttemptAt)
      else if (event._tag === "Snoozed") onNext(attempt.record, event.until)
      else if (event._tag === "Requeued") onNext(attempt.record, event.at)
    })
    // A cancel came after the attempt was told to stop for another reason: it may not run again, so it ends as cancelled.
    if (!isNews) {
      attempt.span?.end(cancelled)
      store.commit(cancelled)
    }
    attempt.slot.release()
  }

  const start: TaskRunner["Type"]["start"] = (record, registered, slot, onNext) => {
    const attempt = Attempt.make(record, slot, forAttempts)
    const { forkOf, pipeline, spanOf } = prepare(registered)
    attempt.span = spanOf(record)
    const { success, timeout, transactional } = registered.definition
    const lazy = LazyScope.make()
    const fork = forkOf(attempt, lazy.scope)
    live.set(record.taskId, attempt)
    lastStarted = record.taskName
    const { transaction } = backend
    let completed: Completing.Completed | null = null
    const around = !transactional || transaction === null
      ? undefined
      : (body: Effect.Effect<string | null, unknown>) =>
        Completing.inTransaction({ transaction, store, now }, attempt, body, (written) => {
          completed = written
        })
    if (timeout !== null) {
      attempt.arm = () => {
        attempt.disarm()
        attempt.disarm = timers.schedule(clock.unsafeCurrentTimeMillis() + timeout, () => attempt.stop("timeout"))
      }
      // That of a module begins when its worker says so.
      if (registered.handler._tag === "Function") attempt.arm()
    }

    const settle = (exit: Exit.Exit<string | null, unknown>): void => {
      if (completed === null) return judged(exit)
      const { event, record: ended } = completed
      const committed = Exit.isSuccess(exit) ? Effect.succeed(true) : Completing.wasCommitted(backend, completed)
      completed = null
      Runtime.runFork(runtime, committed).addObserver((known) => {
        if (!Exit.isSuccess(known) || !known.value) return judged(exit)
        attempt.disarm()
        if (live.get(record.taskId) === attempt) live.delete(record.taskId)
        attempt.span?.end(event)
        store.ended(event, ended)
        slot.release()
      })
    }

    const judged = (exit: Exit.Exit<string | null, unknown>): void => {
      attempt.disarm()
      // Abandoned at shutdown, or started anew under a newer claim: what it made of itself afterwards counts no more.
      if (live.get(record.taskId) !== attempt) {
        attempt.span?.end(null)
        return slot.release()
      }
      live.delete(record.taskId)
      const verdict = judge(exit, attempt.requested, timeout)
      const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
      if (attempt.span !== null) attempt.span.cause = cause
      if (verdict._tag !== "Failed") return conclude(attempt, eventOf(attempt, verdict, cause, now()), onNext)
      // A predicate or a Schedule may throw: then the attempt's failure is final and the log says why.
      const decision = decideFailure(attempt, registered, verdict, cause).pipe(
        Effect.catchAllCause((thrown) =>
          Effect.as(
            Effect.logError(`${record.taskName}: the retry policy threw, the task fails`, thrown),
            {
              _tag: "Failed",
              taskId: record.taskId,
              at: now(),
              failure: failureOf(verdict.kind, verdict.error, Cause.parallel(cause, thrown), null),
              stopReason: "unrecoverable"
            } as const
          )
        )
      )
      fork(decision).addObserver((decided) => {
        if (Exit.isSuccess(decided)) return conclude(attempt, decided.value, onNext)
        attempt.span?.end(null)
        slot.release()
      })
    }

    const onEnd = (ended: Exit.Exit<Exit.Exit<string | null, unknown>>): void => {
      const flat = Exit.flatten(ended)
      // Without a success schema nothing is stored, whatever the handler gave.
      const exit = success === null ? Exit.as(flat, null) : flat
      const scope = lazy.touched()
      if (scope === null) return settle(exit)
      // What the handler put into its scope is closed whatever happened; a finalizer that dies makes a failure of a success.
      fork(Scope.close(scope, exit)).addObserver((closed) =>
        settle(Exit.isSuccess(closed) ? exit : Exit.zipLeft(exit, closed))
      )
    }

    starter.later(() => fork(pipeline(attempt, around)).addObserver(onEnd))
  }

  const matching = (taskName: string | undefined) =>
    [...live.values()].filter(({ record }) => taskName === undefined || record.taskName === taskName)

  return TaskRunner.of({
    start,
    stop: (taskId, request) => {
      const attempt = live.get(taskId)
      if (attempt === undefined) return false
      attempt.stop(request)
      return true
    },
    stopRequeueable: (request, unless = () => false) => {
      for (const attempt of [...live.values()]) {
        if (attempt.record.requeueOnInterrupt && !unless(attempt.record.taskId)) attempt.stop(request)
      }
    },
    running: () => [...new Set([...live.values()].map(({ record }) => record.taskName).concat(lastStarted ?? []))],
    stopAll: (request, taskName) => {
      for (const attempt of matching(taskName)) attempt.stop(request)
    },
    abandonAll: (taskName) =>
      matching(taskName).map((attempt) => {
        live.delete(attempt.record.taskId)
        attempt.stop("shutdown")
        conclude(attempt, eventOf(attempt, { _tag: "CutShort", stopReason: "shutdown" }, Cause.empty, now()), () => {})
        return attempt.record.taskId
      })
  })
})

export const layer = Layer.scoped(TaskRunner, make)
