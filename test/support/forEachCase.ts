/** Backends for many cases, one after the other, on tables that all of them share. */
import { Effect, Layer } from "effect"
import type { TaskBackend } from "effect-taskflow"
import { afterAll } from "vitest"
import * as MysqlBackend from "../../src/backend/MysqlBackend.js"
import * as PostgresBackend from "../../src/backend/PostgresBackend.js"
import {
  dropTables,
  freshPrefix,
  mysql,
  mysqlClient,
  type OpenClient,
  postgres,
  postgresClient,
  tablesUnder,
  withClient
} from "./databases.js"

/**
 * Its tables are made by the first case, emptied after each, and dropped after the last: to make and drop them takes several
 * times as long as a case.
 */
const forEachCase = (client: OpenClient, backend: (prefix: string) => Layer.Layer<TaskBackend, unknown>) => {
  const prefix = freshPrefix()
  afterAll(() => Effect.runPromise(dropTables(client, prefix)))
  const empty = withClient(
    client,
    (one) =>
      one.withTransaction(
        // Which database it is stays.
        Effect.forEach(tablesUnder(prefix), (name) =>
          name.endsWith("_meta") ? Effect.void : one.unsafe(`DELETE FROM ${name}`))
      )
  )
  return Layer.unwrapScoped(Effect.as(Effect.addFinalizer(() => empty), backend(prefix)))
}

export const postgresForEachCase = (): Layer.Layer<TaskBackend, unknown> =>
  forEachCase(postgresClient, (prefix) => PostgresBackend.layer({ ...postgres, prefix, maxConnections: 5 }))

export const mysqlForEachCase = (): Layer.Layer<TaskBackend, unknown> =>
  forEachCase(mysqlClient, (prefix) => MysqlBackend.layer({ ...mysql, prefix, maxConnections: 5 }))
