/**
 * The HTTP API over a TaskManager, as a layer for HttpLayerRouter and as a router for the classic HttpRouter.
 *
 * Closed by default: `auth` has to be given. Every answer below the prefix, the OpenAPI document and unknown paths too,
 * passes one guard.
 */
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import { RouteNotFound } from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { version } from "../internal/version.js"
import { TaskflowWiringError } from "../TaskError.js"
import type { TaskManager } from "../TaskManager.js"
import * as Auth from "./auth/authHandlers.js"
import type { GuardOptions } from "./auth/GuardOptions.js"
import * as BatchKeeper from "./batches/Batches.js"
import * as Dashboard from "./dashboard/routes.js"
import * as Guard from "./guard.js"
import * as Batches from "./handlers/batches.js"
import * as Bulk from "./handlers/bulk.js"
import * as Charts from "./handlers/charts.js"
import * as Definitions from "./handlers/definitions.js"
import * as Errors from "./handlers/errors.js"
import * as Exports from "./handlers/exports.js"
import * as Fleet from "./handlers/fleet.js"
import * as Live from "./handlers/live.js"
import * as Schedules from "./handlers/schedules.js"
import * as Tasks from "./handlers/tasks.js"
import * as OwnRouter from "./ownRouter.js"
import * as Parts from "./parts.js"
import * as TaskApi from "./TaskApi.js"

export { client, type ClientOptions, type Credentials, type TaskClient } from "./client.js"
export type { DashboardSettings } from "./dashboard/routes.js"
export { closePromptly, type ClosePromptlyOptions, type NodeServer } from "./nodeServer.js"

/** Who may pass, where the API is, and what it shows. */
export interface TaskHttpOptions
  extends GuardOptions, Parts.DisplayOptions, Live.LiveOptions, Dashboard.DashboardOptions
{
  /** Where the API is. A path of plain segments; "/" for the root. Default "/tasks". */
  readonly prefix?: `/${string}` | undefined
}

const handlers = (api: TaskApi.TaskApi, options: TaskHttpOptions, guard: Guard.Guard, build: string) =>
  Layer.unwrapScoped(Effect.gen(function*() {
    const parts = yield* Parts.make(options)
    const batches = yield* BatchKeeper.make(parts)
    return Layer.mergeAll(
      Tasks.layer(api, parts),
      Charts.layer(api, parts),
      Bulk.layer(api, parts),
      Batches.layer(api, parts, batches),
      Definitions.layer(api, parts),
      Schedules.layer(api, parts),
      Errors.layer(api, parts),
      Fleet.layer(api, parts),
      Exports.layer(api, parts),
      Live.layer(api, parts, guard, { ...options, build, batches }),
      Auth.layer(api, guard)
    )
  }))

/** `at` is where the routes are added, `shownAt` where clients find them: a mounting router cuts its prefix off. */
interface Place {
  readonly at: "" | `/${string}`
  readonly shownAt: "" | `/${string}`
  /** Whether unknown paths below `at` are ours to answer. */
  readonly owned: boolean
}

const routes = (
  options: TaskHttpOptions,
  { at, owned, shownAt }: Place,
  guard: Guard.Guard
): Layer.Layer<never, never, TaskManager | HttpLayerRouter.HttpRouter> => {
  const api = TaskApi.make(at || "/")
  const dashboard = Dashboard.make(options)
  const document = HttpServerResponse.unsafeJson(OpenApi.fromApi(TaskApi.make(shownAt || "/")))
  const known = Layer.mergeAll(
    HttpLayerRouter.addHttpApi(api).pipe(
      Layer.provide(handlers(api, options, guard, dashboard?.build ?? version)),
      Layer.provide(HttpServer.layerContext)
    ),
    HttpLayerRouter.add("GET", `${at}/openapi.json`, Effect.succeed(document))
  ).pipe(Layer.provide(HttpLayerRouter.middleware(guard.protect).layer))
  const unknown = HttpLayerRouter.use((router) =>
    router.addGlobalMiddleware((effect) =>
      Effect.catchAll(effect, (error) =>
        Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ url }) => {
          const below = url.split("?", 1)[0] === at || url.startsWith(`${at}/`) || url.startsWith(`${at}?`)
          const notFound: unknown = error
          return below && notFound instanceof RouteNotFound
            ? guard.protect(Effect.succeed(guard.noSuchRoute))
            : Effect.fail(error)
        }))
    )
  )
  const app = dashboard === null ? Layer.empty : Dashboard.layer(dashboard, at, guard)
  // Fresh: HttpApiBuilder keeps routes in a registry that is shared within one build. Shared with the application's own
  // HttpApi, that would serve these routes a second time, without the guard.
  return Layer.fresh(Layer.mergeAll(known, app, owned ? unknown : Layer.empty))
}

const checked = (options: TaskHttpOptions): Effect.Effect<"" | `/${string}`> =>
  Effect.suspend(() => {
    if (typeof options.auth?.authenticate === "function") return Effect.sync(() => TaskApi.normalPrefix(options.prefix))
    return Effect.die(
      new TaskflowWiringError({
        message: "TaskHttp: auth is missing: give TaskAuth.users(…), or TaskAuth.open for everybody"
      })
    )
  })

/** The API as routes of the application's HttpLayerRouter. A prefix that is no path is a defect of the build. */
export const layer = (
  options: TaskHttpOptions
): Layer.Layer<never, never, TaskManager | HttpLayerRouter.HttpRouter> =>
  Layer.unwrapEffect(Effect.gen(function*() {
    const at = yield* checked(options)
    const place = { at, shownAt: at, owned: at !== "" }
    return routes(options, place, yield* Guard.make(options, place))
  }))

/**
 * The API for the classic HttpRouter: `HttpRouter.mount("/tasks", router)`, or `mountApp`.
 *
 * The routes begin at "/", where mounting puts the prefix before them; `prefix` only says in the OpenAPI document where
 * that is, so it is the path given to `mount`.
 */
export const router = (
  options: TaskHttpOptions
): Effect.Effect<HttpRouter.HttpRouter, never, TaskManager | Scope.Scope> =>
  Effect.gen(function*() {
    const place = { at: "", shownAt: yield* checked(options), owned: true } as const
    const guard = yield* Guard.make(options, place)
    // A map of its own: the application may have a HttpLayerRouter too, and these routes are not for that one.
    const context = yield* Layer.buildWithMemoMap(
      Layer.provideMerge(routes(options, place, guard), OwnRouter.layer),
      yield* Layer.makeMemoMap,
      yield* Effect.scope
    )
    const effect = Context.get(context, HttpLayerRouter.HttpRouter).asHttpEffect()
    const app = HttpServerRequest.HttpServerRequest.pipe(
      // Mounting leaves "?limit=5" of "/tasks?limit=5".
      Effect.map((request) => request.url.startsWith("/") ? request : request.modify({ url: `/${request.url}` })),
      Effect.flatMap((request) => Effect.provideService(effect, HttpServerRequest.HttpServerRequest, request)),
      Effect.orDie
    )
    return HttpRouter.empty.pipe(HttpRouter.all("/", app), HttpRouter.all("/*", app))
  })
