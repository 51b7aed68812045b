/**
 * How late the event loop is here, for heartbeats, and a warning when it stood still: with the names of what ran meanwhile.
 */
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as LoopLag from "./loopLag.js"

// An event loop that stood still for longer is worth a warning. Milliseconds.
const longStall = 1_000

export const watch = (options: {
  /** Whether heartbeats are sent, which a stall delays: otherwise it is told and no more. */
  readonly warns: boolean
  readonly late: (millis: number) => void
  readonly running: () => ReadonlyArray<string>
}): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(Effect.runtime<never>(), (runtime) => {
    let running: ReadonlyArray<string> = []
    return LoopLag.watch({
      longerThan: options.warns ? longStall : Number.POSITIVE_INFINITY,
      onTurn: (late) => {
        options.late(late)
        running = options.running()
      },
      onStall: (millis) => {
        options.late(millis)
        const names = [...new Set([...running, ...options.running()])]
        const meanwhile = names.length === 0 ? "" : ` while these tasks ran: ${names.join(", ")}`
        const message = `the event loop stood still for ${
          Math.round(millis)
        } ms${meanwhile}; no heartbeat is sent meanwhile`
        Runtime.runFork(runtime, Effect.logWarning(message))
      }
    })
  })
