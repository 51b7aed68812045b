/**
 * Hints for those who look: many that come at once are one. What tells of others' hints runs only while somebody listens.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Hint } from "../TaskChange.js"
import * as Signal from "./signal.js"
import * as WhileWanted from "./whileWanted.js"

export interface HintBoard {
  readonly emit: (hint: Hint) => void
  /** Whether anybody listens for it. */
  readonly isWanted: (hint: Hint) => boolean
  /** One element for all such hints since the last element was taken. */
  readonly hints: (about: Hint) => Stream.Stream<void>
}

export const make = (source: Effect.Effect<unknown> = Effect.never): HintBoard => {
  type Listeners = Record<Hint, Set<Signal.Signal>>
  const listeners: Listeners = { work: new Set(), changes: new Set(), steer: new Set() }
  const wanted = WhileWanted.make(source)
  return {
    emit: (hint) => {
      for (const signal of listeners[hint]) signal.notify()
    },
    isWanted: (hint) => listeners[hint].size > 0,
    hints: (about) =>
      Stream.unwrapScoped(Effect.gen(function*() {
        const signal = yield* Signal.make
        yield* Effect.acquireRelease(
          Effect.sync(() => listeners[about].add(signal)),
          () => Effect.sync(() => listeners[about].delete(signal))
        )
        yield* wanted
        return Stream.repeatEffect(signal.await)
      }))
  }
}
