/** One process of the fleet under fire: the application with its engine, or the one that follows the feed. */
import { NodeRuntime } from "@effect/platform-node"
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect, Layer, Logger, Schedule } from "effect"
import { TaskflowLayer } from "effect-taskflow"
import * as RedisBackend from "../../src/backend/RedisBackend.js"
import * as SqlBackend from "../../src/backend/SqlBackend.js"
import { redis } from "../support/databases.js"
import * as Follower from "./support/follower.js"
import * as Handlers from "./support/handlers.js"
import type { FromWorker, Orders, ToWorker } from "./support/orders.js"
import { clientLayer } from "./support/places.js"
import * as Producer from "./support/producer.js"
import { watchSqlite } from "./support/sqliteFaults.js"
import * as Witness from "./support/witness.js"

const orders = JSON.parse(process.argv[2]!) as Orders // safe: the supervisor wrote it
const { lease, place, role } = orders
const say = Witness.writer(orders.files, orders.life)

// Nobody is left to judge, and nobody would end this process.
process.on("disconnect", () => process.exit(1))

// Before anything opens the file.
const disk = place.kind === "sqlite" ? watchSqlite(place.filename) : null
disk?.set(orders.disk)

let quiet = orders.rate === 0
let go = () => {}
const told = new Promise<void>((resolve) => {
  go = resolve
})
process.on("message", (message: ToWorker) => {
  switch (message._tag) {
    case "Go":
      return go()
    case "Quiet":
      quiet = true
      return
    case "Disk":
      disk?.set(message.fault)
      return
    case "Block": {
      const until = performance.now() + message.millis
      while (performance.now() < until);
    }
  }
})

const engine = TaskflowLayer({
  lease,
  sameHostDetection: orders.sameHost,
  maxConcurrentTasks: 30,
  shutdownTimeout: "3 seconds",
  // Short, so that some callers are told during an outage that it is not known whether their task is there.
  journal: { maxOutage: "3 seconds" },
  unhandledAfter: "1 hour",
  appVersion: orders.deployment,
  announce: false
})

const memory = Effect.repeat(
  Effect.sync(() => say({ what: "memory", rss: process.memoryUsage.rss() })),
  Schedule.spaced("1 second")
)

const ready = () => {
  process.send!({ _tag: "Ready" } satisfies FromWorker)
}
const begun = Effect.suspend(() => {
  ready()
  return orders.waits ? Effect.promise(() => told) : Effect.void
})

const producing = (sql: SqlClient.SqlClient | null) =>
  Layer.scopedDiscard(
    Effect.forkScoped(Effect.zipRight(begun, Producer.make({ orders, say, sql, isQuiet: () => quiet })))
  )

const following = Layer.scopedDiscard(
  Effect.forkScoped(Follower.make(orders.seed, say, ready))
)

const beside = Layer.scopedDiscard(Effect.forkScoped(memory))

// When a process does not end its last words say what it waits for.
const closed = (what: string) => Layer.scopedDiscard(Effect.addFinalizer(() => Effect.logInfo(`${what} has closed`)))
const telling = <A, E, R>(layer: Layer.Layer<A, E, R>, what: string) => Layer.provide(layer, closed(what))

// Beside the engine, so that the process goes on working when everything is enqueued.
const Main = () => {
  if (place.kind === "redis") {
    const backend = RedisBackend.layer({ ...redis, port: place.port, prefix: place.prefix })
    const handlers = Handlers.layer(orders, say)
    const work = role === "follower" ? following : Layer.provide(producing(null), handlers)
    return Layer.merge(telling(work, "the work"), beside).pipe(
      Layer.provide(telling(engine, "the engine")),
      Layer.provide(telling(backend, "the backend"))
    )
  }
  const client = clientLayer(place)
  const producer = Layer.unwrapEffect(Effect.map(SqlClient.SqlClient, producing))
  const work = role === "follower" ? following : Layer.provide(producer, Handlers.sqlLayer(orders, say, place))
  return Layer.merge(telling(work, "the work"), beside).pipe(
    Layer.provide(telling(engine, "the engine")),
    Layer.provide(telling(SqlBackend.layer({ prefix: place.prefix }), "the backend")),
    Layer.provide(telling(client, "the client"))
  )
}

NodeRuntime.runMain(Effect.provide(Layer.launch(Main()), Logger.logFmt), { disablePrettyLogger: true })
