/** `dashboard`: serves the dashboard, and the API behind it, over a database. Runs no task of it. */
import { createServer } from "node:http"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TaskAuth from "../http/TaskAuth.js"
import * as TaskHttp from "../http/TaskHttp.js"
import * as Asking from "./asking.js"
import * as Database from "./database.js"
import { failed, type Failure, misused, Screen } from "./Screen.js"
import * as Text from "./text.js"

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

const authOf = (asked: {
  readonly auth: Option.Option<Redacted.Redacted>
  readonly host: string
  readonly readOnly: boolean
}): Effect.Effect<{ readonly auth: TaskAuth.TaskAuth; readonly open: boolean }, Failure> =>
  Effect.gen(function*() {
    const access = asked.readOnly ? "viewer" : "operator"
    const given = Option.isSome(asked.auth)
      ? asked.auth
      : yield* Effect.mapError(Config.option(Config.redacted(authVariable)), (error) => misused(String(error)))
    if (Option.isSome(given)) {
      const [, username, password] = /^([^:]+):(.+)$/s.exec(Redacted.value(given.value)) ?? []
      if (username === undefined || password === undefined) {
        return yield* misused(`--auth, or ${authVariable}, is not user:password, neither of them empty`)
      }
      const auth = yield* Effect.try({
        try: () => TaskAuth.users({ users: [{ username, password: Redacted.make(password), access }] }),
        catch: (error) => misused(error instanceof Error ? error.message : "--auth cannot be used")
      })
      return { auth, open: false }
    }
    if (!isLoopback(asked.host)) {
      return yield* misused(
        `${asked.host} can be reached from other machines: set ${authVariable}=user:password, or give --auth`
      )
    }
    const anonymous = TaskAuth.authorize(() => Effect.succeed({ name: "anonymous", access }))
    return { auth: asked.readOnly ? anonymous : TaskAuth.open, open: true }
  })

const announced = (open: boolean, json: boolean, place: string) =>
  Layer.effectDiscard(Effect.gen(function*() {
    const { note, out, serving } = yield* Screen
    const { address } = yield* HttpServer.HttpServer
    if (address._tag !== "TcpAddress") return
    const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname
    const url = `http://${host}:${address.port}/tasks/dashboard`
    serving()
    yield* out(json ? JSON.stringify({ url, database: place }) : url)
    yield* note(`${place}; Ctrl-C ends it`)
    if (open) {
      yield* note(
        `OPEN: everybody on this machine can use it. Set ${authVariable}=user:password to ask for a password.`
      )
    }
  }))

export const dashboard = Command.make("dashboard", options, (asked) =>
  Effect.gen(function*() {
    const { host, port } = asked
    if (port < 0 || port > 65_535) return yield* misused(`--port is ${port}: a number from 0 to 65535`)
    const { auth, open } = yield* authOf(asked)
    const database = yield* Database.find(asked)
    const routes = TaskHttp.layer({
      auth,
      displayArguments: asked.logs ? "logs" : false,
      dashboard: { environment: Text.line(database.place.shown).slice(0, 100) }
    })
    const server = NodeHttpServer.layer(() => TaskHttp.closePromptly(createServer()), { host, port }).pipe(
      Layer.catchAll((error) => {
        const cause: unknown = error.cause
        const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
        return Layer.fail(failed(
          code === "EADDRINUSE"
            ? `port ${port} of ${host} is taken: choose another one with --port`
            : `it cannot listen at ${host}:${port}: ${code === "" ? "the address is none of this machine's" : code}`
        ))
      })
    )
    yield* Layer.launch(
      announced(open, asked.json, database.place.shown).pipe(
        Layer.provide(HttpLayerRouter.serve(routes, { disableListenLog: true, disableLogger: true })),
        Layer.provide(server),
        Layer.provide(Database.operating(database))
      )
    )
  })).pipe(Command.withDescription("Serve the dashboard over this database, until a signal ends it."))
