/**
 * What the hub tells of, from a TaskManager.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Backoff from "../../internal/backoff.js"
import type { TaskChanges } from "../../TaskFeed.js"
import type { TaskManager } from "../../TaskManager.js"
import { groupsOf } from "../attention.js"
import type { Redaction } from "../TaskRedaction.js"
import * as TaskView from "../TaskView.js"
import type { StreamHubOptions } from "./StreamHub.js"

type Manager = Pick<TaskManager["Type"], "changes" | "changesAfter" | "errors" | "get" | "logs" | "stats">

const position = (manager: Manager, failures = 0): Effect.Effect<string> =>
  Effect.catchAll(
    Effect.map(Effect.disconnect(manager.changesAfter()), ({ cursor }) => cursor),
    (error) =>
      Effect.logDebug("task stream: the backend does not say where its changes are, asking again", error).pipe(
        Effect.zipRight(Backoff.afterFailure(failures + 1)),
        Effect.zipRight(Effect.suspend(() => position(manager, failures + 1)))
      )
  )

/** The first page is empty and says from where on changes are told. */
export const changes = (manager: Manager): Stream.Stream<TaskChanges> =>
  Stream.unwrap(
    Effect.map(position(manager), (cursor) =>
      Stream.concat(Stream.make({ changes: [], cursor, reset: false }), manager.changes(cursor)))
  )

// Records are read one by one, several at a time: about as fast as the backend gives them, and no flood for its pool.
const atOnce = 8

/** Everything but the roll-ups, the batches and what belongs to the application. */
export const make = (
  manager: Manager,
  redaction: Redaction
): Pick<StreamHubOptions, "attention" | "changes" | "counts" | "logLines" | "records" | "summary"> => ({
  changes: changes(manager),
  records: (ids) =>
    Effect.map(
      Effect.forEach(
        ids,
        (id) =>
          manager.get(id).pipe(
            Effect.asSome,
            Effect.catchTag("TaskNotFound", () => Effect.succeed(Option.none()))
          ),
        { concurrency: atOnce }
      ),
      (found) => found.flatMap(Option.toArray)
    ),
  summary: (record) => TaskView.summary(record, redaction),
  attention: groupsOf(manager),
  counts: Effect.map(manager.stats(), ({ counts }) => counts),
  logLines: (taskId, after) =>
    Effect.zipWith(
      manager.get(taskId),
      manager.logs(taskId, { after }),
      ({ taskName }, lines) => lines.map((line) => TaskView.logLine(line, taskName, redaction))
    ).pipe(Effect.catchTag("TaskNotFound", () => Effect.succeed([])))
})
