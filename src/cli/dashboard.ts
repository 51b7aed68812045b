/** `dashboard`: serves the dashboard, and the API behind it, over a database. Runs no task of it. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Asking from "./asking.js"
import * as Database from "./database.js"
import { misused } from "./Screen.js"

const authVariable = "TASKFLOW_AUTH"

const options = {
  ...Asking.database,
  port: Options.integer("port").pipe(
    Options.withDescription("Where to listen, 0 for any. Default 4000."),
    Options.withDefault(4_000)
  ),
  host: Options.text("host").pipe(
    Options.withDescription("Which address to listen at. Others than this machine's need --auth. Default 127.0.0.1."),
    Options.withDefault("127.0.0.1")
  ),
  auth: Options.redacted("auth").pipe(
    Options.withDescription(`user:password for the login. Default: ${authVariable}, else nobody is asked.`),
    Options.optional
  ),
  readOnly: Options.boolean("read-only").pipe(Options.withDescription("Show, and let nobody change anything.")),
  logs: Options.boolean("logs").pipe(Options.withDescription("Show log lines of tasks.")),
  json: Asking.json
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host)

const credentialsOf = (asked: { readonly auth: Option.Option<Redacted.Redacted>; readonly host: string }) =>
  Effect.gen(function*() {
    const given = Option.isSome(asked.auth)
      ? asked.auth
      : yield* Effect.mapError(Config.option(Config.redacted(authVariable)), (error) => misused(String(error)))
    if (Option.isSome(given)) {
      const [, username, password] = /^([^:]+):(.+)$/s.exec(Redacted.value(given.value)) ?? []
      return username === undefined || password === undefined
        ? yield* misused(`--auth, or ${authVariable}, is not user:password, neither of them empty`)
        : { username, password: Redacted.make(password) }
    }
    return isLoopback(asked.host) ? null : yield* misused(
      `${asked.host} can be reached from other machines: set ${authVariable}=user:password, or give --auth`
    )
  })

export const dashboard = Command.make("dashboard", options, (asked) =>
  Effect.gen(function*() {
    const { host, json, logs, port } = asked
    if (port < 0 || port > 65_535) return yield* misused(`--port is ${port}: a number from 0 to 65535`)
    const credentials = yield* credentialsOf(asked)
    const database = yield* Database.find(asked)
    // The server and the API are most of what there is to load, and nothing else here needs them.
    const { serve } = yield* Effect.promise(() => import("./serving.js"))
    yield* serve({ credentials, database, host, json, logs, port, readOnly: asked.readOnly })
  })).pipe(Command.withDescription("Serve the dashboard over this database, until a signal ends it."))
