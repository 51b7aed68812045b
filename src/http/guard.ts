/**
 * What stands before every route: who asks, and from where. One function, so no route can be without it.
 */
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { TaskAuth } from "./TaskAuth.js"
import { CrossSiteRequest, NoSuchRoute, Unauthorized } from "./TaskProblem.js"
import { CurrentUser } from "./TaskUser.js"

const reads: ReadonlyArray<string> = ["GET", "HEAD", "OPTIONS"]

// Whether the text is an origin of the host the request was sent to. Default ports are left out on both sides.
const isOriginOf = (origin: string, { headers, originalUrl }: HttpServerRequest.HttpServerRequest): boolean => {
  const from = URL.canParse(origin) ? new URL(origin) : undefined
  // Requests of web handlers carry the host in their URL instead of a header.
  const host = headers["host"] ?? (URL.canParse(originalUrl) ? new URL(originalUrl).host : undefined)
  const here = `${from?.protocol}//${host}`
  return from !== undefined && host !== undefined && URL.canParse(here) && new URL(here).host === from.host
}

/** Whether a page of another site made the browser send this write. Programs send neither header and may pass. */
const isCrossSiteWrite = (request: HttpServerRequest.HttpServerRequest): boolean => {
  if (reads.includes(request.method)) return false
  const site = request.headers["sec-fetch-site"]
  if (site !== undefined) return site !== "same-origin" && site !== "none"
  const origin = request.headers["origin"]
  return origin !== undefined && !isOriginOf(origin, request)
}

const answer = {
  Unauthorized: (challenge: string | null) =>
    HttpServerResponse.unsafeJson(
      Schema.encodeSync(Unauthorized)(
        new Unauthorized({ message: "credentials are required: these are missing or wrong" })
      ),
      { status: 401, headers: challenge === null ? {} : { "www-authenticate": challenge } }
    ),
  CrossSiteRequest: HttpServerResponse.unsafeJson(
    Schema.encodeSync(CrossSiteRequest)(
      new CrossSiteRequest({
        message: "a page of another site sent this request: only this site's own pages may write"
      })
    ),
    { status: 403 }
  ),
  NoSuchRoute: HttpServerResponse.unsafeJson(
    Schema.encodeSync(NoSuchRoute)(new NoSuchRoute({ message: "nothing is at this path, or not for this method" })),
    { status: 404 }
  )
}

// What is answered tells of tasks: no cache keeps it, no browser guesses its type.
const headers = { "cache-control": "no-store", "x-content-type-options": "nosniff" }

/** Runs the route if the request may pass, and answers 401 or 403 if not. */
export const guard = (auth: TaskAuth) => <E, R>(route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const response = !(yield* auth.check(request))
      ? answer.Unauthorized(auth.challenge)
      : isCrossSiteWrite(request)
      ? answer.CrossSiteRequest
      : yield* Effect.provideService(route, CurrentUser, { name: "anonymous", access: "operator" })
    return HttpServerResponse.setHeaders(response, headers)
  })

/** The answer for a path below the prefix that no route has, behind the same guard. */
export const noSuchRoute = (auth: TaskAuth) => guard(auth)(Effect.succeed(answer.NoSuchRoute))
