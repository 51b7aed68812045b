/** The servers that tests run against: where they are, tables of its own for each test, loud words when one is not there. */
import { createConnection } from "node:net"
import { Reactivity } from "@effect/experimental"
import type { SqlClient } from "@effect/sql/SqlClient"
import { MysqlClient } from "@effect/sql-mysql2"
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer, Redacted, type Scope } from "effect"
import type { TaskBackend } from "effect-taskflow"
import { Redis, type RedisOptions } from "ioredis"
import { v4 } from "uuid"
import * as MysqlBackend from "../../src/backend/MysqlBackend.js"
import * as PostgresBackend from "../../src/backend/PostgresBackend.js"
import * as RedisBackend from "../../src/backend/RedisBackend.js"
import { withPrefix } from "../../src/backend/sql/schema.js"

/** Where PostgreSQL is. */
export const postgres = {
  host: "127.0.0.1",
  port: Number(process.env["PGPORT"] ?? 5432),
  database: process.env["PGDATABASE"] ?? "test",
  username: process.env["PGUSER"] ?? "postgres"
}

/** Where MySQL or MariaDB is. */
export const mysql = {
  host: "127.0.0.1",
  port: Number(process.env["MYSQL_PORT"] ?? 3306),
  database: process.env["MYSQL_DATABASE"] ?? "test",
  username: process.env["MYSQL_USER"] ?? "root",
  password: Redacted.make(process.env["MYSQL_PASSWORD"] ?? "")
}

/** Where Redis is. */
export const redis = { host: "127.0.0.1", port: Number(process.env["REDIS_PORT"] ?? 6379) }

const reachable = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(2_000, () => end(false)).once("connect", () => end(true)).once("error", () => end(false))
  })

/**
 * Whether a part is there. Not there, its tests are skipped and one line says how to get it; with `CI=true` they run, and
 * fail.
 */
const present = async (what: string, port: number, how: string): Promise<boolean> => {
  if (process.env["CI"] === "true" || await reachable(port)) return true
  process.stderr.write(`\nSKIPPED: no ${what} at 127.0.0.1:${port}, its tests do not run. ${how}\n\n`)
  return false
}

export const hasPostgres = () =>
  present(
    "PostgreSQL",
    postgres.port,
    "docker run -p 5432:5432 -e POSTGRES_DB=test -e POSTGRES_HOST_AUTH_METHOD=trust postgres"
  )

export const hasMysql = () =>
  present(
    "MySQL or MariaDB",
    mysql.port,
    "docker run -p 3306:3306 -e MARIADB_DATABASE=test -e MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1 mariadb"
  )

export const hasRedis = () =>
  present("Redis", redis.port, "docker run -p 6379:6379 redis redis-server --appendonly yes")

export const freshPrefix = () => `t${v4().replaceAll("-", "").slice(0, 12)}_`

export type OpenClient = Effect.Effect<SqlClient, unknown, Reactivity.Reactivity | Scope.Scope>

export const tablesUnder = (prefix: string) => Object.values(withPrefix(prefix)).map(({ name }) => name)

export const withClient = (client: OpenClient, use: (client: SqlClient) => Effect.Effect<unknown, unknown>) =>
  Effect.scoped(Effect.flatMap(client, use)).pipe(Effect.provide(Reactivity.layer), Effect.orDie)

export const dropTables = (client: OpenClient, prefix: string) =>
  withClient(
    client,
    (one) => one.unsafe(`DROP TABLE IF EXISTS ${[...tablesUnder(prefix), `${prefix}migrations`].join(", ")}`)
  )

/** A prefix whose tables are dropped when the scope ends. */
export const prefixOn = (client: OpenClient) =>
  Effect.acquireRelease(Effect.sync(freshPrefix), (prefix) => dropTables(client, prefix))

export const postgresClient = PgClient.make({ ...postgres, maxConnections: 1 })
export const mysqlClient = MysqlClient.make({ ...mysql, maxConnections: 1 })

export const postgresPrefix = prefixOn(postgresClient)
export const mysqlPrefix = prefixOn(mysqlClient)

/** Everything under this prefix of a Redis, in steps. */
export const keysUnder = async (client: Redis, prefix: string): Promise<ReadonlyArray<string>> => {
  const keys = new Set<string>()
  for await (const some of client.scanStream({ match: `{${prefix}}:*`, count: 1_000 })) {
    for (const key of some as ReadonlyArray<string>) keys.add(key) // safe: what SCAN answers
  }
  return [...keys]
}

/** A client of Redis for a test, closed when the scope ends. */
export const redisClient = (where: RedisOptions = redis) =>
  Effect.acquireRelease(Effect.sync(() => new Redis(where)), (client) => Effect.sync(() => client.disconnect()))

/** A prefix whose keys are removed when the scope ends. */
export const redisPrefix = Effect.flatMap(redisClient(), (client) =>
  Effect.acquireRelease(
    Effect.sync(freshPrefix),
    (prefix) =>
      Effect.promise(async () => {
        const keys = await keysUnder(client, prefix)
        for (let from = 0; from < keys.length; from += 1_000) await client.unlink(keys.slice(from, from + 1_000))
      })
  ))

export const freshRedis: Layer.Layer<TaskBackend, unknown> = Layer.unwrapScoped(
  Effect.map(redisPrefix, (prefix) => RedisBackend.layer({ ...redis, prefix }))
)

/** A backend with tables of its own, dropped at the end. */
export const freshPostgres: Layer.Layer<TaskBackend, unknown> = Layer.unwrapScoped(
  Effect.map(postgresPrefix, (prefix) => PostgresBackend.layer({ ...postgres, prefix, maxConnections: 5 }))
)

export const freshMysql: Layer.Layer<TaskBackend, unknown> = Layer.unwrapScoped(
  Effect.map(mysqlPrefix, (prefix) => MysqlBackend.layer({ ...mysql, prefix, maxConnections: 5 }))
)
