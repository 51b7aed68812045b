/**
 * What the guard answers instead of a route, and why: one value for each refusal.
 */
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { CrossSiteRequest, NoSuchRoute } from "../TaskProblem.js"
import { problem } from "./answers.js"
import * as Problem from "./AuthProblem.js"

type Response = HttpServerResponse.HttpServerResponse

export const maxUrl = 8_192

export const noSuchRoute = problem(
  NoSuchRoute,
  new NoSuchRoute({ message: "nothing is at this path, or not for this method" })
)
export const urlTooLong = problem(
  Problem.UrlTooLong,
  new Problem.UrlTooLong({ message: `the URL is longer than ${maxUrl} characters` })
)
export const crossSite = problem(
  CrossSiteRequest,
  new CrossSiteRequest({ message: "a page of another site sent this request: only this site's own pages may write" })
)
export const otherHost = problem(
  CrossSiteRequest,
  new CrossSiteRequest({
    message:
      "an open server answers to addresses, localhost, names without a dot and its publicOrigin: this request names another host"
  })
)
export const headerRequired = problem(
  Problem.HeaderRequired,
  new Problem.HeaderRequired({ message: "a write of a browser, or with a cookie, needs the header x-taskflow: 1" })
)
export const notJson = problem(
  Problem.UnsupportedMediaType,
  new Problem.UnsupportedMediaType({ message: "the content-type has to be application/json" })
)
export const late = problem(
  Problem.RequestTimeout,
  new Problem.RequestTimeout({ message: "the body did not arrive in time" }),
  { connection: "close" }
)
export const overdue = problem(
  Problem.AnswerTimeout,
  new Problem.AnswerTimeout({ message: "there was no answer in time: what was asked may still have happened" })
)
export const fault = problem(
  Problem.InternalError,
  new Problem.InternalError({ message: "a fault of the server: what it is stands in the server's log" })
)

export const unavailable = (reason: unknown): Effect.Effect<Response> =>
  Effect.as(
    Effect.logError("TaskHttp answers 503: who asks could not be found out", Cause.fail(reason)),
    problem(
      Problem.AuthUnavailable,
      new Problem.AuthUnavailable({ message: "who asks could not be found out: try again later" })
    )
  )

export const tooMany = (error: Problem.TooManyAttempts): Response =>
  problem(Problem.TooManyAttempts, error, { "retry-after": `${error.retryAfter}` })

export const refused = (error: Problem.BodyTooLarge | Problem.BodyMalformed): Response =>
  error._tag === "BodyTooLarge"
    ? problem(Problem.BodyTooLarge, error, { connection: "close" })
    : problem(Problem.BodyMalformed, error)
