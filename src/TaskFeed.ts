/**
 * What changes in the whole fleet: the backend's feed as a Stream, for those who watch.
 *
 * A stream reads when its reader wants more, so nobody can be too slow for it, and nothing is read while nobody watches.
 * Hints wake it, and it looks by itself at least every second; a hint that was lost costs a second, and nothing is missed.
 * TaskEvents tells more, but of this instance only.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Backoff from "./internal/backoff.js"
import * as Signal from "./internal/signal.js"
import { TaskBackend } from "./TaskBackend.js"
import type { FeedPage, TaskChange } from "./TaskChange.js"
import type { TaskBackendError } from "./TaskError.js"
import { TaskInstance } from "./TaskInstance.js"

/** Changes that were read together, in order. */
export interface TaskChanges {
  readonly changes: ReadonlyArray<TaskChange>
  /** To go on behind them later, here or in another instance. Good for about ten minutes. */
  readonly cursor: string
  /** Something before them was missed: read again what you show. */
  readonly reset: boolean
}

/** What changes in the whole fleet, as streams and pages. */
export class TaskFeed extends Context.Tag("effect-taskflow/TaskFeed")<TaskFeed, {
  /** From now on, or from a cursor on. Never ends and never fails; while the backend does, it waits. */
  readonly changes: (after?: string) => Stream.Stream<TaskChanges>
  /** One page, for those who ask instead of listening. Without a cursor: where the feed is now, and no changes. */
  readonly changesAfter: (cursor?: string, limit?: number) => Effect.Effect<FeedPage, TaskBackendError>
}>() {}

const batches = { usual: 100, most: 1_000 }

// Milliseconds: behind a page, so that many changes are one; and between looks without a hint.
const pace = 20
const look = { often: 250, seldom: 1_000 }

/** For the engine. */
export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const instance = yield* TaskInstance

  const read = (cursor: string | null, limit: number) =>
    Effect.suspend(() => backend.feed({ cursor, limit, now: instance.now() }))

  const untilRead = (cursor: string | null, failures = 0): Effect.Effect<FeedPage> =>
    // One that is never answered must not keep its reader from leaving.
    Effect.catchAllCause(Effect.disconnect(read(cursor, batches.usual)), (cause) => {
      const told = failures === 0
        ? Effect.logWarning("task feed: the backend failed, asking again", cause)
        : Effect.logDebug("task feed: the backend failed, asking again", cause)
      return Effect.zipRight(
        Effect.zipRight(told, Backoff.afterFailure(failures + 1)),
        Effect.suspend(() => untilRead(cursor, failures + 1))
      )
    })

  const changes = (after?: string): Stream.Stream<TaskChanges> =>
    Stream.unwrapScoped(Effect.gen(function*() {
      const hinted = yield* Signal.make
      yield* Effect.forkScoped(
        Effect.interruptible(Stream.runForEach(backend.hints("changes"), () => Effect.sync(hinted.notify)))
      )
      let cursor = after ?? (yield* untilRead(null)).cursor
      let waits = Effect.void

      const next = (wait: number): Effect.Effect<TaskChanges> =>
        Effect.flatMap(Effect.zipRight(waits, Effect.suspend(() => untilRead(cursor))), (page) => {
          cursor = page.cursor
          const idle = Effect.raceFirst(hinted.await, Backoff.pause(wait))
          if (page.changes.length === 0 && !page.reset) {
            waits = page.more ? Effect.void : idle
            return next(Math.min(look.seldom, wait * 2))
          }
          waits = page.more ? Effect.void : Effect.zipRight(Effect.sleep(pace), idle)
          return Effect.succeed({ changes: page.changes, cursor, reset: page.reset })
        })
      return Stream.repeatEffect(Effect.suspend(() => next(look.often)))
    }))

  return TaskFeed.of({
    changes,
    changesAfter: (cursor, limit = batches.usual) => read(cursor ?? null, Math.min(batches.most, Math.max(1, limit)))
  })
})

/** For the engine. */
export const layer: Layer.Layer<TaskFeed, never, TaskBackend | TaskInstance> = Layer.effect(TaskFeed, make)
