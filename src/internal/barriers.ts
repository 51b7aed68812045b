/**
 * Waiting for everything that came before, in a queue that is answered in order.
 */
import * as Effect from "effect/Effect"

export interface Barriers {
  readonly submitted: (count: number) => void
  readonly answered: (count: number) => void
  /** Returns when everything that was submitted before this was answered. */
  readonly passed: Effect.Effect<void>
}

export const make = (): Barriers => {
  const waiting: Array<{ readonly upTo: number; readonly resume: () => void }> = []
  let submitted = 0
  let answered = 0
  return {
    submitted: (count) => {
      submitted += count
    },
    answered: (count) => {
      answered += count
      while (waiting.length > 0 && waiting[0]!.upTo <= answered) waiting.shift()!.resume()
    },
    passed: Effect.async<void>((resume) => {
      // More were answered than submitted when closing answered for what was set aside.
      if (answered >= submitted) resume(Effect.void)
      else {
        const one = { upTo: submitted, resume: () => resume(Effect.void) }
        waiting.push(one)
        return Effect.sync(() => {
          const at = waiting.indexOf(one)
          if (at !== -1) waiting.splice(at, 1)
        })
      }
    })
  }
}
