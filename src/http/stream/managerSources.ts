/**
 * What the hub tells of, from a TaskManager.
 */
import * as Effect from "effect/Effect"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Backoff from "../../internal/backoff.js"
import type { TaskChanges } from "../../TaskFeed.js"
import type { TaskManager } from "../../TaskManager.js"
import { groupsOf } from "../attention.js"
import type { Redaction } from "../TaskRedaction.js"
import * as TaskView from "../TaskView.js"
import type { Digests } from "./fleet.js"
import type { StreamHubOptions } from "./StreamHub.js"

type Manager = Pick<TaskManager["Type"], "changes" | "changesAfter" | "errors" | "get" | "logs" | "stats">
type FleetManager = Pick<TaskManager["Type"], "instances" | "pauses" | "registered" | "schedules">

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

// Of more schedules than these it is not told that they changed: whoever shows them asks now and then.
const mostSchedules = 200

const digest = (facts: unknown): string => String(Hash.string(JSON.stringify(facts)))

/** The fleet in short: its pauses, its instances and how busy they are, the names that have handlers, its schedules. */
export const fleet = (manager: FleetManager) => (all: boolean): Effect.Effect<Digests, unknown> =>
  Effect.gen(function*() {
    const { awaiting, paused } = yield* manager.pauses
    const instances = yield* manager.instances
    const registered = yield* manager.registered
    const names = new Set(registered.map(({ taskName }) => taskName))
    for (const { state, vitals } of instances) if (state === "live") vitals?.tasks?.forEach((name) => names.add(name))
    const digests = {
      pauses: digest([paused.map(({ since, target }) => [target, since]), awaiting]),
      instances: digest(instances.map(({ beat, draining, id, state, vitals }) => [
        id,
        state,
        draining,
        beat,
        vitals?.slots,
        vitals?.waiting
      ])),
      definitions: digest([...names].sort())
    }
    if (!all) return digests
    const { items } = yield* manager.schedules.list({ limit: mostSchedules })
    return {
      ...digests,
      // That somebody said again that it stands is no news.
      schedules: digest(items.map(({ definedAt, lastSlot, lastTask, name, pausedAt, retiredAt }) => [
        name,
        definedAt,
        lastSlot,
        lastTask,
        pausedAt,
        retiredAt
      ]))
    }
  })
