/**
 * What stands before every route: who asks, from where, and with what. One function, so no route can be without it.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { TaskManager } from "../TaskManager.js"
import { problem, secured } from "./auth/answers.js"
import type { BodyMalformed } from "./auth/AuthProblem.js"
import * as Body from "./auth/body.js"
import { Caller, type CallerInfo } from "./auth/Caller.js"
import { type GuardOptions, settings as settingsOf } from "./auth/GuardOptions.js"
import { checkedUser, isRedirect, type Redirect } from "./auth/known.js"
import * as Origin from "./auth/origin.js"
import * as Refusals from "./auth/refusals.js"
import * as Sessions from "./auth/sessions.js"
import * as Throttle from "./auth/throttle.js"
import * as Verify from "./auth/verify.js"
import { Unauthorized } from "./TaskProblem.js"
import { allowed, CurrentUser, type TaskUser } from "./TaskUser.js"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** The guard of one mount. */
export interface Guard {
  /** Runs the route if the request may pass, and answers itself if not. */
  readonly protect: <E, R>(
    route: Effect.Effect<Response, E, R>
  ) => Effect.Effect<Response, E, R | HttpServerRequest.HttpServerRequest>
  /** The same for a page of a browser: whoever is not known is sent to the login, if they cannot be sent anywhere else. */
  readonly page: <E, R>(
    route: Effect.Effect<Response, E, R>,
    toLogin: (request: Request) => Response
  ) => Effect.Effect<Response, E, R | HttpServerRequest.HttpServerRequest>
  /** Runs a route that tells nothing of tasks and changes nothing, for everybody: the page of a login and what it loads. */
  readonly anonymous: Guard["protect"]
  /** For a path below the prefix that no route has. */
  readonly noSuchRoute: Response
  readonly sessions: Sessions.Sessions
  /** Whether the request, were it sent again now, would still come from this user with the same access. */
  readonly stillKnows: (request: HttpServerRequest.HttpServerRequest, user: TaskUser) => Effect.Effect<boolean>
  /** Null when there is no login. */
  readonly verify: Verify.Verify | null
  /** Answers 503, and says why in the log. */
  readonly unavailable: (reason: unknown) => Effect.Effect<Response>
}

/** What a request that takes too long takes it for. */
interface Phase {
  now: "auth" | "body" | "route"
}

const reads: ReadonlyArray<string> = ["GET", "HEAD", "OPTIONS"]
/** Of a login: somebody unknown sends it. */
const maxLogin = 16_384
/** Of a batch, which names up to 10,000 tasks: so many times as large as of anything else. */
const batchSizes = 8

