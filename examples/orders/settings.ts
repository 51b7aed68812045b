/** What the environment says, checked before anything starts. */
import { Config, ConfigError, Either, Option, Redacted } from "effect"
import { TaskAuth } from "effect-taskflow/http"
import { type Database, database } from "./database.js"

export interface Settings {
  readonly host: string
  readonly port: number
  /** Where tasks are kept. */
  readonly database: Database
  /** Nobody is asked for a password. */
  readonly open: boolean
  readonly auth: TaskAuth.TaskAuth
}

const isLoopback = (host: string) => host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host)

const wrong = (name: string, message: string) => Either.left(ConfigError.InvalidData([name], message))

const port = Config.integer("PORT").pipe(
  Config.withDefault(3000),
  Config.validate({ message: "0 to 65535 is expected", validation: (port) => port >= 0 && port <= 65_535 })
)

// The value itself is never part of a message.
const auth = Config.option(Config.redacted("TASKFLOW_AUTH")).pipe(
  Config.mapOrFail(Option.match({
    onNone: () => Either.right(undefined),
    onSome: (secret) => {
      const [, username, password] = /^([^:]+):(.+)$/s.exec(Redacted.value(secret)) ?? []
      return username === undefined || password === undefined
        ? wrong("TASKFLOW_AUTH", "user:password is expected, neither of them empty")
        : Either.right(TaskAuth.basic({ username, password: Redacted.make(password) }))
    }
  }))
)

export const settings: Config.Config<Settings> = Config.all({
  auth,
  database,
  host: Config.string("HOST").pipe(Config.withDefault("127.0.0.1")),
  port
}).pipe(
  Config.mapOrFail(({ auth, ...rest }) =>
    auth === undefined && !isLoopback(rest.host)
      ? wrong("HOST", `${rest.host} can be reached from other machines: set TASKFLOW_AUTH=user:password first`)
      : Either.right({ ...rest, open: auth === undefined, auth: auth ?? TaskAuth.open })
  )
)
