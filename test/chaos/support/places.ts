/** Where a run keeps its tasks, and how its processes and the judge get there. Plain data: it travels to the processes. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Reactivity } from "@effect/experimental"
import * as SqlClient from "@effect/sql/SqlClient"
import { MysqlClient } from "@effect/sql-mysql2"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Effect, Layer, type Scope } from "effect"
import type { TaskBackend } from "effect-taskflow"
import * as RedisBackend from "../../../src/backend/RedisBackend.js"
import * as SqlBackend from "../../../src/backend/SqlBackend.js"
import {
  mysql,
  mysqlPrefix,
  postgres,
  postgresPrefix,
  redis,
  redisClient,
  redisPrefix
} from "../../support/databases.js"

export const kinds = ["sqlite", "postgres", "mariadb", "redis"] as const
export type Kind = typeof kinds[number]

/** Where SQL is spoken. */
export type SqlPlace =
  | { readonly kind: "sqlite"; readonly filename: string; readonly prefix: string }
  | { readonly kind: "postgres" | "mariadb"; readonly port: number; readonly database: string; readonly prefix: string }

export type Place = SqlPlace | { readonly kind: "redis"; readonly port: number; readonly prefix: string }

/** A folder that is removed when the scope ends. */
export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "taskflow-chaos-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** An empty place on the servers that tests use, gone when the scope ends. */
export const fresh = (kind: Kind, files: string): Effect.Effect<Place, never, Scope.Scope> =>
  Effect.gen(function*() {
    switch (kind) {
      case "sqlite":
        return { kind, filename: join(files, "tasks.db"), prefix: "taskflow_" }
      case "postgres":
        return { kind, port: postgres.port, database: postgres.database, prefix: yield* postgresPrefix }
      case "mariadb":
        return { kind, port: mysql.port, database: mysql.database, prefix: yield* mysqlPrefix }
      case "redis":
        return { kind, port: redis.port, prefix: yield* redisPrefix }
    }
  })

/** A client of the application's own. */
export const clientOf = (place: SqlPlace): Effect.Effect<SqlClient.SqlClient, unknown, Scope.Scope> => {
  const make = (): Effect.Effect<SqlClient.SqlClient, unknown, Scope.Scope | Reactivity.Reactivity> => {
    switch (place.kind) {
      case "sqlite":
        // The driver would wait with the whole process standing still, heartbeats and all.
        return Effect.tap(
          SqliteClient.make({ filename: place.filename }),
          (client) => client.unsafe("PRAGMA busy_timeout = 0")
        )
      case "postgres":
        return PgClient.make({ ...postgres, port: place.port, database: place.database, maxConnections: 6 })
      case "mariadb":
        return MysqlClient.make({ ...mysql, port: place.port, database: place.database, maxConnections: 6 })
    }
  }
  return Effect.provide(make(), Reactivity.layer)
}

export const clientLayer = (place: SqlPlace): Layer.Layer<SqlClient.SqlClient, unknown> =>
  Layer.scoped(SqlClient.SqlClient, clientOf(place))

/** The backend there, as an application would have it: of SQL on the application's own client. */
export const backendOf = (place: Place): Layer.Layer<TaskBackend, unknown> =>
  place.kind === "redis"
    ? RedisBackend.layer({ ...redis, port: place.port, prefix: place.prefix })
    : Layer.provide(SqlBackend.layer({ prefix: place.prefix }), clientLayer(place))

/** Looks at what is kept, beside the library. Lists have an id as often as it is there. */
export interface Inspector {
  readonly unfinished: Effect.Effect<number, unknown>
  readonly live: Effect.Effect<ReadonlyArray<string>, unknown>
  readonly done: Effect.Effect<ReadonlyArray<string>, unknown>
}

const sqlInspector = (sql: SqlClient.SqlClient, { prefix }: SqlPlace): Inspector => {
  const idsIn = (table: string) =>
    Effect.map(sql<{ id: string }>`SELECT id FROM ${sql(table)}`, (rows) => rows.map(({ id }) => id))
  return {
    unfinished: Effect.map(
      sql<{ n: number | string }>`SELECT COUNT(*) AS n FROM ${sql(`${prefix}live`)}`,
      ([row]) => Number(row?.n)
    ),
    live: idsIn(`${prefix}live`),
    done: idsIn(`${prefix}done`)
  }
}

const redisInspector = ({ port, prefix }: { readonly port: number; readonly prefix: string }) =>
  Effect.map(redisClient({ ...redis, port }), (client): Inspector => {
    const idsIn = (...statuses: ReadonlyArray<string>) =>
      Effect.tryPromise(async () => {
        const lists = await Promise.all(statuses.map((status) => client.zrange(`{${prefix}}:s:${status}`, 0, -1)))
        return lists.flat()
      })
    const live = idsIn("pending", "running")
    return {
      unfinished: Effect.map(live, (ids) => ids.length),
      live,
      done: idsIn("success", "failed", "interrupted", "cancelled")
    }
  })

export const inspect = (place: Place): Effect.Effect<Inspector, unknown, Scope.Scope> =>
  place.kind === "redis" ? redisInspector(place) : Effect.map(clientOf(place), (sql) => sqlInspector(sql, place))
