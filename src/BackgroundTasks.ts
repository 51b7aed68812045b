/**
 * Tasks that start when the response is out. A service of one request, given by a middleware around the route.
 *
 * `add` is an enqueue like any other: committed when it answers, so the id that goes into the response is real. Only the
 * start waits for the end of the request.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type { HttpServerResponse } from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { isClientGone, whenGone } from "./internal/clientGone.js"
import * as HeldByRequest from "./internal/heldByRequest.js"
import type { EnqueueOptions } from "./internal/prepare.js"
import type { Any, Input } from "./Task.js"
import { type EnqueueError, TaskflowWiringError, type TaskHoldLimit } from "./TaskError.js"
import { type EnqueueResult, TaskManager } from "./TaskManager.js"

/** What a request may hold. */
export interface BackgroundTasksOptions {
  /** How many tasks one request may hold; one more is a `TaskHoldLimit`. Default 1,000. */
  readonly maxHeld?: number | undefined
}

type Middleware = HttpLayerRouter.Middleware<{
  provides: BackgroundTasks
  handles: never
  error: never
  requires: never
  layerError: never
  layerRequires: TaskManager
}>

/** What a request can be given to do later. */
export interface BackgroundTasksService {
  /** As `task.enqueue`. After the response it starts at once. */
  readonly add: <T extends Any>(
    task: T,
    payload: Input<T>,
    options?: EnqueueOptions
  ) => Effect.Effect<EnqueueResult, EnqueueError | TaskHoldLimit, T["payloadSchema"]["Context"]>
}

/**
 * Tasks that start when the response is out, of the request that is being answered.
 *
 * `eager: true`, of a call or of the task's definition (the call counts), is never held: the task starts at once and stays
 * whatever becomes of the route. All others start together when the response was written, on web hosts when it was handed
 * over; a body that streams has ended by then. A route that fails cancels what it added, a client that went away does not.
 */
export class BackgroundTasks
  extends Context.Tag("effect-taskflow/BackgroundTasks")<BackgroundTasks, BackgroundTasksService>()
{
  /** For routes of HttpLayerRouter: `Layer.provide(BackgroundTasks.middleware.layer)`. */
  static readonly middleware: Middleware = makeMiddleware({})
  /** The same with options. */
  static readonly middlewareWith: (options: BackgroundTasksOptions) => Middleware = makeMiddleware
  /** For the classic HttpRouter, `HttpRouter.use(BackgroundTasks.provide)`, and for any HttpApp. */
  static readonly provide = <E, R>(
    app: HttpApp.Default<E, R>
  ): HttpApp.Default<E, Exclude<R, BackgroundTasks> | TaskManager | Scope.Scope> =>
    Effect.flatMap(TaskManager, (manager) => around(manager, {}, app))
  /**
   * For the handlers of an `HttpApi`, whose type asks for it when they are built:
   * `HttpApiBuilder.group(…).pipe(Layer.provide(BackgroundTasks.layerOfRequest))`. Around the routes of the API stands the
   * middleware, and its service is the one that a request finds. Without the middleware `add` is a defect that says so.
   */
  static readonly layerOfRequest: Layer.Layer<BackgroundTasks> = Layer.suspend(() =>
    Layer.succeed(BackgroundTasks, { add: () => Effect.die(new TaskflowWiringError({ message: noMiddleware })) })
  )
  /** Without a request to wait for, in tests and scripts: `add` is `enqueue`. */
  static readonly layerEager: Layer.Layer<BackgroundTasks, never, TaskManager> = Layer.suspend(() =>
    Layer.effect(BackgroundTasks, Effect.map(TaskManager, ({ enqueue }) => ({ add: enqueue })))
  )
}

const defaultMaxHeld = 1_000

const noMiddleware =
  "BackgroundTasks: this request has none: provide BackgroundTasks.middleware.layer to the routes of the API"

function makeMiddleware(options: BackgroundTasksOptions): Middleware {
  return HttpLayerRouter.middleware<{ provides: BackgroundTasks }>()(
    Effect.map(TaskManager, (manager) => (route) => around(manager, options, route))
  )
}

const around = <E, R>(
  manager: TaskManager["Type"],
  { maxHeld = defaultMaxHeld }: BackgroundTasksOptions,
  route: Effect.Effect<HttpServerResponse, E, R>
) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const held = HeldByRequest.make(manager, maxHeld)
    const whenOver = Effect.acquireRelease(
      Effect.sync(() => whenGone(request.source, held.over)),
      (stop) =>
        Effect.sync(() => {
          stop()
          // A web host has the response in its hands a turn later.
          setTimeout(held.over, 0)
        })
    )
    return Effect.zipRight(
      whenOver,
      route.pipe(
        Effect.provideService(BackgroundTasks, { add: held.add }),
        Effect.onExit((exit) => Effect.sync(() => held.answered(isFailed(exit))))
      )
    )
  })

/** Whether a route has failed: it gave no response, or says itself that the server failed. */
const isFailed = <E>(exit: Exit.Exit<HttpServerResponse, E>): boolean =>
  Exit.isSuccess(exit) ? exit.value.status >= 500 : !isClientGone(exit.cause)
