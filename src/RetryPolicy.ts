/**
 * When a failed attempt is followed by another: as data, or as any Effect Schedule fed with the typed error.
 *
 * The data form is what can be stored, shown and tested; both forms answer the same question through `next`. A timeout
 * and a defect are attempts like a typed failure, so the input is `RetryInput<E>`.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import { inWords } from "./internal/shown.js"
import type { TaskDefect, TaskTimeout } from "./TaskError.js"

/** What decides a retry: the task's own error, a timeout, or a defect. */
export type RetryInput<E> = E | TaskTimeout | TaskDefect

/** The data form. */
export interface RetryOptions<E> {
  /** How many times after the first run: 3 means up to 4 runs. A whole number from 0. */
  readonly retries: number
  /** The wait before the first retry, as `"1 second"`. Default 0. */
  readonly delay?: Duration.DurationInput | undefined
  /** Each further wait is this many times the one before. Default 1; at least 0. */
  readonly backoff?: number | undefined
  /** No wait is longer than this (before jitter). Default: no cap. */
  readonly maxDelay?: Duration.DurationInput | undefined
  /** Multiplies each wait by a random factor from 0.8 to 1.2, so failures of one moment do not return together. Default false. */
  readonly jitter?: boolean | undefined
  /** Asked at every failure; `false` ends the task at once. Default: always retry. */
  readonly while?: ((error: RetryInput<E>) => boolean) | undefined
}

/** Data, or any Schedule whose input accepts everything a task can fail with. */
export type Retry<E> = RetryOptions<E> | Schedule.Schedule<unknown, RetryInput<E>>

/** The factors between which `jitter` draws. */
export const jitterRange = { min: 0.8, max: 1.2 } as const

/** No retries: what a task without `retry` has. */
export const none: RetryOptions<unknown> = { retries: 0 }

/** Whether a retry policy is a Schedule, not data. */
export const isSchedule = <E>(retry: Retry<E>): retry is Schedule.Schedule<unknown, RetryInput<E>> =>
  Predicate.hasProperty(retry, Schedule.ScheduleTypeId)

/** The wait in milliseconds before retry number `n` (from 1), before jitter. */
export const delayMillis = <E>(options: RetryOptions<E>, n: number): number => {
  const cap = options.maxDelay === undefined ? Number.MAX_SAFE_INTEGER : Duration.toMillis(options.maxDelay)
  const first = Math.min(Duration.toMillis(options.delay ?? 0), Number.MAX_SAFE_INTEGER)
  // Nothing times a power that has grown to infinity would be NaN.
  return first === 0 ? 0 : Math.min(first * Math.pow(options.backoff ?? 1, n - 1), cap)
}

/** The same policy as a Schedule, for use outside a task. */
export const toSchedule = <E>(options: RetryOptions<E>): Schedule.Schedule<number, RetryInput<E>> => {
  const counted = Schedule.addDelay(
    Schedule.recurs(options.retries),
    (n) => Duration.millis(delayMillis(options, n + 1))
  )
  const jittered = options.jitter === true ? Schedule.jitteredWith(counted, jitterRange) : counted
  const allowed = options.while
  return allowed === undefined ? jittered : Schedule.whileInput(jittered, (error: RetryInput<E>) => allowed(error))
}

/** One failed attempt of the past: when it failed and with what. */
export interface PastFailure<E> {
  readonly at: number
  readonly error: RetryInput<E>
}

const nextOfData = <E>(options: RetryOptions<E>, failures: number, error: RetryInput<E>, random: () => number) => {
  if (failures > options.retries || options.while?.(error) === false) return Option.none<number>()
  const delay = delayMillis(options, failures)
  const factor = options.jitter === true ? jitterRange.min + random() * (jitterRange.max - jitterRange.min) : 1
  return Option.some(delay * factor)
}

// A Schedule keeps its state in itself, so after a restart the state is rebuilt by stepping it through what happened.
const nextOfSchedule = Effect.fnUntraced(function*<E>(
  schedule: Schedule.Schedule<unknown, RetryInput<E>>,
  history: ReadonlyArray<PastFailure<E>>
) {
  let state: unknown = schedule.initial
  let delay = Option.none<number>()
  for (const { at, error } of history) {
    const [next, _, decision] = yield* schedule.step(at, error, state)
    if (ScheduleDecision.isDone(decision)) return Option.none<number>()
    state = next
    delay = Option.some(Math.max(0, ScheduleIntervals.start(decision.intervals) - at))
  }
  return delay
})

/** Whether asking the policy needs the failures of earlier attempts (only a Schedule has a state to rebuild). */
export const needsHistory = <E>(retry: Retry<E>): boolean => isSchedule(retry)

/**
 * The wait in milliseconds before the next attempt, or `None` when there is none.
 *
 * `failures` counts the failed attempts so far, the last one included. `past` is used by a Schedule only: the failed
 * attempts before the last, oldest first. `random` answers from 0 to 1.
 */
export const next = <E>(retry: Retry<E>, options: {
  readonly failures: number
  readonly past: ReadonlyArray<PastFailure<E>>
  readonly last: PastFailure<E>
  readonly random: () => number
}): Effect.Effect<Option.Option<number>> =>
  isSchedule(retry)
    ? nextOfSchedule(retry, [...options.past, options.last])
    : Effect.sync(() => nextOfData(retry, options.failures, options.last.error, options.random))

/** What is wrong with the data form, or `None`. A Schedule is always fine. */
export const problemOf = <E>(retry: Retry<E>): Option.Option<string> => {
  if (isSchedule(retry)) return Option.none()
  const { backoff = 1, retries } = retry
  if (!Number.isSafeInteger(retries) || retries < 0) {
    return Option.some(`retry.retries is ${inWords(retries)}: a whole number from 0`)
  }
  if (!(backoff >= 0)) return Option.some(`retry.backoff is ${inWords(backoff)}: a number from 0`)
  for (const name of ["delay", "maxDelay"] as const) {
    const given = retry[name]
    if (given !== undefined && Option.isNone(Duration.decodeUnknown(given))) {
      return Option.some(`retry.${name} is ${inWords(given)}: a duration, as "1 second"`)
    }
  }
  return Option.none()
}

/** What is legal but probably meant otherwise: a bare number is milliseconds in Effect and seconds elsewhere. */
export const warningOf = <E>(retry: Retry<E>): Option.Option<string> =>
  !isSchedule(retry) && typeof retry.delay === "number" && retry.delay > 0 && retry.delay < 100
    ? Option.some(
      `retry.delay is the bare number ${retry.delay}, which is ${retry.delay} ms: write a unit, as "1 second"`
    )
    : Option.none()
