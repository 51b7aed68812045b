/**
 * Notices that the event loop stood still: real time, because no Clock of the application's stands still with it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

const every = 500

/** Calls `onStall` with the milliseconds whenever a turn came more than `longerThan` late; `onTurn` at every other turn. */
export const watch = (options: {
  readonly longerThan: number
  readonly onTurn: (millis: number) => void
  readonly onStall: (millis: number) => void
}): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.sync(() => {
      let last = performance.now()
      const timer = setInterval(() => {
        const now = performance.now()
        const late = now - last - every
        last = now
        if (late > options.longerThan) options.onStall(late)
        else options.onTurn(Math.max(0, late))
      }, every)
      // It keeps no process alive.
      timer.unref()
      return timer
    }),
    (timer) => Effect.sync(() => clearInterval(timer))
  ))
