/**
 * An order service with background tasks. Run it: npm start
 *
 * PORT (3000), HOST (127.0.0.1), TASKFLOW_DATABASE (sqlite:tasks.db), TASKFLOW_AUTH (user:password).
 */
import { createServer } from "node:http"
import { HttpLayerRouter, HttpServer, type HttpServerError } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { type ConfigError, Console, Effect, Layer } from "effect"
import { type TaskBackendError, TaskflowLayer } from "effect-taskflow"
import { TaskHttp } from "effect-taskflow/http"
import { Handlers, PaymentGatewayLive, SmtpLive } from "./handlers.js"
import { Routes } from "./routes.js"
import { type Settings, settings } from "./settings.js"

const announce = ({ database, open }: Settings) =>
  Effect.gen(function*() {
    const { address } = yield* HttpServer.HttpServer
    if (address._tag !== "TcpAddress") return
    const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname
    const url = `http://${host}:${address.port}`
    yield* Console.log(`orders   ${url}/health
tasks    ${url}/tasks/dashboard
API      ${url}/tasks
metrics  ${url}/tasks/metrics
OpenAPI  ${url}/tasks/openapi.json
kept in  ${database.place}

try      curl -X POST ${url}/signup -d '{"email":"ada@example.com"}'
         curl -X POST '${url}/load?n=1000'`)
    if (open) {
      yield* Console.warn(
        "\nOPEN: TASKFLOW_AUTH is not set, so everybody on this machine can read, retry and cancel tasks.\n" +
          "      Set TASKFLOW_AUTH=user:password to ask for a password."
      )
    }
  })

const Http = (settings: Settings) => {
  const tasks = TaskHttp.layer({
    auth: settings.auth,
    displayArguments: true,
    dashboard: {
      title: "Orders",
      environment: { label: "demo", color: "blue" },
      views: [{ name: "Failed payments", path: "runs?q=status:failed task:payment&since=7d" }]
    }
  })
  const routes = Layer.merge(Routes, tasks)
  const server = NodeHttpServer.layer(() => TaskHttp.closePromptly(createServer()), settings)
  return Layer.effectDiscard(announce(settings)).pipe(
    Layer.provide(HttpLayerRouter.serve(routes, { disableListenLog: true, disableLogger: true })),
    Layer.provide(server)
  )
}

type Problem = ConfigError.ConfigError | HttpServerError.ServeError | TaskBackendError

const Main: Layer.Layer<never, Problem> = Layer.unwrapEffect(
  Effect.map(settings, (settings) =>
    Layer.merge(Handlers, Http(settings)).pipe(
      Layer.provide(TaskflowLayer({ maxConcurrentTasks: 50, shutdownTimeout: "5 seconds" })),
      Layer.provide(settings.database.layer),
      Layer.provide(Layer.merge(SmtpLive, PaymentGatewayLive))
    ))
)

NodeRuntime.runMain(Layer.launch(Main))
