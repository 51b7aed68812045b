/** Everything that is kept when a run is over: read through the library, through its tables, and of the application's own. */
import { Context, Effect, Layer } from "effect"
import {
  type AttemptEntry,
  type InstanceInfo,
  type Stats,
  TaskBackend,
  type TaskId,
  type TaskRecord
} from "effect-taskflow"
import * as Books from "./books.js"
import { backendOf, clientOf, inspect, type Place } from "./places.js"

export interface State {
  readonly records: ReadonlyMap<string, TaskRecord.TaskRecord>
  /** Ids in the table of what has ended and in that of what has not, as often as they are there. */
  readonly done: ReadonlyArray<string>
  readonly live: ReadonlyArray<string>
  /** The attempts of the tasks that had more than one. */
  readonly ledger: ReadonlyMap<string, ReadonlyArray<AttemptEntry>>
  readonly stats: Stats
  readonly instances: ReadonlyArray<InstanceInfo>
  /** Null where there is no SQL. */
  readonly books: Books.Books | null
}

export interface Reading extends State {
  readonly attemptsOf: (taskId: string) => Effect.Effect<ReadonlyArray<AttemptEntry>>
}

export const read = (place: Place) =>
  Effect.gen(function*() {
    const backend = Context.get(yield* Layer.build(backendOf(place)), TaskBackend)
    const { done, live } = yield* inspect(place)
    const records = new Map<string, TaskRecord.TaskRecord>()
    let cursor: TaskId.TaskId | null | undefined = undefined
    do {
      const page: { readonly items: ReadonlyArray<TaskRecord.TaskRecord>; readonly nextCursor: TaskId.TaskId | null } =
        yield* backend.list({ limit: 200, order: "oldest", cursor })
      for (const record of page.items) records.set(record.taskId, record)
      cursor = page.nextCursor
    } while (cursor !== null)
    const repeated = [...records.values()].filter(({ attempts }) => attempts > 1)
    const entries = yield* Effect.forEach(repeated, ({ taskId }) =>
      Effect.map(backend.attempts(taskId), (all) => [taskId as string, all] as const))
    const state: Reading = {
      records,
      ledger: new Map(entries),
      done: yield* done,
      live: yield* live,
      stats: yield* backend.stats({}),
      instances: yield* backend.instances,
      books: place.kind === "redis"
        ? null
        : yield* Effect.flatMap(clientOf(place), (client) =>
          Books.read(client, place)),
      attemptsOf: (taskId) => Effect.orElseSucceed(backend.attempts(taskId as TaskId.TaskId), () => []) // safe: of a record
    }
    return state
  })
