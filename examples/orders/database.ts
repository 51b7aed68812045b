/** Where the tasks are kept, as TASKFLOW_DATABASE says. */
import { Config, ConfigError, Either, type Layer, Redacted } from "effect"
import { MemoryBackend, type TaskBackend, type TaskBackendError } from "effect-taskflow"
import { MysqlBackend } from "effect-taskflow/mysql"
import { PostgresBackend } from "effect-taskflow/postgres"
import { RedisBackend } from "effect-taskflow/redis"
import { SqliteBackend } from "effect-taskflow/sqlite"

/** `place` is for people: never with a user or a password. */
export interface Database {
  readonly place: string
  readonly layer: Layer.Layer<TaskBackend, TaskBackendError>
}

const expected =
  "expected is memory:, sqlite:FILE, postgres://user:password@host:port/database, mysql://user:password@host:port/database " +
  "or redis://user:password@host:port/number"

const sqlite = (filename: string): Database => ({
  place: filename === ":memory:" ? "SQLite in memory, gone with the process" : `SQLite in ${filename}`,
  layer: SqliteBackend.layer({ filename })
})

const server = (text: string): Database | null => {
  if (!URL.canParse(text)) return null
  const { host, pathname, protocol } = new URL(text)
  const url = Redacted.make(text)
  if (/^rediss?:$/.test(protocol) && host !== "" && /^\/?\d*$/.test(pathname)) {
    return { place: `Redis at ${host}${pathname}`, layer: RedisBackend.layer({ url }) }
  }
  if (host === "" || !/^\/[^/]+$/.test(pathname)) return null
  const place = `at ${host}${pathname}`
  switch (protocol) {
    case "postgres:":
    case "postgresql:":
      return { place: `PostgreSQL ${place}`, layer: PostgresBackend.layer({ url }) }
    case "mysql:":
    case "mariadb:":
      return { place: `MySQL ${place}`, layer: MysqlBackend.layer({ url }) }
    default:
      return null
  }
}

const parse = (text: string): Database | null => {
  if (text === "memory:") return { place: "memory, gone with the process", layer: MemoryBackend.layer() }
  const file = /^sqlite:(?:\/\/)?(.+)$/.exec(text)?.[1]
  return file === undefined ? server(text) : sqlite(file)
}

// The value may hold a password: it is never part of a message.
export const database: Config.Config<Database> = Config.redacted("TASKFLOW_DATABASE").pipe(
  Config.withDefault(Redacted.make("sqlite:tasks.db")),
  Config.mapOrFail((url) => {
    const database = parse(Redacted.value(url))
    return database === null
      ? Either.left(ConfigError.InvalidData(["TASKFLOW_DATABASE"], expected))
      : Either.right(database)
  })
)
