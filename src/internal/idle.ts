/**
 * Waiting until an engine is idle.
 */
import * as Effect from "effect/Effect"
import type { Signal } from "./signal.js"

/** Returns when `quiet` holds and what was written meanwhile let nothing new begin. */
export const make = (changed: Signal, quiet: () => boolean, flush: Effect.Effect<void>): Effect.Effect<void> => {
  const idle: Effect.Effect<void> = Effect.suspend(() =>
    changed.until(quiet).pipe(
      Effect.zipRight(flush),
      Effect.zipRight(Effect.suspend(() => quiet() ? Effect.void : idle))
    )
  )
  return idle
}
