/** The server of `dashboard`: loaded when it is wanted. */
import { createServer } from "node:http"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as TaskAuth from "../http/TaskAuth.js"
import * as TaskHttp from "../http/TaskHttp.js"
import * as Database from "./database.js"
import { failed, type Failure, misused, Screen } from "./Screen.js"
import * as Text from "./text.js"

export interface Serving {
  /** Who may log in; null: nobody is asked. */
  readonly credentials: { readonly username: string; readonly password: Redacted.Redacted } | null
  readonly database: Database.Database
  readonly host: string
  readonly port: number
  readonly readOnly: boolean
  readonly logs: boolean
  readonly json: boolean
}

const authOf = ({ credentials, readOnly }: Serving): Effect.Effect<TaskAuth.TaskAuth, Failure> => {
  const access = readOnly ? "viewer" : "operator"
  if (credentials !== null) {
    return Effect.try({
      try: () => TaskAuth.users({ users: [{ ...credentials, access }] }),
      catch: (error) => misused(error instanceof Error ? error.message : "--auth cannot be used")
    })
  }
  // Open in both cases: such a server answers to no name that a page of another site could have pointed at this machine.
  return Effect.succeed({ ...TaskAuth.open, authenticate: () => Effect.succeed({ name: "anonymous", access }) })
}

const announced = ({ credentials, database: { place }, json }: Serving) =>
  Layer.effectDiscard(Effect.gen(function*() {
    const { note, out, serving } = yield* Screen
    const { address } = yield* HttpServer.HttpServer
    if (address._tag !== "TcpAddress") return
    const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname
    const url = `http://${host}:${address.port}/tasks/dashboard`
    serving()
    yield* out(json ? JSON.stringify({ url, database: place.shown }) : url)
    yield* note(`${place.shown}; Ctrl-C ends it`)
    if (credentials !== null) return
    yield* note(
      "OPEN: everybody on this machine can use it. Set TASKFLOW_AUTH=user:password to ask for a password."
    )
  }))

/** Goes on until it is interrupted. */
export const serve = (asked: Serving): Effect.Effect<never, Failure, Screen> =>
  Effect.gen(function*() {
    const { database, host, logs, port } = asked
    const routes = TaskHttp.layer({
      auth: yield* authOf(asked),
      displayArguments: logs ? "logs" : false,
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
    return yield* Layer.launch(
      announced(asked).pipe(
        Layer.provide(HttpLayerRouter.serve(routes, { disableListenLog: true, disableLogger: true })),
        Layer.provide(server),
        Layer.provide(Database.operating(database))
      )
    )
  })
