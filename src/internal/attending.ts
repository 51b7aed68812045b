/**
 * Does what is to be done for schedules, a few at once, in the order they asked. What fails is tried again later, and the first
 * of many that fail says so.
 */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { TaskBackendError } from "../TaskError.js"
import * as Backoff from "./backoff.js"
import type { Known } from "./knownSchedule.js"

const atOnce = 8
// That the backend fails is said a minute apart at least, and again after so many failures. Milliseconds.
const quiet = 60_000
const stillFailing = 60

export const make = (options: {
  readonly now: () => number
  readonly attend: (known: Known) => Effect.Effect<void, TaskBackendError>
  readonly onEnd: (known: Known) => void
}): Effect.Effect<(known: Known) => void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { attend, now, onEnd } = options
    const fork = yield* FiberSet.makeRuntime<never>()
    // Not a semaphore: each permit that is given back would wake all who wait for one.
    const waiting: Array<Known> = []
    let running = 0
    let quietUntil = Number.NEGATIVE_INFINITY

    const next = (): void => {
      for (; running < atOnce; running += 1) {
        const known = waiting.shift()
        if (known === undefined) return
        fork(run(known))
      }
    }

    const run = (known: Known): Effect.Effect<void> =>
      Effect.suspend(() => attend(known)).pipe(
        Effect.matchCauseEffect({
          onFailure: (cause) =>
            Effect.flatMap(Backoff.jittered(Backoff.millisAfter(known.failures + 1)), (wait) => {
              known.failures += 1
              known.notBefore = now() + Math.ceil(wait)
              const isNews = known.failures === 1 || known.failures % stillFailing === 0
              if (!isNews || now() < quietUntil) return Effect.void
              quietUntil = now() + quiet
              return Effect.logWarning("task schedules: the backend failed, what is due waits until it answers", cause)
            }),
          onSuccess: () =>
            Effect.sync(() => {
              if (now() >= known.notBefore) known.failures = 0
            })
        }),
        Effect.ensuring(Effect.sync(() => {
          running -= 1
          known.busy = false
          onEnd(known)
          next()
        }))
      )

    return (known) => {
      known.busy = true
      known.noticedAt = now()
      waiting.push(known)
      next()
    }
  })
