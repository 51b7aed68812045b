/**
 * The fiber that claims: one claim at a time, as often as it is wanted, whatever goes wrong in one of them.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Claimed, ClaimRequest, TaskBackend } from "../TaskBackend.js"
import type { TaskId } from "../TaskId.js"
import type { TaskInstance } from "../TaskInstance.js"
import { isLive } from "../TaskRecord.js"
import { isFenced } from "./backendTrouble.js"
import type { Backlog } from "./backlog.js"
import * as Backoff from "./backoff.js"
import * as SaidAgain from "./saidAgain.js"
import type { Signal } from "./signal.js"
import type { Slots } from "./slots.js"

// The second look finds what the server had not yet committed at the first.
const looksForUnheard = 2

export interface Claimer {
  /** Whether a claim is under way. */
  readonly isClaiming: () => boolean
  /** Ends the fiber; an answer that is still on its way is not waited for. */
  readonly stop: Effect.Effect<void>
}

export const make = (options: {
  readonly backend: TaskBackend["Type"]
  readonly instance: TaskInstance["Type"]
  readonly backlog: Backlog
  readonly slots: Slots
  readonly wanted: Signal
  readonly isStopping: () => boolean
  /** What to ask for now, or null. */
  readonly request: () => ClaimRequest | null
  /** Takes out of the window what urgent tasks outrank; whether there was any. */
  readonly makeRoom: () => boolean
  /** Returns when what left the window is in the backend. */
  readonly flush: Effect.Effect<void>
  /** The tasks in the window, queued or running, and those on their way into it. */
  readonly known: () => ReadonlySet<TaskId>
  /** Places what was claimed. */
  readonly receive: (claimed: Claimed) => void
  /** Called when a claim is over. */
  readonly onEnd: () => void
}): Effect.Effect<Claimer> => {
  const { backend, backlog, instance, slots } = options
  let claiming = false
  let fences = 0
  let failures = 0
  const trouble = SaidAgain.make(instance.now)
  // How often to look for what a failed claim may have left; before that nothing new is claimed.
  let unheard = 0

  const claim = (request: ClaimRequest): Effect.Effect<void> => {
    const unreserve = slots.reserve(request.slots, request.tasks)
    // What is added to the backlog while the answer is on its way, the claim has not seen.
    const seen = { urgent: backlog.urgent(), moment: backlog.moment() }
    const over = (claimed: Claimed | null) =>
      Effect.sync(() => {
        unreserve()
        if (claimed === null) return
        fences = 0
        failures = 0
        trouble.worked()
        backlog.replace(request.tasks.map(({ name }) => name), claimed, seen)
        options.receive(claimed)
      })
    // A driver may also die, so it is the whole cause that is looked at. What to ask for is decided anew after a failure.
    return Effect.matchCauseEffect(backend.claim(request), {
      onSuccess: over,
      onFailure: (cause) => {
        // Under the new identity there is another request; the pause is for a backend that refuses every identity.
        if (isFenced(cause)) {
          fences += 1
          return Effect.zipRight(
            Effect.interruptible(instance.renew(request.instance)),
            Effect.zipRight(Backoff.afterFailure(fences), over(null))
          )
        }
        failures += 1
        unheard = looksForUnheard
        return trouble.failed("task dispatcher: claiming failed, asking again", cause).pipe(
          Effect.zipRight(over(null)),
          Effect.zipRight(Backoff.afterFailure(failures))
        )
      }
    })
  }

  // A claim that failed may have been committed, or be committed a moment later: then there are rows of ours that we never
  // heard of. One that was known before, or is known by now, is no such row.
  const recover = Effect.suspend(() => {
    const { id } = instance
    const before = options.known()
    return Effect.matchCauseEffect(backend.owned(id), {
      onFailure: () => {
        failures += 1
        return Backoff.afterFailure(failures)
      },
      onSuccess: ({ joined, records }) =>
        Effect.sync(() => {
          unheard -= 1
          const now = options.known()
          const missed = records.filter(({ taskId }) => !before.has(taskId) && !now.has(taskId))
          if (missed.length === 0 || instance.id !== id) return
          const [started, pending] = [missed.filter(isLive), missed.filter((row) => !isLive(row))]
          options.receive({ started, pending, more: [], nextDueAt: null, joined })
        })
    })
  })

  const once = Effect.suspend(() => {
    if (options.isStopping()) return Effect.void
    claiming = true
    // What leaves the window has to be in the backend before the claim, so that it competes there.
    return Effect.zipRight(
      options.makeRoom() ? options.flush : Effect.void,
      Effect.zipRight(
        unheard > 0 ? recover : Effect.void,
        Effect.suspend(() => {
          const request = unheard < looksForUnheard && !options.isStopping() ? options.request() : null
          return request === null ? Effect.void : claim(request)
        })
      )
    )
  }).pipe(
    Effect.ensuring(Effect.sync(() => {
      claiming = false
      options.onEnd()
    })),
    Effect.uninterruptible
  )

  const round = Effect.catchAllCause(
    once,
    (cause) => Effect.zipRight(Effect.logError("task dispatcher: a claim went wrong", cause), Effect.sleep("1 second"))
  )

  return Effect.map(
    Effect.forkDaemon(Effect.interruptible(Effect.forever(Effect.zipRight(options.wanted.await, round)))),
    (fiber) => ({ isClaiming: () => claiming, stop: Fiber.interruptFork(fiber) })
  )
}
