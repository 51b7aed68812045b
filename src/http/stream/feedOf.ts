/**
 * The changes of a fleet as the hub wants them: the first page is empty and says from where on changes are told.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Backoff from "../../internal/backoff.js"
import type { TaskChanges, TaskFeed } from "../../TaskFeed.js"

const position = (
  feed: TaskFeed["Type"],
  failures = 0
): Effect.Effect<string> =>
  Effect.catchAll(
    Effect.map(Effect.disconnect(feed.changesAfter()), ({ cursor }) => cursor),
    (error) =>
      Effect.logDebug("task stream: the backend does not say where its changes are, asking again", error).pipe(
        Effect.zipRight(Backoff.afterFailure(failures + 1)),
        Effect.zipRight(Effect.suspend(() => position(feed, failures + 1)))
      )
  )

/** For `StreamHubOptions.changes`, of a TaskManager. */
export const feedOf = (feed: TaskFeed["Type"]): Stream.Stream<TaskChanges> =>
  Stream.unwrap(
    Effect.map(position(feed), (cursor) =>
      Stream.concat(Stream.make({ changes: [], cursor, reset: false }), feed.changes(cursor)))
  )
