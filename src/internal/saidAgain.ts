/**
 * What fails again and again is said at once, and then once a minute: an outage of hours fills no log. Those who debug see all of it.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

// Milliseconds.
const pause = 60_000

export interface SaidAgain {
  readonly failed: (message: string, cause: Cause.Cause<unknown>) => Effect.Effect<void>
  /** It works: the next failure is news. */
  readonly worked: () => void
}

/** `now`: epoch milliseconds. */
export const make = (now: () => number): SaidAgain => {
  let failures = 0
  let said = Number.NEGATIVE_INFINITY
  return {
    failed: (message, cause) =>
      Effect.suspend(() => {
        failures += 1
        // A clock that was set back must not silence it.
        if (failures > 1 && Math.abs(now() - said) < pause) return Effect.logDebug(message, cause)
        said = now()
        return Effect.logWarning(failures === 1 ? message : `${message} (${failures} failures by now)`, cause)
      }),
    worked: () => {
      failures = 0
    }
  }
}
