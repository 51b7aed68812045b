/** Backends and tables for many cases, one after the other. */
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
import type { Database } from "./sql.js"

// Which database it is stays.
const empty = (client: OpenClient, prefix: string) =>
  withClient(client, (one) =>
    one.withTransaction(Effect.forEach(
      tablesUnder(prefix),
      (name) => name.endsWith("_meta") ? Effect.void : one.unsafe(`DELETE FROM ${name}`)
    )))

/**
 * A prefix whose tables are made by the first case, emptied after each, and dropped after the last: to make and drop them takes
 * several times as long as a case.
 */
const prefixForEachCase = (client: OpenClient) => {
  const free: Array<string> = []
  const all = new Set<string>()
  afterAll(() => Effect.runPromise(Effect.forEach(all, (prefix) => dropTables(client, prefix))))
  return Effect.acquireRelease(
    Effect.sync(() => {
      const prefix = free.pop() ?? freshPrefix()
      all.add(prefix)
      return prefix
    }),
    // One that cannot be emptied is not used again.
    (prefix) =>
      Effect.matchCause(empty(client, prefix), {
        onFailure: () => undefined,
        onSuccess: () => free.push(prefix)
      })
  )
}

const forEachCase = (client: OpenClient, backend: (prefix: string) => Layer.Layer<TaskBackend, unknown>) =>
  Layer.unwrapScoped(Effect.map(prefixForEachCase(client), backend))

/** The place of a database that cases use one after the other, for those that leave the tables as they are. */
export const placeForEachCase = ({ kind, place, present }: Database): Database["place"] =>
  kind === "sqlite" || !present ? place : prefixForEachCase(kind === "mysql" ? mysqlClient : postgresClient)

export const postgresForEachCase = (): Layer.Layer<TaskBackend, unknown> =>
  forEachCase(postgresClient, (prefix) => PostgresBackend.layer({ ...postgres, prefix, maxConnections: 5 }))

export const mysqlForEachCase = (): Layer.Layer<TaskBackend, unknown> =>
  forEachCase(mysqlClient, (prefix) => MysqlBackend.layer({ ...mysql, prefix, maxConnections: 5 }))
