/**
 * The HTTP API over a TaskManager, as a layer for HttpLayerRouter and as a router for the classic HttpRouter.
 *
 * Closed by default: `auth` has to be given. Every answer below the prefix, the OpenAPI document and unknown paths too,
 * passes one guard.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import { RouteNotFound } from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { TaskBackendError, TaskflowWiringError } from "../TaskError.js"
import { TaskManager } from "../TaskManager.js"
import type { TaskRecord } from "../TaskRecord.js"
import * as AuthApi from "./auth/AuthApi.js"
import * as authHandlers from "./auth/authHandlers.js"
import type { GuardOptions } from "./auth/GuardOptions.js"
import * as Guard from "./guard.js"
import * as TaskApi from "./TaskApi.js"
import * as TaskView from "./TaskView.js"

export { closePromptly, type ClosePromptlyOptions, type NodeServer } from "./nodeServer.js"

export interface TaskHttpOptions extends GuardOptions {
  /** Where the API is. A path of plain segments; "/" for the root. Default "/tasks". */
  readonly prefix?: `/${string}` | undefined
  /**
   * Whether payloads and results are shown, on single tasks only. `Schema.Redacted` places are replaced; tasks whose
   * definition is not registered here stay hidden. Default false.
   */
  readonly displayArguments?: boolean | undefined
}

// Newest lines shown with a task; all of them are at /{id}/logs.
const shownLines = 1_000

// What failed is for the server's log; the body of the 503 does not say it.
const logged = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tapError(
    effect,
    (error) =>
      error instanceof TaskBackendError ? Effect.logError("TaskHttp answers 503", Cause.fail(error)) : Effect.void
  )

const handlers = (api: TaskApi.TaskApi, options: TaskHttpOptions) =>
  HttpApiBuilder.group(api, "tasks", (group) =>
    Effect.gen(function*() {
      const manager = yield* TaskManager

      const detailOf = (record: TaskRecord) =>
        options.displayArguments === true
          ? Effect.map(
            manager.registered,
            (definitions) => TaskView.detail(record, definitions.find(({ taskName }) => taskName === record.taskName))
          )
          : Effect.succeed(TaskView.detail(record, undefined))

      return group
        .handle("list", ({ urlParams: { task, ...query } }) =>
          Effect.map(logged(manager.list({ ...query, taskName: task })), ({ items, nextCursor }) => ({
            items: items.map(TaskView.summary),
            nextCursor
          })))
        .handle("metrics", ({ urlParams: { task } }) =>
          Effect.map(logged(manager.stats({ taskName: task })), TaskView.metrics))
        .handle("get", ({ path: { id } }) =>
          logged(Effect.gen(function*() {
            const record = yield* manager.get(id)
            const lines = yield* manager.logs(id, {
              after: Math.max(0, record.logLines - shownLines),
              limit: shownLines
            })
            return { ...(yield* detailOf(record)), logs: lines.map(TaskView.logText) }
          })))
        .handle("logs", ({ path: { id }, urlParams: { after = 0, limit } }) =>
          Effect.map(logged(manager.logs(id, { after, limit })), (lines) => ({
            items: lines.map(TaskView.logLine),
            nextAfter: after + lines.length
          })))
        .handle("attempts", ({ path: { id } }) =>
          logged(Effect.gen(function*() {
            const record = yield* manager.get(id)
            return { items: TaskView.attempts(record, yield* manager.attempts(id)) }
          })))
        .handle("retry", ({ path: { id } }) =>
          logged(Effect.gen(function*() {
            const taskId = yield* manager.retry(id)
            return { taskId, task: yield* detailOf(yield* manager.get(taskId)) }
          })))
        .handle("cancel", ({ path: { id } }) =>
          logged(Effect.gen(function*() {
            const outcome = yield* manager.cancel(id)
            const record = yield* manager.get(id)
            return { outcome, taskId: record.taskId, task: yield* detailOf(record) }
          })))
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
  const document = HttpServerResponse.unsafeJson(OpenApi.fromApi(TaskApi.make(shownAt || "/")))
  const known = Layer.mergeAll(
    HttpLayerRouter.addHttpApi(api).pipe(Layer.provide(handlers(api, options)), Layer.provide(HttpServer.layerContext)),
    HttpLayerRouter.addHttpApi(AuthApi.make(at)).pipe(
      Layer.provide(authHandlers.layer(at, guard)),
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
  // Fresh: HttpApiBuilder keeps routes in a registry that is shared within one build. Shared with the application's own
  // HttpApi, that would serve these routes a second time, without the guard.
  return Layer.fresh(owned ? Layer.merge(known, unknown) : known)
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
      Layer.provideMerge(routes(options, place, guard), HttpLayerRouter.layer),
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
