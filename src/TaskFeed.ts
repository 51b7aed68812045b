/**
 * What changes in the whole fleet: the backend's feed as a Stream, for those who watch.
 *
 * One reader for all who watch here, and none while nobody does. Hints wake it, and it looks by itself at least every
 * second; so a hint that was lost costs a second, and nothing is missed. TaskEvents tells more, but of this instance only.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import * as Backoff from "./internal/backoff.js"
import * as Signal from "./internal/signal.js"
import * as WhileWanted from "./internal/whileWanted.js"
import { TaskBackend } from "./TaskBackend.js"
import type { FeedPage, TaskChange } from "./TaskChange.js"
import type { TaskBackendError } from "./TaskError.js"
import { TaskInstance } from "./TaskInstance.js"

/** Changes that were read together, in order. */
export interface TaskChanges {
  readonly changes: ReadonlyArray<TaskChange>
  /** To go on behind them later, here or in another instance. */
  readonly cursor: string
  /** Something before them was missed: read again what you show. */
  readonly reset: boolean
}

export class TaskFeed extends Context.Tag("effect-taskflow/TaskFeed")<TaskFeed, {
  /** From now on, or from a cursor on. At least once: behind a cursor the first changes may come twice. Never ends. */
  readonly changes: (after?: string) => Stream.Stream<TaskChanges>
  /** One page, for those who ask instead of listening. Without a cursor: where the feed is now, and no changes. */
  readonly changesAfter: (cursor?: string, limit?: number) => Effect.Effect<FeedPage, TaskBackendError>
}>() {}

// Pages that a slow watcher may be behind before it misses some.
const capacity = 256

const batches = { usual: 100, most: 1_000 }

// Milliseconds: between two reads of a busy feed, so that many changes are one page; and between looks without a hint.
const pace = 20
const look = { often: 250, seldom: 1_000 }

interface Published extends TaskChanges {
  readonly sequence: number
}

export const make = Effect.gen(function*() {
  const backend = yield* TaskBackend
  const instance = yield* TaskInstance
  const pubsub = yield* Effect.acquireRelease(PubSub.sliding<Published>(capacity), PubSub.shutdown)
  const began = yield* Signal.make
  let cursor: string | null = null
  let sequence = 0

  const read = (after: string | null, limit: number) =>
    Effect.suspend(() => backend.feed({ cursor: after, limit, now: instance.now() }))

  const untilRead = (after: string | null, failures = 0): Effect.Effect<FeedPage> =>
    Effect.catchAllCause(Effect.disconnect(read(after, batches.usual)), (cause) => {
      const told = failures === 0
        ? Effect.logWarning("task feed: the backend failed, asking again", cause)
        : Effect.logDebug("task feed: the backend failed, asking again", cause)
      return Effect.zipRight(
        Effect.zipRight(told, Backoff.afterFailure(failures + 1)),
        Effect.suspend(() => untilRead(after, failures + 1))
      )
    })

  const follow = Effect.gen(function*() {
    const hinted = yield* Signal.make
    yield* Effect.forkScoped(Stream.runForEach(backend.hints("changes"), () => Effect.sync(hinted.notify)))
    cursor = (yield* untilRead(null)).cursor
    began.notify()
    let wait = look.often
    while (true) {
      const page: FeedPage = yield* untilRead(cursor)
      cursor = page.cursor
      const found = page.changes.length > 0 || page.reset
      if (found) {
        sequence += 1
        const { changes, reset } = page
        yield* pubsub.publish({ sequence, changes, cursor, reset })
        yield* Effect.sleep(pace)
      }
      wait = found ? look.often : Math.min(look.seldom, wait * 2)
      if (!page.more) yield* Effect.raceFirst(hinted.await, Backoff.pause(wait))
    }
  }).pipe(
    Effect.scoped,
    Effect.ensuring(Effect.sync(() => {
      cursor = null
    }))
  )
  const reader = WhileWanted.make(follow)

  const past = (after: string): Stream.Stream<TaskChanges> =>
    Stream.paginateEffect(after, (from) =>
      Effect.map(untilRead(from), ({ changes, cursor, more, reset }) => [
        { changes, cursor, reset },
        more ? Option.some(cursor) : Option.none()
      ])).pipe(Stream.filter(({ changes, reset }) => changes.length > 0 || reset))

  return TaskFeed.of({
    changes: (after) =>
      Stream.unwrapScoped(Effect.gen(function*() {
        const queue = yield* PubSub.subscribe(pubsub)
        yield* reader
        yield* began.until(() => cursor !== null)
        let expected = sequence + 1
        const live = Stream.map(Stream.fromQueue(queue), ({ sequence: number, ...page }): TaskChanges => {
          // What is missing in between was slid out of this watcher's reach.
          const missed = number > expected
          expected = number + 1
          return missed ? { ...page, reset: true } : page
        })
        return after === undefined ? live : Stream.concat(past(after), live)
      })),
    changesAfter: (after, limit = batches.usual) => read(after ?? null, Math.min(batches.most, Math.max(1, limit)))
  })
})

export const layer: Layer.Layer<TaskFeed, never, TaskBackend | TaskInstance> = Layer.scoped(TaskFeed, make)
