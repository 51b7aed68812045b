/**
 * "Something changed". For one who waits for the next change, and for many who each wait for a condition.
 */
import * as Effect from "effect/Effect"

export interface Signal {
  readonly notify: () => void
  /** Returns at the next notification, or at once when one came since the last return. For one waiter at a time. */
  readonly await: Effect.Effect<void>
  /** Returns when the condition holds; asked now and at each notification. Holds for the fiber that goes on, too. */
  readonly until: (condition: () => boolean) => Effect.Effect<void>
}

export const make: Effect.Effect<Signal> = Effect.sync(() => {
  let pending = false
  let waiters: Array<() => void> = []
  const conditional = new Set<{ readonly condition: () => boolean; readonly resume: () => void }>()
  const until = (condition: () => boolean): Effect.Effect<void> =>
    Effect.flatMap(
      Effect.async<void>((resume) => {
        if (condition()) return resume(Effect.void)
        const waiter = { condition, resume: () => resume(Effect.void) }
        conditional.add(waiter)
        return Effect.sync(() => conditional.delete(waiter))
      }),
      // Others may have been woken by the same change and come first.
      () => condition() ? Effect.void : until(condition)
    )
  return {
    until,
    notify: () => {
      for (const waiter of conditional) {
        if (!waiter.condition()) continue
        conditional.delete(waiter)
        waiter.resume()
      }
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
