import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { BackendSuite } from "effect-taskflow/testing"
import { hasPostgres } from "../support/databases.js"
import { postgresForEachCase } from "../support/forEachCase.js"

describe.skipIf(!await hasPostgres())("PostgresBackend keeps the promises of the port", () => {
  const backend = postgresForEachCase()
  for (const one of BackendSuite.cases) {
    it.scoped(`${one.concern}: ${one.name}`, () => one.run.pipe(Effect.provide(backend)), 120_000)
  }
})
