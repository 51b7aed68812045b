import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { BackendSuite } from "effect-taskflow/testing"
import * as SqliteBackend from "../../src/backend/SqliteBackend.js"

describe("SqliteBackend in memory keeps the promises of the port", () => {
  for (const one of BackendSuite.cases) {
    it.scoped(
      `${one.concern}: ${one.name}`,
      () => one.run.pipe(Effect.provide(SqliteBackend.layer({ filename: ":memory:" })))
    )
  }
})

const temporaryFile = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "taskflow-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
).pipe(Effect.map((folder) => join(folder, "tasks.db")))

describe("SqliteBackend in a file keeps the promises of the port", () => {
  const onFile = Layer.unwrapScoped(Effect.map(temporaryFile, (filename) => SqliteBackend.layer({ filename })))
  for (const one of BackendSuite.cases) {
    it.scoped(`${one.concern}: ${one.name}`, () => one.run.pipe(Effect.provide(onFile)))
  }
})
