/**
 * Lets timers and sockets have their turn. Under load a loop would go from batch to batch without ever ending its own.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

// How long rounds may follow each other before the event loop goes on: 5 ms.
const maxTurnNanos = 5_000_000n

/** Returns at once, or after a turn of the event loop when there was no pause for too long. `isIdle`: a pause is coming. */
export const make = (clock: Clock.Clock, isIdle: () => boolean): Effect.Effect<void> => {
  let last = clock.unsafeCurrentTimeNanos()
  return Effect.suspend(() => {
    const nanos = clock.unsafeCurrentTimeNanos()
    if (isIdle()) last = nanos
    if (nanos - last < maxTurnNanos) return Effect.void
    last = nanos
    return Effect.async<void>((resume) => {
      setImmediate(() => resume(Effect.void))
    })
  })
}
