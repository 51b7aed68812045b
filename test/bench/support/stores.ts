/**
 * The databases that benchmarks run on: tables of their own for each measurement, gone afterwards.
 */
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Reactivity } from "@effect/experimental"
import type { SqlClient } from "@effect/sql/SqlClient"
import { MysqlClient } from "@effect/sql-mysql2"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Effect, Layer, Redacted, type Scope } from "effect"
import { type TaskBackend, TaskCipher } from "effect-taskflow"
import * as MysqlBackend from "../../../src/backend/MysqlBackend.js"
import * as PostgresBackend from "../../../src/backend/PostgresBackend.js"
import * as RedisBackend from "../../../src/backend/RedisBackend.js"
import * as SqliteBackend from "../../../src/backend/SqliteBackend.js"
import {
  hasMysql,
  hasPostgres,
  hasRedis,
  mysql,
  mysqlPrefix,
  postgres,
  postgresPrefix,
  redis,
  redisPrefix
} from "../../support/databases.js"

export type SqlKind = "sqlite" | "postgres" | "mysql"
export type Kind = SqlKind | "redis"

/** Where tasks are: a file of SQLite, a prefix of the tables or keys on a server. */
export interface Store {
  readonly kind: Kind
  readonly place: string
  /** SQLite only: every commit waits for the disk. */
  readonly full?: boolean
}

/** One where SQL is spoken. */
export type SqlStore = Store & { readonly kind: SqlKind }

export const isSql = (store: Store): store is SqlStore => store.kind !== "redis"

/** Connections of one engine at most, as these benchmarks set it. */
export const maxConnections = 5

/** What the server calls the connections of the process with this id; only PostgreSQL is told. */
export const applicationName = `taskflow-bench-${process.pid}`

const kinds: ReadonlyArray<string> = ["sqlite", "postgres", "mysql", "redis"] satisfies ReadonlyArray<Kind>
const present = { sqlite: async () => true, postgres: hasPostgres, mysql: hasMysql, redis: hasRedis }
const isKind = (text: string): text is Kind => kinds.includes(text)

/** What BENCH_BACKENDS names and is there; a server that is not says so. */
export const available = async (): Promise<ReadonlyArray<Kind>> => {
  const named = (process.env["BENCH_BACKENDS"] ?? kinds.join(",")).split(",").map((name) => name.trim())
  const there: Array<Kind> = []
  for (const name of named) {
    if (!isKind(name)) throw new Error(`BENCH_BACKENDS: ${name} is none of ${kinds.join(", ")}`)
    if (await present[name]()) there.push(name)
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
    : kind === "mysql"
    ? mysqlPrefix
    : redisPrefix
  return Effect.map(place, (found) => ({ kind, place: found }))
}

// BENCH_CIPHER=1: the same with everything encrypted.
const key = { id: "bench", key: Redacted.make(randomBytes(32).toString("base64")) }
const covered = (backend: Layer.Layer<TaskBackend, unknown>) =>
  process.env["BENCH_CIPHER"] === "1" ? Layer.provide(TaskCipher.layer({ keys: [key] }), backend) : backend

/** A backend on it. */
export const backend = (store: Store): Layer.Layer<TaskBackend, unknown> => covered(readable(store))

const readable = ({ full, kind, place }: Store): Layer.Layer<TaskBackend, unknown> => {
  switch (kind) {
    case "sqlite":
      return SqliteBackend.layer({ filename: place, synchronous: full === true ? "full" : "normal" })
    case "postgres":
      return PostgresBackend.layer({ ...postgres, prefix: place, maxConnections, applicationName })
    case "mysql":
      return MysqlBackend.layer({ ...mysql, prefix: place, maxConnections })
    case "redis":
      return RedisBackend.layer({ ...redis, prefix: place })
  }
}

/** A client beside the engine's, to look at the server or to fill tables. */
export const client = ({ kind, place }: SqlStore): Effect.Effect<SqlClient, unknown, Scope.Scope> => {
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
    : kind === "mysql"
    ? "MySQL/MariaDB"
    : "Redis"

/** The table of this name in the store. */
export const tableOf = ({ kind, place }: SqlStore, name: string): string =>
  `${kind === "sqlite" ? "taskflow_" : place}${name}`
