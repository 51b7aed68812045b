/** Everything the backend and the witness know when a run is over: read through the library, and through its tables. */
import { Context, Effect, Layer } from "effect"
import { type AttemptEntry, type Stats, TaskBackend, type TaskId, type TaskRecord } from "effect-taskflow"
import * as Effects from "./effects.js"
import { backendOf, clientOf, inspect, type Places } from "./places.js"

export interface State {
  readonly records: ReadonlyMap<string, TaskRecord.TaskRecord>
  /** Ids in the table of what has ended and in that of what has not, as often as they are there. */
  readonly done: ReadonlyArray<string>
  readonly live: ReadonlyArray<string>
  readonly rows: ReadonlyArray<Effects.EffectRow>
  readonly stats: Stats
  readonly attemptsOf: (taskId: string) => Effect.Effect<ReadonlyArray<AttemptEntry>>
}

export const read = ({ effects, tasks }: Places) =>
  Effect.gen(function*() {
    const backend = Context.get(yield* Layer.build(backendOf(tasks)), TaskBackend)
    const { done, live } = yield* inspect(tasks)
    const records = new Map<string, TaskRecord.TaskRecord>()
    let cursor: TaskId.TaskId | null | undefined = undefined
    do {
      const page: { readonly items: ReadonlyArray<TaskRecord.TaskRecord>; readonly nextCursor: TaskId.TaskId | null } =
        yield* backend.list({ limit: 200, order: "oldest", cursor })
      for (const record of page.items) records.set(record.taskId, record)
      cursor = page.nextCursor
    } while (cursor !== null)
    const state: State = {
      records,
      done: yield* done,
      live: yield* live,
      rows: yield* Effect.flatMap(clientOf(effects), (client) => Effects.read(client, effects)),
      stats: yield* backend.stats({}),
      attemptsOf: (taskId) => Effect.orElseSucceed(backend.attempts(taskId as TaskId.TaskId), () => [])
    }
    return state
  })
