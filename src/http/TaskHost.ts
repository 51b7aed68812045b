/**
 * The API, and the application behind it, in hosts that are no Effect programs: Express, Fastify, Hono, Next, plain Node.
 *
 * `web` takes a `Request` and gives a `Response`, `node` takes Node's request and response. Both are functions on one
 * application, which starts with the first of them or with `start`, and ends with `dispose`.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { BackgroundTasks } from "../BackgroundTasks.js"
import type { TaskManager } from "../TaskManager.js"
import { problem, secured } from "./auth/answers.js"
import { BodyMalformed } from "./auth/AuthProblem.js"
import * as NodeBridge from "./nodeBridge.js"
import * as NodeHeld from "./nodeHeld.js"
import * as OwnRouter from "./ownRouter.js"
import * as TaskApi from "./TaskApi.js"
import * as TaskHttp from "./TaskHttp.js"
import { NoSuchRoute, Unavailable } from "./TaskProblem.js"

/** As for `TaskHttp.layer`, and what the host leaves of the path. */
export interface TaskHostOptions extends TaskHttp.TaskHttpOptions {
  /**
   * What is left of the prefix in the path of a request when it comes here: "/" where the host cuts it off, as `app.use` of
   * Express and `app.mount` of Hono do. `prefix` stays where clients find the API. Default: the prefix.
   */
  readonly at?: `/${string}` | undefined
}

type WebHandler = (request: Request) => Promise<Response>

/** The API and the application behind it, as functions for a host. */
export interface TaskHost<R, E> {
  /** The application: `runtime.runPromise(task.enqueue(…))`. */
  readonly runtime: ManagedRuntime.ManagedRuntime<R, E>
  /** Builds the application now instead of with the first request: waiting tasks start. Rejects with what went wrong. */
  readonly start: () => Promise<void>
  /** The API for a host with web requests. */
  readonly web: WebHandler
  /** The API for a host on Node. A path that is not below `at` is left to `next`, if there is one. */
  readonly node: (
    request: NodeBridge.NodeRequest,
    response: NodeBridge.NodeResponse,
    next?: (error?: unknown) => void
  ) => void
  /** A route of the application as a web handler, with `BackgroundTasks`. A client that leaves interrupts it. */
  readonly route: <E2>(
    app: HttpApp.Default<E2, R | TaskManager | BackgroundTasks | Scope.Scope>
  ) => WebHandler
  /** The same for a host on Node. */
  readonly nodeRoute: <E2>(
    app: HttpApp.Default<E2, R | TaskManager | BackgroundTasks | Scope.Scope>
  ) => (request: NodeBridge.NodeRequest, response: NodeBridge.NodeResponse) => void
  /**
   * Runs an effect for a route of a Node host, with `BackgroundTasks`: what it adds starts when `response` was written. A
   * client that leaves interrupts it. What it added is cancelled when it fails, or when the status turns out to be 500 or more.
   */
  readonly during: <A, E2>(
    response: NodeBridge.NodeResponse,
    effect: Effect.Effect<A, E2, R | TaskManager | BackgroundTasks>
  ) => Promise<A>
  /**
   * Ends the application, once: open streams end, requests under way have a second to be answered, running tasks finish for
   * `shutdownTimeout`. What comes later is answered with 503.
   */
  readonly dispose: () => Promise<void>
}

/** Of one request: its path below the prefix, and who sent it. */
class Place extends Context.Tag("effect-taskflow/http/Place")<Place, {
  readonly url: string
  readonly remoteAddress?: string
}>() {}

const placeOf = (url: string, remoteAddress: string | undefined): Place["Type"] =>
  remoteAddress === undefined ? { url } : { url, remoteAddress }

const grace = 1_000

// Said before there is an application, so without its router.
const refusal = <A extends { readonly message: string }, I>(
  schema: Schema.Schema<A, I>,
  value: A,
  headers: Readonly<Record<string, string>> = {}
): Response => HttpServerResponse.toWeb(secured(problem(schema, value, headers)))

const elsewhere = (at: string): Response =>
  refusal(
    NoSuchRoute,
    new NoSuchRoute({
      message: `this handler answers below ${
        at || "/"
      }: set "at" to what the host leaves of the prefix ("/" if it cuts it off)`
    })
  )

const unavailable = (message: string): Response =>
  refusal(Unavailable, new Unavailable({ message }), { "retry-after": "1" })

// Not every host cancels the body of a client that left; they all abort the request's signal. Nor would a server close
// while a stream goes on.
const ending =
  (request: Request, closing: Effect.Effect<void>) => (response: HttpServerResponse.HttpServerResponse) => {
    const { body } = response
    if (body._tag !== "Stream") return response
    const left = Effect.async<void>((resume) => {
      const end = () => resume(Effect.void)
      if (request.signal.aborted) return end()
      request.signal.addEventListener("abort", end, { once: true })
      return Effect.sync(() => request.signal.removeEventListener("abort", end))
    })
    const stream = Stream.interruptWhen(body.stream, Effect.raceFirst(left, closing))
    return HttpServerResponse.setBody(response, HttpBody.stream(stream, body.contentType, body.contentLength))
  }

/** The app, asked at the place that was found for the request, with bodies that end. */
const hosted = <E, R>(app: HttpApp.Default<E, R>, closing: Effect.Effect<void>): HttpApp.Default<E, R> =>
  Effect.flatMap(
    Effect.all([HttpServerRequest.HttpServerRequest, Effect.serviceOption(Place)]),
    ([request, place]) =>
      Effect.provideService(
        app,
        HttpServerRequest.HttpServerRequest,
        Option.match(place, { onNone: () => request, onSome: (at) => request.modify(at) })
      ).pipe(
        // safe: requests here come from web handlers
        Effect.map(ending(request.source as Request, closing))
      )
  )

