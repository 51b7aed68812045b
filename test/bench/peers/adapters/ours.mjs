/**
 * effect-taskflow with as many slots as its guide says for many short tasks, and everything that it brings: records, events,
 * TaskContext, log capture, a lease, the change feed, schemas on both sides. On SQLite `synchronous` is what the peer's name says.
 */
import { Effect, Exit, Layer, Logger, LogLevel, ManagedRuntime, Schema, Scope } from "effect"
import { Task, TaskBackend, TaskflowLayer } from "../dist/index.js"
import { MysqlBackend } from "../dist/mysql.js"
import { PostgresBackend } from "../dist/postgres.js"
import { RedisBackend } from "../dist/redis.js"
import { SqliteBackend } from "../dist/sqlite.js"
import { fileOf, mysql, postgres, redis } from "../support/places.mjs"

const Noop = Task.make("bench.noop", { payload: { id: Schema.Number, to: Schema.String, note: Schema.String } })

const backends = {
  sqlite: (place, synchronous) => SqliteBackend.layer({ filename: fileOf(place), synchronous }),
  postgres: (place) => PostgresBackend.layer({ ...postgres, username: postgres.user, prefix: `${place.name}_` }),
  mysql: (place) => MysqlBackend.layer({ ...mysql, prefix: `${place.name}_` }),
  redis: (place) => RedisBackend.layer({ ...redis, prefix: `${place.name}_` })
}

const warnings = Logger.replace(
  Logger.defaultLogger,
  Logger.make(({ logLevel, message }) => {
    if (LogLevel.greaterThanEqual(logLevel, LogLevel.Warning)) process.stderr.write(`${logLevel.label}: ${message}\n`)
  })
)

/** @param {import("../support/peer.mjs").Opening} opening */
export const open = async ({ place, slots, synchronous }) => {
  // Tasks wait for a handler that comes later: that is what enqueue alone and drain need.
  const engine = TaskflowLayer({ unhandledAfter: "1 hour", announce: false, maxConcurrentTasks: slots })
  const runtime = ManagedRuntime.make(
    engine.pipe(
      Layer.provideMerge(backends[place.kind](place, synchronous)),
      Layer.provide(warnings)
    )
  )
  await runtime.runPromise(Effect.void)
  return {
    enqueueEach: (payloads) =>
      runtime.runPromise(Effect.forEach(payloads, (payload) => Noop.enqueue(payload), { discard: true })),
    enqueueMany: (payloads) => runtime.runPromise(Noop.enqueueMany(payloads)),
    work: async (run) => {
      const scope = Effect.runSync(Scope.make())
      const handler = Layer.provide(Noop.toLayer((payload) => Effect.sync(() => run(payload))), warnings)
      await runtime.runPromise(Scope.extend(Layer.build(handler), scope))
      return () => runtime.runPromise(Scope.close(scope, Exit.void))
    },
    unfinished: () =>
      runtime.runPromise(Effect.map(
        Effect.flatMap(TaskBackend, (backend) => backend.unfinished),
        ({ tasks }) => tasks.reduce((sum, { pending, running }) => sum + pending + running, 0)
      )),
    close: () => runtime.dispose()
  }
}
