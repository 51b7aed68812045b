/** A transaction of the application that holds up the engine on SQLite. */
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { TaskBackend, TaskflowLayer, TaskManager } from "effect-taskflow"
import { collectedLogs } from "../support/engine.js"
import { backendOn, databases } from "../support/sql.js"
import { testOn } from "../support/testOn.js"

const sqlite = databases.find(({ name }) => name === "SQLite")!

describe("a transaction on the engine's own SQLite client", () => {
  it("has a database to be tried on", () => expect(sqlite).toBeDefined())

  testOn(sqlite)(
    "that lasts longer than half a lease is warned of, with how long the engine has waited",
    (place) =>
      Effect.gen(function*() {
        const logs = collectedLogs()
        const client = yield* place.open
        const backend = yield* backendOn(client, place)
        yield* Effect.gen(function*() {
          const context = yield* Layer.build(
            TaskflowLayer({ announce: false, lease: "1 second" }).pipe(
              Layer.provide(Layer.succeed(TaskBackend, backend))
            )
          )
          Context.get(context, TaskManager)
          const warned = Effect.sync(() => logs.lines.some(({ message }) => /a heartbeat failed/.test(message)))
          const until: Effect.Effect<void> = Effect.flatMap(warned, (so) =>
            so ? Effect.void : Effect.zipRight(Effect.sleep("10 millis"), until))
          // Open until it was warned of.
          yield* client.withTransaction(Effect.zipRight(client`SELECT 1`, until))
        }).pipe(Effect.provide(logs.layer))
        const words = logs.lines.map(({ message }) =>
          message
        ).join(" ")
        expect(words).toMatch(/a heartbeat failed, after \d{3,} ms: has a transaction been open for so long\?/)
      })
  )
})
