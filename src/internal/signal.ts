/**
 * "Something changed": any number of notifications wake all who wait, and one that came before the wait is not missed.
 */
import * as Effect from "effect/Effect"

export interface Signal {
  readonly notify: () => void
  /** Returns at the next notification, or at once when one came since the last return. */
  readonly await: Effect.Effect<void>
}

export const make: Effect.Effect<Signal> = Effect.sync(() => {
  let pending = false
  let waiters: Array<() => void> = []
  return {
    notify: () => {
      if (waiters.length === 0) {
        pending = true
        return
      }
      const woken = waiters
      waiters = []
      for (const wake of woken) wake()
    },
    await: Effect.async<void>((resume) => {
      if (pending) {
        pending = false
        return resume(Effect.void)
      }
      const wake = () => resume(Effect.void)
      waiters.push(wake)
      return Effect.sync(() => {
        waiters = waiters.filter((other) => other !== wake)
      })
    })
  }
})
