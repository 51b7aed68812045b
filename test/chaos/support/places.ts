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
import * as SqliteBackend from "../../../src/backend/SqliteBackend.js"
import { mysql, mysqlPrefix, postgres, postgresPrefix } from "../../support/databases.js"

export const kinds = ["sqlite", "postgres", "mysql"] as const
export type Kind = typeof kinds[number]

export type Place =
  | { readonly kind: "sqlite"; readonly filename: string; readonly prefix: string }
  | { readonly kind: "postgres"; readonly port: number; readonly database: string; readonly prefix: string }
  | { readonly kind: "mysql"; readonly prefix: string }

/** A folder that is removed when the scope ends. */
export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "taskflow-chaos-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** An empty place for tasks and one for effects, both gone when the scope ends. SQLite: a file each, so a lock each. */
export const fresh = (kind: Kind, files: string) =>
  Effect.gen(function*() {
    if (kind === "sqlite") {
      const at = (name: string): Place => ({ kind, filename: join(files, name), prefix: "taskflow_" })
      return { tasks: at("tasks.db"), effects: at("effects.db") }
    }
    const tasks: Place = kind === "postgres"
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
  }
}

/** A client beside the library's: for effects and for looking at its tables. */
export const clientOf = (
  place: Place
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