/** Checks the options: a mistake is a `TaskflowWiringError`, as a defect. */
export const make = (
  options: GuardOptions,
  { at, shownAt }: { readonly at: string; readonly shownAt: string }
): Effect.Effect<Guard, never, TaskManager> =>
  Effect.gen(function*() {
    const manager = yield* TaskManager
    const settings = yield* Effect.sync(() => settingsOf(options, shownAt))
    const { auth, maxBodySize, requestTimeout } = settings
    const maxLoginSize = Math.min(maxLogin, maxBodySize)
    const sessions = Sessions.make(settings, manager.audit)
    const verify = auth.passwords === null ? null : Verify.make(auth.passwords, Throttle.make(), settings)

    if (auth.open) {
      yield* Effect.logWarning(`TaskHttp is open: whoever reaches ${settings.mount} may see and change all tasks`)
    }
    if (auth.passwords !== null && settings.randomKey) {
      yield* Effect.logInfo("TaskHttp: no secretKey is given, so sessions end with this process and hold for it alone")
    }

    const callerOf = (request: Request) =>
      Effect.gen(function*() {
        const session = yield* sessions.read(request)
        if (session !== null) return { user: session.user, via: "session", session } satisfies CallerInfo
        const known: TaskUser | Redirect | null = yield* auth.authenticate(request)
        if (known !== null && !isRedirect(known)) {
          return {
            user: yield* checkedUser(known),
            via: auth.open ? "open" : "host",
            session: null
          } satisfies CallerInfo
        }
        const account = verify === null ? null : yield* verify.basic(request)
        if (account !== null) {
          return { user: account.user, via: "credential", session: null } satisfies CallerInfo
        }
        return known
      })

    const unauthorized = ({ headers, method }: Request, away: Redirect | null): Response => {
      const page = method === "GET" && /\btext\/html\b/i.test(headers["accept"] ?? "")
      if (away !== null && page) return HttpServerResponse.empty({ status: 302, headers: { location: away.url } })
      // A browser would ask for a password in a window of its own, over a page that has a login.
      const script = headers["x-taskflow"] !== undefined
        || (headers["sec-fetch-mode"] !== undefined && headers["sec-fetch-mode"] !== "navigate")
      return problem(
        Unauthorized,
        new Unauthorized({ message: "credentials are required: these are missing or wrong" }),
        auth.challenge === null || script ? {} : { "www-authenticate": auth.challenge }
      )
    }

    /** Whether a write has to show that a script of this site sent it. */
    const needsHeader = (request: Request, carriesCookie: boolean): boolean =>
      carriesCookie || Origin.isOfBrowser(request)

    /** What is wrong with where a write comes from; null when nothing is. */
    const refusesWrite = (request: Request, strict: boolean): Response | null =>
      Origin.isCrossSite(request, settings)
        ? Refusals.crossSite
        : strict && request.headers["x-taskflow"] !== "1"
        ? Refusals.headerRequired
        : null

    const answered = <E, R>(route: Effect.Effect<Response, E, R>): Effect.Effect<Response, E, R> =>
      Effect.catchAllDefect(
        route,
        (defect) => Effect.as(Effect.logError("TaskHttp answers 500", Cause.die(defect)), Refusals.fault)
      )

    /** One timer for all of it: a race costs more than the rest of the guard. */
    const inTime = <E, R>(decided: (phase: Phase) => Effect.Effect<Response, E, R>): Effect.Effect<Response, E, R> =>
      Effect.suspend(() => {
        const phase: Phase = { now: "auth" }
        return Effect.flatten(Effect.timeoutTo(decided(phase), {
          duration: requestTimeout,
          onSuccess: (response) => Effect.succeed(response),
          onTimeout: () =>
            phase.now === "auth"
              ? Refusals.unavailable(new Error("auth did not answer in time"))
              : Effect.succeed(phase.now === "body" ? Refusals.late : Refusals.overdue)
        }))
      })

    /** The route of a write, with its body read. */
    const written = <E, R>(
      request: Request,
      limit: number,
      strict: boolean,
      phase: Phase,
      route: Effect.Effect<Response, E, R>
    ): Effect.Effect<Response, E, R> =>
      Effect.suspend(() => {
        phase.now = "body"
        return Body.read(request, limit)
      }).pipe(
        Effect.flatMap((bytes): Effect.Effect<Request | Response, BodyMalformed> =>
          bytes.length > 0 && !Body.isJson(request, strict)
            ? Effect.succeed(Refusals.notJson)
            : Body.withBody(request, bytes)
        ),
        Effect.catchAll((error) => Effect.succeed<Request | Response>(Refusals.refused(error))),
        Effect.flatMap((result): Effect.Effect<Response, E, R> => {
          if (HttpServerResponse.isServerResponse(result)) return Effect.succeed(result)
          phase.now = "route"
          return Effect.provideService(answered(route), HttpServerRequest.HttpServerRequest, result)
        })
      )

    const sizeOf = (path: string) => path === `${at}/batches` ? batchSizes * maxBodySize : maxBodySize

    const isLogin = (path: string) => path === `${at}/auth/login` || path === `${at}/auth/logout`

    const refusesAnybody = (request: Request): Response | null =>
      request.originalUrl.length > Refusals.maxUrl
        ? Refusals.urlTooLong
        : auth.open && !Origin.isOpenTo(request, settings)
        ? Refusals.otherHost
        : null

    const decide = <E, R>(
      request: Request,
      path: string,
      route: Effect.Effect<Response, E, R>,
      phase: Phase,
      toLogin: ((request: Request) => Response) | null
    ) =>
      Effect.gen(function*() {
        const misdirected = refusesAnybody(request)
        if (misdirected !== null) return misdirected
        const writes = !reads.includes(request.method)
        // By the route that was found, not by what the URL looks like.
        if (writes && isLogin(path)) {
          const strict = needsHeader(request, sessions.carries(request))
          return refusesWrite(request, strict) ?? (yield* written(request, maxLoginSize, strict, phase, route))
        }
        const asked = yield* callerOf(request).pipe(
          Effect.catchTag("TooManyAttempts", (error) => Effect.succeed(Refusals.tooMany(error))),
          Effect.catchAllCause((cause) =>
            Cause.isInterruptedOnly(cause)
              ? Effect.failCause(cause as Cause.Cause<never>)
              : Refusals.unavailable(Cause.squash(cause))
          )
        )
        if (asked === null) return toLogin?.(request) ?? unauthorized(request, null)
        if (HttpServerResponse.isServerResponse(asked)) return asked
        if ("_tag" in asked) return unauthorized(request, asked)
        const cookie = asked.via === "session" || (asked.via === "host" && "cookie" in request.headers)
        const strict = needsHeader(request, cookie)
        const refusal = writes ? refusesWrite(request, strict) : null
        if (refusal !== null) return refusal
        const known = route.pipe(
          Effect.provideService(CurrentUser, asked.user),
          Effect.provideService(Caller, asked)
        )
        phase.now = "route"
        const response = yield* writes ? written(request, sizeOf(path), strict, phase, known) : answered(known)
        const renewed = asked.session?.renewed ?? null
        // A shared cache that keeps the answer would keep the cookie with it.
        const kept = !(response.headers["cache-control"] ?? "no-store").includes("no-store")
        return renewed === null || kept ? response : sessions.setCookie(request, response, renewed)
      })

    const stillKnows: Guard["stillKnows"] = (request, user) =>
      Effect.match(callerOf(request), {
        onFailure: () => false,
        onSuccess: (asked) =>
          asked !== null && !("_tag" in asked) && asked.user.name === user.name &&
          allowed(asked.user.access).join() === allowed(user.access).join()
      })

    const guarded = <E, R>(
      route: Effect.Effect<Response, E, R>,
      toLogin: ((request: Request) => Response) | null
    ): Effect.Effect<Response, E, R | Request> =>
      Effect.gen(function*() {
        const request = yield* HttpServerRequest.HttpServerRequest
        const found = Option.flatMap(
          yield* Effect.serviceOption(HttpRouter.RouteContext),
          ({ route }) => Option.some(route.path)
        )
        const path = Option.getOrElse(found, () => "")
        return secured(yield* inTime((phase) => decide(request, path, route, phase, toLogin)))
      })

    return {
      stillKnows,
      sessions,
      verify,
      noSuchRoute: Refusals.noSuchRoute,
      unavailable: Refusals.unavailable,
      anonymous: (route) =>
        Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
          const refusal = reads.includes(request.method) ? refusesAnybody(request) : Refusals.noSuchRoute
          return Effect.map(refusal === null ? answered(route) : Effect.succeed(refusal), secured)
        }),
      protect: (route) => guarded(route, null),
      page: guarded
    }
  })
