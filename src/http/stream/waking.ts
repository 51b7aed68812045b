/**
 * When the hub listens: from the first client on until some time behind the last one, and what it does then.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Stream from "effect/Stream"
import * as Backoff from "../../internal/backoff.js"
import type { Signal } from "../../internal/signal.js"
import type { TaskChanges } from "../../TaskFeed.js"
import type { Telling } from "./telling.js"

export interface WakingOptions {
  readonly changes: Stream.Stream<TaskChanges>
  /** Milliseconds. */
  readonly linger: number
  /** Notified whenever something changed that is waited for here. */
  readonly signal: Signal
  readonly telling: Telling
  readonly isWanted: () => boolean
  /** It wakes up, and knows nothing of what came before. */
  readonly begin: () => void
  /** Everything is told. */
  readonly idle: () => void
  /** Changes may have been missed. */
  readonly missed: () => void
}

export interface Waking {
  /** Listens from now on. */
  readonly wake: Effect.Effect<void>
  /** Returns when it is known from where on changes are heard, or when that takes too long. */
  readonly known: Effect.Effect<void>
  /** Somebody is told to read: what changes from now on must reach them. */
  readonly greeted: () => void
  /** Somebody left. */
  readonly left: Effect.Effect<void>
  readonly isAwake: () => boolean
}

// Milliseconds. Two frames of one topic are never closer than `pace`; a greeting waits for the position of the feed at most
// `greeting`; a task that was made within `young` before waking up counts as new.
const times = { pace: 250, greeting: 1_000, young: 60_000 }

interface Session {
  readonly positioned: Deferred.Deferred<void>
  known: boolean
  /** Somebody was greeted before the position was known. */
  early: boolean
}

export const make = Effect.fnUntraced(function*(options: WakingOptions) {
  const { begin, changes, idle, isWanted, linger, missed, signal, telling } = options
  let session: Session | null = null
  let wantedAt = 0

  const heard = (session: Session, page: TaskChanges) => {
    if (!session.known) {
      session.known = true
      if (session.early) missed()
      session.early = false
      Deferred.unsafeDone(session.positioned, Effect.void)
    }
    if (page.reset) missed()
    page.changes.forEach(telling.add)
    signal.notify()
  }

  const listen = (session: Session): Effect.Effect<never> =>
    Stream.runForEach(changes, (page) => Effect.sync(() => heard(session, page))).pipe(
      Effect.catchAllCause((cause) => Effect.logWarning("task stream: the changes broke off", cause)),
      Effect.zipRight(Effect.sync(() => {
        session.known = false
        session.early = true
      })),
      Effect.zipRight(Backoff.pause(1_000)),
      Effect.forever
    )

  const tell: Effect.Effect<never> = signal.until(telling.any).pipe(
    Effect.zipRight(telling.turn),
    Effect.catchAllCause((cause) => Effect.as(Effect.logError("task stream: a turn failed", cause), 1)),
    Effect.flatMap((failures) =>
      Effect.zipRight(Effect.sleep(times.pace), failures === 0 ? Effect.void : Backoff.afterFailure(failures))
    ),
    Effect.zipRight(Effect.sync(() => {
      if (!telling.any()) idle()
    })),
    Effect.forever
  )

  const untilUnwanted: Effect.Effect<void> = signal.until(() => !isWanted()).pipe(
    Effect.zipRight(Clock.currentTimeMillis),
    Effect.flatMap((now) => {
      const left = wantedAt + linger - now
      if (isWanted() || left > 0) return Effect.zipRight(Effect.sleep(Math.max(0, left)), untilUnwanted)
      session = null
      return Effect.void
    })
  )

  const awake = (session: Session): Effect.Effect<void> =>
    Effect.scoped(Effect.gen(function*() {
      yield* Effect.forkScoped(listen(session))
      yield* Effect.forkScoped(tell)
      yield* untilUnwanted
    }))

  // A fiber of its own, so that it has nothing of the request that happened to be the first.
  yield* Effect.suspend(() => session === null ? signal.until(() => session !== null) : awake(session)).pipe(
    Effect.forever,
    Effect.interruptible,
    Effect.forkScoped
  )

  const wanted = Effect.map(Clock.currentTimeMillis, (now) => {
    wantedAt = now
    return now
  })

  const waking: Waking = {
    wake: Effect.map(wanted, (now) => {
      if (session === null) {
        session = { positioned: Deferred.unsafeMake(FiberId.none), known: false, early: false }
        begin()
        telling.restart(now - times.young)
      }
      signal.notify()
    }),
    known: Effect.suspend(() =>
      session === null || session.known
        ? Effect.void
        : Effect.asVoid(Effect.timeoutOption(Deferred.await(session.positioned), times.greeting))
    ),
    greeted: () => {
      if (session !== null && !session.known) session.early = true
    },
    left: Effect.map(wanted, () => signal.notify()),
    isAwake: () => session !== null
  }
  return waking
})
