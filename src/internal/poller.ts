/**
 * Looks again and again at what others may have left in a shared backend: often while there is work, seldom when idle, and
 * soon when the backend hints at it.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Backoff from "./backoff.js"

// Milliseconds. Many who are woken at once look one after the other, and the first may take it all.
const spread = 40

export interface Poller {
  /** Says that there was something. */
  readonly found: () => void
  readonly run: Effect.Effect<void>
}

/** Waits `min` milliseconds after a look that found something, and twice as long as before, up to `max`, after others. */
export const make = (options: {
  readonly min: number
  readonly max: number
  readonly hints: Stream.Stream<void>
  readonly look: () => void
}): Poller => {
  let found = false
  const round = (wait: number): Effect.Effect<never> =>
    Effect.flatMap(Backoff.pause(wait), () => {
      const next = found ? options.min : Math.min(options.max, wait * 2)
      found = false
      options.look()
      return round(next)
    })
  const hinted = Stream.runForEach(
    options.hints,
    () =>
      Effect.flatMap(Random.next, (draw) =>
        Effect.sleep(draw * spread).pipe(
          Effect.zipRight(Effect.sync(options.look)),
          // Hints that come meanwhile are one.
          Effect.zipRight(Effect.sleep((1 - draw) * spread))
        ))
  )
  return {
    found: () => {
      found = true
    },
    run: Effect.all([round(options.min), hinted], { concurrency: "unbounded", discard: true })
  }
}
