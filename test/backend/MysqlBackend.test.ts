import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { BackendSuite } from "effect-taskflow/testing"
import { freshMysql, hasMysql } from "../support/databases.js"

describe.skipIf(!await hasMysql())("MysqlBackend keeps the promises of the port", () => {
  for (const one of BackendSuite.cases) {
    it.scoped(`${one.concern}: ${one.name}`, () => one.run.pipe(Effect.provide(freshMysql)), 60_000)
  }
})
