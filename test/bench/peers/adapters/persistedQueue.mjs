/**
 * Effect's PersistedQueue on SQLite, PostgreSQL or Redis. There is no page of settings: `pollInterval` is from its types, in
 * place of the default of a second, and a hundred takers, since it claims as many as wait. It has no way to put in several:
 * on SQLite one transaction is around them, elsewhere they are all on their way at once, which is faster there. Finished
 * elements are kept as rows in SQL, and gone in Redis, but for their ids.
 */
import { PersistedQueue } from "@effect/experimental"
import * as RedisQueue from "@effect/experimental/PersistedQueue/Redis"
import { SqlClient } from "@effect/sql/SqlClient"
import * as SqlQueue from "@effect/sql/SqlPersistedQueue"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Effect, Fiber, Layer, ManagedRuntime, Schema } from "effect"
import { fileOf, postgres, redis, withRedis } from "../support/places.mjs"

export const takers = 100
const pollInterval = "1 millis"

const clients = {
  sqlite: (place) => SqliteClient.layer({ filename: fileOf(place) }),
  postgres: () => PgClient.layer({ ...postgres, username: postgres.user })
}

/** @param {import("../support/peer.mjs").Opening} opening */
export const open = async ({ place }) => {
  const onRedis = place.kind === "redis"
  const table = `${place.name}_queue`
  const sql = onRedis ? Layer.empty : Layer.orDie(clients[place.kind](place))
  const store = onRedis
    ? RedisQueue.layerStore({ ...redis, prefix: `${place.name}:`, pollInterval })
    : SqlQueue.layerStore({ tableName: table, pollInterval })
  const runtime = ManagedRuntime.make(Layer.provideMerge(PersistedQueue.layer.pipe(Layer.provide(store)), sql))
  const schema = Schema.Struct({ id: Schema.Number, to: Schema.String, note: Schema.String })
  const queue = await runtime.runPromise(PersistedQueue.make({ name: "noop", schema }))
  const each = (payloads) => Effect.forEach(payloads, (payload) => queue.offer(payload), { discard: true })
  const many = (payloads) =>
    place.kind === "sqlite"
      ? Effect.flatMap(SqlClient, (client) => client.withTransaction(each(payloads)))
      : Effect.forEach(payloads, (payload) => queue.offer(payload), { discard: true, concurrency: "unbounded" })
  return {
    enqueueEach: (payloads) => runtime.runPromise(each(payloads)),
    enqueueMany: (payloads) => runtime.runPromise(many(payloads)),
    work: async (run) => {
      const taker = Effect.forever(queue.take((payload) => Effect.sync(() => run(payload))))
      const fiber = runtime.runFork(Effect.all(Array.from({ length: takers }, () => taker), {
        concurrency: "unbounded",
        discard: true
      }))
      return () => runtime.runPromise(Effect.asVoid(Fiber.interrupt(fiber)))
    },
    unfinished: () =>
      onRedis
        ? withRedis(async (client) =>
          (await client.llen(`${place.name}:noop`)) + (await client.hlen(`${place.name}:noop:pending`)) +
          (await client.llen(`${place.name}:noop:failed`))
        )
        : runtime.runPromise(Effect.map(
          Effect.flatMap(SqlClient, (client) =>
            client`SELECT count(*) AS count FROM ${client(table)}
              WHERE queue_name = 'noop' AND completed = ${place.kind === "sqlite" ? 0 : false}`),
          ([row]) => Number(row.count)
        )),
    close: () => runtime.dispose()
  }
}
