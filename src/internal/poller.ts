/**
 * Looks again and again at what others may have left in a shared backend: often while there is work, seldom when idle.
 */
import * as Effect from "effect/Effect"
import * as Backoff from "./backoff.js"

export interface Poller {
  /** Says that there was something. */
  readonly found: () => void
  readonly run: Effect.Effect<never>
}

/** Waits `min` milliseconds after a look that found something, and twice as long as before, up to `max`, after others. */
export const make = (options: { readonly min: number; readonly max: number; readonly look: () => void }): Poller => {
  let found = false
  const round = (wait: number): Effect.Effect<never> =>
    Effect.flatMap(Backoff.pause(wait), () => {
      const next = found ? options.min : Math.min(options.max, wait * 2)
      found = false
      options.look()
      return round(next)
    })
  return {
    found: () => {
      found = true
    },
    run: round(options.min)
  }
}
