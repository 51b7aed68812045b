/** A claim whose answer never came: what it took is found, run, and told of, also what came in a transaction. */
import { Reactivity } from "@effect/experimental"
import * as SqlClient from "@effect/sql/SqlClient"
import { expect, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Task, TaskBackend, TaskflowLayer, TaskManager } from "effect-taskflow"
import * as SqlBackend from "../src/backend/SqlBackend.js"
import { TaskBackendError } from "../src/TaskError.js"
import { collectedLogs } from "./support/engine.js"
import { databases } from "./support/sql.js"

const Job = Task.make("job", { payload: { n: Schema.Int }, success: Schema.Int })

for (const database of databases) {
  it.scopedLive.skipIf(!database.present)(`a lost claim on ${database.name} loses no Enqueued event`, () => {
    // The first claim that takes something is committed, and its answer is lost.
    let lost = 0
    const lossy = (backend: TaskBackend["Type"]): TaskBackend["Type"] => ({
      ...backend,
      claim: (request) =>
        Effect.flatMap(backend.claim(request), (claimed) =>
          lost === 0 && claimed.started.length > 0
            ? Effect.suspend(() => {
              lost += 1
              return Effect.fail(new TaskBackendError({ method: "claim", cause: new Error("no answer") }))
            })
            : Effect.succeed(claimed))
    })
    return Effect.flatMap(database.place, (place) => {
      const backend = Layer.effect(TaskBackend, Effect.map(TaskBackend, lossy)).pipe(
        Layer.provide(SqlBackend.layer({ prefix: database.prefix(place) }))
      )
      const app = Job.toLayer(({ n }) => Effect.succeed(n)).pipe(
        Layer.provideMerge(TaskflowLayer({ announce: false, shutdownTimeout: 0 })),
        Layer.provide(backend),
        Layer.provideMerge(Layer.scoped(SqlClient.SqlClient, database.open(place))),
        Layer.provide(Reactivity.layer)
      )
      return Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const manager = yield* TaskManager
        const told: Array<string> = []
        manager.tap(({ _tag, taskId }) => told.push(`${_tag} ${taskId}`))
        const { taskId } = yield* sql.withTransaction(Job.enqueue({ n: 7 }))
        expect(yield* Job.awaitResult(taskId)).toBe(7)
        expect(lost).toBe(1)
        expect(told.filter((one) => one === `Enqueued ${taskId}`)).toHaveLength(1)
      }).pipe(Effect.provide(app))
    }).pipe(Effect.provide(collectedLogs().layer))
  })
}
