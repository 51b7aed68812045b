/**
 * How an observer is run: beside the engine, on a fiber of its own, behind a bounded buffer.
 *
 * What the engine does for it is one function call and one place in the buffer for each event. No code of an observer runs
 * there.
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as MetricLabel from "effect/MetricLabel"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type { TaskEvents } from "../TaskEvents.js"
import type { ObservedEvent, ObserverOptions } from "../TaskObserver.js"
import * as Backoff from "./backoff.js"
import { within } from "./endWithin.js"
import { observedOf, type Wanted } from "./observed.js"
import * as RealTime from "./realTime.js"
import { inWords } from "./shown.js"
import * as SlidingBuffer from "./slidingBuffer.js"

/** What is observed. A `TaskManager` is one. */
export interface Source {
  readonly tap: TaskEvents["Type"]["tap"]
  /** Waited for before an observer that closes stops listening. */
  readonly stopped: Effect.Effect<void>
}

export interface Settings extends Wanted {
  readonly name: string
  readonly capacity: number
}

/** Fills in the defaults. Throws a RangeError when `buffer` is not a whole number from 1. */
export const settingsOf = (options: ObserverOptions): Settings => {
  const { buffer = 4_096, lifecycle = true, minLevel = "info", name } = options
  if (Number.isSafeInteger(buffer) && buffer >= 1) return { name, minLevel, lifecycle, logs: true, capacity: buffer }
  throw new RangeError(`observer ${name}: buffer is ${inWords(buffer)}: a whole number from 1`)
}

/** What the code of an observer is given. */
export interface Observing {
  readonly buffer: SlidingBuffer.SlidingBuffer<ObservedEvent>
  /** Counts events that were taken and could not be used. */
  readonly lost: (events: number) => void
  /** Counts a failure, and tells of it: of the first, then of one in a minute. */
  readonly failed: (cause: Cause.Cause<unknown>) => Effect.Effect<void>
  /** Counts a failure that somebody else tells of. */
  readonly countFailure: () => void
  /** Waits before the next try after so many failures in a row. Short when the observer closes: there is little time. */
  readonly backOff: (failures: number) => Effect.Effect<void>
}

const droppedTotal = Metric.counter("taskflow_observer_dropped_total", {
  description: "Events an observer missed: it was slow, or could not use them.",
  incremental: true
})

const failuresTotal = Metric.counter("taskflow_observer_failures_total", {
  description: "Failures of an observer.",
  incremental: true
})

const labelsOf = (name: string) => [MetricLabel.make("observer", name)]

/** What observers of this name missed since the process started. */
export const droppedOf = (name: string): number => droppedTotal.unsafeValue(labelsOf(name)).count

/** How often observers of this name failed since the process started. */
export const failuresOf = (name: string): number => failuresTotal.unsafeValue(labelsOf(name)).count

// Milliseconds. What waits in the buffer at the end is delivered in this time; so is the last word of `close`.
const closeGrace = 5_000
const closingPause = 100
const quietFor = 60_000
// A run that lasted this long was well: the next failure is a first one again.
const wellAfter = 10_000

/** At most one of many like words in a minute. */
const seldom = (now: () => number) => {
  let last = Number.NEGATIVE_INFINITY
  return (): boolean => {
    const at = now()
    if (at - last < quietFor) return false
    last = at
    return true
  }
}

/**
 * Observes `source` until the scope closes. Then the engine, if it is stopping, stops first; what is buffered is delivered,
 * and `close` is called. A `run` that fails is started again; one that returns ends the observer.
 */
export const observe = <E, R, R2>(
  source: Source,
  settings: Settings,
  run: (observing: Observing) => Effect.Effect<unknown, E, R>,
  close: Effect.Effect<unknown, unknown, R2>
): Effect.Effect<void, never, R | R2 | Scope.Scope> =>
  Effect.gen(function*() {
    const { capacity, name } = settings
    const clock = yield* Effect.clock
    const runtime = yield* Effect.runtime<never>()
    const labels = labelsOf(name)
    const buffer = SlidingBuffer.make<ObservedEvent>(capacity)
    const mayTellOfLoss = seldom(() => clock.unsafeCurrentTimeMillis())
    const mayTellOfFailure = seldom(() => clock.unsafeCurrentTimeMillis())

    const lost = (events: number): void => {
      if (events === 0) return
      droppedTotal.unsafeUpdate(events, labels)
      if (!mayTellOfLoss()) return
      const message =
        `observer ${name} missed events, ${droppedOf(name)} so far: it is slow or could not use them, and ` +
        `at most ${capacity} wait`
      Runtime.runFork(runtime, Effect.logWarning(message))
    }
    const countFailure = () => failuresTotal.unsafeUpdate(1, labels)
    const failed = (cause: Cause.Cause<unknown>): Effect.Effect<void> =>
      Effect.suspend(() => {
        countFailure()
        return mayTellOfFailure()
          ? Effect.logError(`observer ${name} failed (${failuresOf(name)} so far)`, cause)
          : Effect.void
      })

    const backOff = (failures: number): Effect.Effect<void> =>
      Effect.suspend(() =>
        buffer.isEnded()
          ? Backoff.pause(closingPause)
          : Effect.raceFirst(Backoff.afterFailure(failures), buffer.ended)
      )

    const untap = source.tap((event, record) => {
      const observed = observedOf(event, record, settings)
      if (observed !== null && !buffer.offer(observed)) lost(1)
    })

    const observing: Observing = { backOff, buffer, countFailure, failed, lost }
    const again = (failures: number): Effect.Effect<void, never, R> =>
      Effect.flatMap(Clock.currentTimeMillis, (began) =>
        Effect.catchAllCause(
          Effect.suspend(() => Effect.asVoid(run(observing))),
          (cause) =>
            failed(cause).pipe(
              Effect.zipRight(Clock.currentTimeMillis),
              Effect.flatMap((now) => {
                const inARow = now - began >= wellAfter ? 1 : failures + 1
                return Effect.zipRight(backOff(inARow), again(inARow))
              })
            )
        ))

    const stopListening = Effect.sync(() => {
      untap()
      buffer.end()
    })
    const fiber = yield* Effect.forkDaemon(Effect.interruptible(Effect.ensuring(again(0), stopListening)))

    yield* Effect.addFinalizer(() =>
      Effect.gen(function*() {
        // Handlers that close at the same time begin the stop in this very turn.
        yield* RealTime.pause(0)
        yield* source.stopped
        yield* stopListening
        if (!(yield* within(Fiber.await(fiber), closeGrace))) {
          const left = buffer.size()
          droppedTotal.unsafeUpdate(left, labels)
          yield* Effect.logWarning(
            `observer ${name} did not end in ${closeGrace / 1_000} seconds, with ${left} events not taken`
          )
          yield* Fiber.interruptFork(fiber)
        }
        yield* within(Effect.catchAllCause(close, failed), closeGrace)
      })
    )
  }).pipe(Effect.uninterruptible)
