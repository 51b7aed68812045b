/**
 * The public API against a pure model of it: random commands, with crashes and restarts between them, on memory and SQLite. A
 * failure prints its seed and the shortest commands that show it. `MODEL_ROUNDS=1000 FAST_CHECK_SEED=random npx vitest run test/model` looks
 * for longer.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Context, Effect, FastCheck as fc, Layer, Logger, LogLevel, TestContext } from "effect"
import { TaskBackend } from "effect-taskflow"
import { SqliteBackend } from "effect-taskflow/sqlite"
import { describe, it } from "vitest"
import { sharedBackend } from "../support/engine.js"
import { commands } from "./command.js"
import { interpret } from "./interpret.js"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "taskflow-model-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** A store that outlives engines: gives how one more of them comes to it. How many rounds a gate has time for. */
const stores = [
  { name: "memory", rounds: 16, store: Effect.map(sharedBackend, (backend) => Effect.sync(() => ({ ...backend }))) },
  {
    name: "SQLite",
    rounds: 6,
    store: Effect.map(folder, (path) =>
      Effect.map(
        Layer.build(SqliteBackend.layer({ filename: join(path, "tasks.db") })),
        (context) => Context.get(context, TaskBackend)
      ))
  }
]

const rounds = process.env["MODEL_ROUNDS"]

describe("the public API does what its model says", () => {
  for (const { name, rounds: usual, store } of stores) {
    it(`on ${name}, whatever is asked and whenever it crashes`, () =>
      fc.assert(
        fc.asyncProperty(commands, (some) =>
          Effect.runPromise(
            Effect.flatMap(store, (connect) => interpret(some, connect)).pipe(
              Effect.scoped,
              Effect.provide(Layer.merge(TestContext.TestContext, Logger.minimumLogLevel(LogLevel.None)))
            )
          )),
        { numRuns: rounds === undefined ? usual : Number(rounds), endOnFailure: false }
      ), 600_000)
  }
})
