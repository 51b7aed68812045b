/**
 * @effect/workflow on @effect/cluster's single runner, as the readme of @effect/workflow has it with `SingleRunner.layer` in
 * place of a cluster of sockets. A task is a workflow without activities. There is no bulk enqueue, and nothing waits for a
 * handler that is not there yet, so neither bulk nor drain is measured.
 */
import {
  ClusterWorkflowEngine,
  RunnerHealth,
  Runners,
  RunnerStorage,
  Sharding,
  ShardingConfig,
  SqlMessageStorage
} from "@effect/cluster"
import { SqlClient } from "@effect/sql/SqlClient"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Workflow } from "@effect/workflow"
import { Effect, Layer, Logger, LogLevel, ManagedRuntime, Schema } from "effect"
import { fileOf, postgres } from "../support/places.mjs"

const Noop = Workflow.make({
  name: "Noop",
  payload: { id: Schema.Number, to: Schema.String, note: Schema.String },
  idempotencyKey: ({ id }) => String(id)
})

/** `SingleRunner.layer` with a prefix of its own. @param {string} prefix */
const runner = (prefix) =>
  Sharding.layer.pipe(
    Layer.provideMerge(Runners.layerNoop),
    Layer.provideMerge(SqlMessageStorage.layerWith({ prefix })),
    Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
    Layer.provide(ShardingConfig.layer())
  )

/** @param {import("../support/peer.mjs").Opening} opening */
export const open = async ({ place }) => {
  const sql = place.kind === "sqlite"
    ? SqliteClient.layer({ filename: fileOf(place) })
    : PgClient.layer({ ...postgres, username: postgres.user })
  // There from the start: an entity has to be registered before messages for it are taken.
  let onRun = () => {}
  const workflow = Noop.toLayer((payload) => Effect.sync(() => onRun(payload)))
  const runtime = ManagedRuntime.make(
    workflow.pipe(
      Layer.provideMerge(ClusterWorkflowEngine.layer),
      Layer.provideMerge(runner(place.name)),
      Layer.provideMerge(sql),
      Layer.provide(Logger.minimumLogLevel(LogLevel.Warning))
    )
  )
  await runtime.runPromise(Effect.void)
  const each = (payloads) =>
    Effect.forEach(payloads, (payload) => Noop.execute(payload, { discard: true }), { discard: true })
  const atOnce = (payloads) =>
    Effect.forEach(payloads, (payload) => Noop.execute(payload, { discard: true }), { discard: true, concurrency: 64 })
  return {
    enqueueEach: (payloads) => runtime.runPromise(each(payloads)),
    enqueueMany: (payloads) => runtime.runPromise(atOnce(payloads)),
    work: async (run) => {
      onRun = run
      return async () => {}
    },
    unfinished: () =>
      runtime.runPromise(Effect.map(
        Effect.flatMap(SqlClient, (client) =>
          client`SELECT count(*) AS count FROM ${client(`${place.name}_messages`)}
            WHERE kind = 0 AND processed = ${place.kind === "sqlite" ? 0 : false}`),
        ([row]) => Number(row.count)
      )),
    close: () => runtime.dispose()
  }
}
