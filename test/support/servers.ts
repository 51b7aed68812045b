/** The servers of tests, as somebody behind a proxy reaches them. */
import type { Layer } from "effect"
import { type Effect, type Scope } from "effect"
import type { TaskBackend } from "effect-taskflow"
import * as MysqlBackend from "../../src/backend/MysqlBackend.js"
import * as PostgresBackend from "../../src/backend/PostgresBackend.js"
import * as RedisBackend from "../../src/backend/RedisBackend.js"
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
} from "./databases.js"

export interface TestServer {
  readonly name: string
  readonly kind: "postgres" | "mysql" | "redis"
  readonly present: boolean
  readonly target: { readonly host: string; readonly port: number }
  /** Of tables or keys of one's own, gone when the scope ends. */
  readonly prefix: Effect.Effect<string, never, Scope.Scope>
  /** By this port. `notify`: whether instances wake each other. */
  readonly layer: (prefix: string, port: number, notify?: boolean) => Layer.Layer<TaskBackend, unknown>
}

export const testServers: ReadonlyArray<TestServer> = [
  {
    name: "PostgreSQL",
    kind: "postgres",
    present: await hasPostgres(),
    target: postgres,
    prefix: postgresPrefix,
    layer: (prefix, port, notify = true) =>
      PostgresBackend.layer({ ...postgres, port, prefix, notify, maxConnections: 4 })
  },
  {
    name: "MySQL or MariaDB",
    kind: "mysql",
    present: await hasMysql(),
    target: mysql,
    prefix: mysqlPrefix,
    layer: (prefix, port, notify = true) => MysqlBackend.layer({ ...mysql, port, prefix, notify, maxConnections: 4 })
  },
  {
    name: "Redis",
    kind: "redis",
    present: await hasRedis(),
    target: redis,
    prefix: redisPrefix,
    layer: (prefix, port, notify = true) => RedisBackend.layer({ ...redis, port, prefix, notify })
  }
]