const thrown = (cause: Cause.Cause<unknown>): never => {
  throw Cause.squash(cause)
}

const within = (millis: number, promise: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, millis)
    void promise.finally(() => {
      clearTimeout(timer)
      resolve()
    })
  })

const logged = <A, E, R>(route: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tapErrorCause(
    route,
    (cause) => Cause.isInterruptedOnly(cause) ? Effect.void : Effect.logError("a route failed", cause)
  )

/**
 * `application` is the layer of the whole application, or its runtime; either way `dispose` ends it. Throws a
 * `TaskflowWiringError` for a prefix that is no path.
 */
export const make = <R, E>(
  application: Layer.Layer<R | TaskManager, E> | ManagedRuntime.ManagedRuntime<R | TaskManager, E>,
  options: TaskHostOptions
): TaskHost<R | TaskManager, E> => {
  const runtime = "runPromise" in application ? application : ManagedRuntime.make(application)
  const prefix = TaskApi.normalPrefix(options.prefix)
  const at = options.at === undefined ? prefix : TaskApi.normalPrefix(options.at)
  const scope = Effect.runSync(Scope.make())
  const closing = Deferred.unsafeMake<void>(FiberId.none)
  const ended = Deferred.await(closing)
  const underWay = new Set<Promise<unknown>>()
  let building: Promise<Exit.Exit<Built, E>> | undefined
  let disposed: Promise<void> | undefined

  const track = <A>(promise: Promise<A>): Promise<A> => {
    const settled = promise.catch(() => {}).finally(() => underWay.delete(settled))
    underWay.add(settled)
    return promise
  }

  const build = Effect.gen(function*() {
    const router = yield* Layer.build(
      TaskHttp.layer(options).pipe(Layer.provideMerge(OwnRouter.layer))
    )
    const app = Context.get(router, HttpLayerRouter.HttpRouter).asHttpEffect()
    const toHandler = HttpApp.toWebHandlerRuntime(yield* Effect.runtime<R | TaskManager>())
    // The live stream says goodbye and ends by itself; what is sent of an export has the time of any other answer.
    return { api: toHandler(hosted(app, Effect.delay(ended, grace))), toHandler }
  }).pipe(Scope.extend(scope))
  type Built = Effect.Effect.Success<typeof build>

  const built = () =>
    building ??= runtime.runPromiseExit(build).then((exit) => {
      if (Exit.isFailure(exit)) {
        Effect.runFork(Effect.logError("TaskHost: the application could not be started", exit.cause))
      }
      return exit
    })

  // The rest of the path below `at`, with the query; undefined when it is not below it.
  const below = (url: string): string | undefined => {
    const path = url.split("?", 1)[0]!
    return path === at || path.startsWith(`${at}/`) ? url.slice(at.length) : undefined
  }

  const answer = (run: (built: Built) => Promise<Response>): Promise<Response> =>
    disposed !== undefined
      ? Promise.resolve(unavailable("the application is closing"))
      : track(
        built().then(Exit.match({
          onFailure: () => unavailable("the application could not be started"),
          onSuccess: run
        }))
      )

  const api = (request: Request, rest: string | undefined, remoteAddress?: string): Promise<Response> =>
    rest === undefined ? Promise.resolve(elsewhere(at)) : answer((built) =>
      // safe: the handler adds what is given to what the application has
      built.api(request, Context.make(Place, placeOf(`${prefix}${rest}` || "/", remoteAddress)) as never)
    )

  const web: WebHandler = (request) => {
    const { pathname, search } = new URL(request.url)
    return api(request, below(`${pathname}${search}`))
  }

  const onNode = (request: NodeBridge.NodeRequest, response: NodeBridge.NodeResponse, handle: WebHandler): void => {
    const asked = NodeBridge.toRequest(request, response)
    const answered = asked === null
      ? Promise.resolve(
        NodeBridge.hasWebMethod(request)
          ? refusal(BodyMalformed, new BodyMalformed({ message: "the request cannot be read" }))
          : refusal(NoSuchRoute, new NoSuchRoute({ message: "this method is not answered" }))
      )
      : handle(asked)
    track(answered.then((from) => NodeBridge.write(from, response, request))).catch((error: unknown) => {
      Effect.runFork(Effect.logError("TaskHost: a response could not be written", error))
      response.destroy()
    })
  }

  const node: TaskHost<R, E>["node"] = (request, response, next) => {
    const rest = below(request.url ?? "/")
    if (rest === undefined && next !== undefined) return next()
    onNode(request, response, (asked) => api(asked, rest, request.socket.remoteAddress))
  }

  const route: TaskHost<R, E>["route"] = (app) => {
    const logging = logged(BackgroundTasks.provide(app))
    let handle: WebHandler | undefined
    return (request) => answer(({ toHandler }) => (handle ??= toHandler(hosted(logging, ended)))(request))
  }

  const held = NodeHeld.make()

  return {
    runtime,
    start: () => built().then(Exit.match({ onFailure: thrown, onSuccess: () => {} })),
    web,
    node,
    route,
    nodeRoute: (app) => {
      const handle = route(app)
      return (request, response) => onNode(request, response, handle)
    },
    during: (response, effect) =>
      track(
        runtime.runPromiseExit(held.during(response, effect)).then(
          Exit.match({ onFailure: thrown, onSuccess: (value) => value })
        )
      ),
    dispose: () =>
      disposed ??= Effect.runPromise(
        Effect.zipRight(Deferred.succeed(closing, undefined), Scope.close(scope, Exit.void))
      )
        .then(() => within(grace, Promise.allSettled(underWay)))
        .then(() => runtime.dispose())
  }
}
