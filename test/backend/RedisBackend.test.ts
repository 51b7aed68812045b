import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { BackendSuite } from "effect-taskflow/testing"
import { freshRedis, hasRedis } from "../support/databases.js"

describe.skipIf(!await hasRedis())("RedisBackend keeps the promises of the port", () => {
  for (const one of BackendSuite.cases) {
    it.scoped(`${one.concern}: ${one.name}`, () => one.run.pipe(Effect.provide(freshRedis)), 60_000)
  }
})
