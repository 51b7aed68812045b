/** Where a run keeps its tasks, and how its processes and the judge get there. Plain data: it travels to the workers. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Reactivity } from "@effect/experimental"
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { MysqlClient } from "@effect/sql-mysql2"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import type { ConfigError, Layer } from "effect"
import { Effect, type Scope } from "effect"
import type { TaskBackend, TaskBackendError } from "effect-taskflow"
import * as MysqlBackend from "../../../src/backend/MysqlBackend.js"
import * as PostgresBackend from "../../../src/backend/PostgresBackend.js"
import * as RedisBackend from "../../../src/backend/RedisBackend.js"
import * as SqliteBackend from "../../../src/backend/SqliteBackend.js"
import {
  mysql,
  mysqlPrefix,
  postgres,
  postgresPrefix,
  redis,
  redisClient,
  redisPrefix
} from "../../support/databases.js"

export const kinds = ["sqlite", "postgres", "mysql", "redis"] as const
export type Kind = typeof kinds[number]

/** Where SQL is spoken: effects are always in such a place. */
export type SqlPlace =
  | { readonly kind: "sqlite"; readonly filename: string; readonly prefix: string }
  | { readonly kind: "postgres"; readonly port: number; readonly database: string; readonly prefix: string }
  | { readonly kind: "mysql"; readonly prefix: string }

export type Place = SqlPlace | { readonly kind: "redis"; readonly port: number; readonly prefix: string }

/** What processes are told: where tasks are, and where they write down what they did. */
export interface Places {
  readonly tasks: Place
  readonly effects: SqlPlace
}

/** A folder that is removed when the scope ends. */
export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "taskflow-chaos-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** An empty place for tasks and one for effects, both gone when the scope ends. SQLite: a file each, so a lock each. */
export const fresh = (kind: Kind, files: string): Effect.Effect<Places, never, Scope.Scope> =>
  Effect.gen(function*() {
    const file = (name: string): SqlPlace => ({ kind: "sqlite", filename: join(files, name), prefix: "taskflow_" })
    if (kind === "sqlite") return { tasks: file("tasks.db"), effects: file("effects.db") }
    if (kind === "redis") {
      return { tasks: { kind, port: redis.port, prefix: yield* redisPrefix }, effects: file("effects.db") }
    }
    const tasks: SqlPlace = kind === "postgres"
      ? { kind, port: postgres.port, database: postgres.database, prefix: yield* postgresPrefix }
      : { kind, prefix: yield* mysqlPrefix }
    return { tasks, effects: tasks }
  })

/** The backend there, as an application would have it. */
export const backendOf = (place: Place): Layer.Layer<TaskBackend, TaskBackendError> => {
  switch (place.kind) {
    case "sqlite":
      return SqliteBackend.layer({ filename: place.filename, prefix: place.prefix })
    case "postgres": {
      const { database, port, prefix } = place
      return PostgresBackend.layer({ ...postgres, port, database, prefix, maxConnections: 5 })
    }
    case "mysql":
      return MysqlBackend.layer({ ...mysql, prefix: place.prefix, maxConnections: 5 })
    case "redis":
      return RedisBackend.layer({ ...redis, port: place.port, prefix: place.prefix })
  }
}

/** A client beside the library's: for effects and for looking at its tables. */
export const clientOf = (
  place: SqlPlace
): Effect.Effect<SqlClient, SqlError | ConfigError.ConfigError, Scope.Scope> => {
  const make = (): Effect.Effect<
    SqlClient,
    SqlError | ConfigError.ConfigError,
    Scope.Scope | Reactivity.Reactivity
  > => {
    switch (place.kind) {
      case "sqlite":
        // Nobody cuts the power here: the end of a process takes nothing that the kernel has.
        return Effect.tap(
          SqliteClient.make({ filename: place.filename }),
          (client) => client.unsafe("PRAGMA synchronous = OFF")
        )
      case "postgres":
        return PgClient.make({ ...postgres, port: place.port, database: place.database, maxConnections: 3 })
      case "mysql":
        return MysqlClient.make({ ...mysql, maxConnections: 3 })
    }
  }
  return Effect.provide(make(), Reactivity.layer)
}

/** Looks at what is kept, beside the library. Lists have an id as often as it is there. */
export interface Inspector {
  readonly unfinished: Effect.Effect<number, unknown>
  readonly live: Effect.Effect<ReadonlyArray<string>, unknown>
  readonly done: Effect.Effect<ReadonlyArray<string>, unknown>
}

const sqlInspector = (sql: SqlClient, { prefix }: SqlPlace): Inspector => {
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
