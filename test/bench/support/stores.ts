/**
 * The databases that benchmarks run on: tables of their own for each measurement, gone afterwards.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Reactivity } from "@effect/experimental"
import type { SqlClient } from "@effect/sql/SqlClient"
import { MysqlClient } from "@effect/sql-mysql2"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Effect, type Layer, type Scope } from "effect"
import type { TaskBackend } from "effect-taskflow"
import * as MysqlBackend from "../../../src/backend/MysqlBackend.js"
import * as PostgresBackend from "../../../src/backend/PostgresBackend.js"
import * as SqliteBackend from "../../../src/backend/SqliteBackend.js"
import { hasMysql, hasPostgres, mysql, mysqlPrefix, postgres, postgresPrefix } from "../../support/databases.js"

export type Kind = "sqlite" | "postgres" | "mysql"

/** Where tasks are: a file of SQLite, a prefix of the tables on a server. */
export interface Store {
  readonly kind: Kind
  readonly place: string
  /** SQLite only: every commit waits for the disk. */
  readonly full?: boolean
}

/** Connections of one engine at most, as these benchmarks set it. */
export const maxConnections = 5

/** What the server calls the connections of the process with this id; only PostgreSQL is told. */
export const applicationName = `taskflow-bench-${process.pid}`

const kinds: ReadonlyArray<string> = ["sqlite", "postgres", "mysql"] satisfies ReadonlyArray<Kind>
const isKind = (text: string): text is Kind => kinds.includes(text)

/** What BENCH_BACKENDS names and is there; a server that is not says so. */
export const available = async (): Promise<ReadonlyArray<Kind>> => {
  const named = (process.env["BENCH_BACKENDS"] ?? kinds.join(",")).split(",").map((name) => name.trim())
  const there: Array<Kind> = []
  for (const name of named) {
    if (!isKind(name)) throw new Error(`BENCH_BACKENDS: ${name} is none of ${kinds.join(", ")}`)
    if (name === "sqlite" || await (name === "postgres" ? hasPostgres() : hasMysql())) there.push(name)
  }
  return there
}

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "taskflow-bench-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Empty, and gone when the scope closes. */
export const fresh = (kind: Kind): Effect.Effect<Store, never, Scope.Scope> => {
  const place = kind === "sqlite"
    ? Effect.map(folder, (path) => join(path, "tasks.db"))
    : kind === "postgres"
    ? postgresPrefix
    : mysqlPrefix
  return Effect.map(place, (found) => ({ kind, place: found }))
}

/** A backend on it. */
export const backend = ({ full, kind, place }: Store): Layer.Layer<TaskBackend, unknown> => {
  switch (kind) {
    case "sqlite":
      return SqliteBackend.layer({ filename: place, synchronous: full === true ? "full" : "normal" })
    case "postgres":
      return PostgresBackend.layer({ ...postgres, prefix: place, maxConnections, applicationName })
    case "mysql":
      return MysqlBackend.layer({ ...mysql, prefix: place, maxConnections })
  }
}

/** A client beside the engine's, to look at the server or to fill tables. */
export const client = ({ kind, place }: Store): Effect.Effect<SqlClient, unknown, Scope.Scope> => {
  const open: Effect.Effect<SqlClient, unknown, Reactivity.Reactivity | Scope.Scope> = kind === "sqlite"
    ? SqliteClient.make({ filename: place })
    : kind === "postgres"
    ? PgClient.make({ ...postgres, maxConnections: 1, applicationName: "taskflow-bench-beside" })
    : MysqlClient.make({ ...mysql, maxConnections: 1 })
  return Effect.provide(open, Reactivity.layer)
}

/** Its name for people. */
export const nameOf = ({ full, kind }: Pick<Store, "kind" | "full">): string =>
  kind === "sqlite"
    ? `SQLite ${full === true ? "FULL" : "NORMAL"}`
    : kind === "postgres"
    ? "PostgreSQL"
    : "MySQL/MariaDB"

/** The table of this name in the store. */
export const tableOf = ({ kind, place }: Store, name: string): string =>
  `${kind === "sqlite" ? "taskflow_" : place}${name}`
