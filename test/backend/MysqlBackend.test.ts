import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { BackendSuite } from "effect-taskflow/testing"
import { hasMysql } from "../support/databases.js"
import { mysqlForEachCase } from "../support/forEachCase.js"

describe.skipIf(!await hasMysql())("MysqlBackend keeps the promises of the port", () => {
  const backend = mysqlForEachCase()
  for (const one of BackendSuite.cases) {
    it.scoped(`${one.concern}: ${one.name}`, () => one.run.pipe(Effect.provide(backend)), 120_000)
  }
})
