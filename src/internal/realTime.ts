/**
 * Time that passes whatever Clock the engine runs on: for how long an answer of the backend may take.
 *
 * What the engine does at a time (heartbeats, delays, back-offs, sweeps) goes by the Clock, so a test can move it. How long
 * input and output may take does not: a TestClock that jumps an hour ahead makes no database an hour late.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Milliseconds since some moment; never goes back. */
export const monotonic = (): number => performance.now()

/** Waits `millis` of real time. */
export const pause = (millis: number): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

/**
 * Waits for `self`, at most `millis` of real time; whether it was over by then. For finalizers. Who closes because it was interrupted is
 * interrupted still: only the two sides can be waited for interruptibly, the race cannot.
 */
export const endsWithin = <R>(
  self: Effect.Effect<unknown, never, R>,
  millis: number
): Effect.Effect<boolean, never, R> =>
  Effect.raceFirst(
    Effect.as(Effect.interruptible(Effect.disconnect(self)), true),
    Effect.as(Effect.interruptible(pause(millis)), false)
  )

/** Calls `run` every `millis` of real time until the scope closes. It keeps no process alive. */
export const every = (millis: number, run: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.sync(() => setInterval(run, millis).unref()),
    (timer) => Effect.sync(() => clearInterval(timer))
  ))

/** Fails when `self` took longer than `millis` of real time. `self` is left behind then, however it ends. */
export const within = <A, E, E2, R>(
  self: Effect.Effect<A, E, R>,
  millis: number,
  onTimeout: () => E2
): Effect.Effect<A, E | E2, R> =>
  Effect.raceFirst(Effect.disconnect(self), Effect.flatMap(pause(millis), () => Effect.fail(onTimeout())))
