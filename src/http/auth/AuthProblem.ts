/**
 * How the guard and the login refuse: each refusal as it is on the wire, `{ _tag, message, … }`, and its status.
 *
 * `Unauthorized` and `CrossSiteRequest` are in `TaskProblem`. None of these repeats anything of what was sent.
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { permissions } from "../TaskUser.js"

const withStatus = <A>(status: number, description: string): Schema.Annotations.Schema<A> =>
  HttpApiSchema.annotations<A>({ status, description })

/** 403: whoever asks may pass, but may not do this. */
export class TaskForbidden extends Schema.TaggedError<TaskForbidden>()("TaskForbidden", {
  message: Schema.String,
  /** What would have to be allowed. */
  permission: Schema.Literal(...permissions)
}, withStatus(403, "The user may not do this")) {}

/** 403: a write of a browser, or with a cookie, has to say that a script of ours sent it. */
export class HeaderRequired extends Schema.TaggedError<HeaderRequired>()("HeaderRequired", {
  message: Schema.String
}, withStatus(403, "The header x-taskflow: 1 is missing")) {}

/** 400: the body is not what it says it is, or not what the route takes. */
export class BodyMalformed extends Schema.TaggedError<BodyMalformed>()("BodyMalformed", {
  message: Schema.String
}, withStatus(400, "The body cannot be read")) {}

/** 408: the request did not arrive within `requestTimeout`. */
export class RequestTimeout extends Schema.TaggedError<RequestTimeout>()("RequestTimeout", {
  message: Schema.String
}, withStatus(408, "The request did not arrive in time")) {}

/** 413: the body is larger than `maxBodySize`. */
export class BodyTooLarge extends Schema.TaggedError<BodyTooLarge>()("BodyTooLarge", {
  message: Schema.String,
  /** In bytes. */
  limit: Schema.Int
}, withStatus(413, "The body is too large")) {}

/** 414: the URL is longer than 8 KiB. */
export class UrlTooLong extends Schema.TaggedError<UrlTooLong>()("UrlTooLong", {
  message: Schema.String
}, withStatus(414, "The URL is too long")) {}

/** 415: the body has to be JSON. */
export class UnsupportedMediaType extends Schema.TaggedError<UnsupportedMediaType>()("UnsupportedMediaType", {
  message: Schema.String
}, withStatus(415, "The body has to be JSON")) {}

/** 429: too many wrong passwords, or too many at once. The header Retry-After says the same. */
export class TooManyAttempts extends Schema.TaggedError<TooManyAttempts>()("TooManyAttempts", {
  message: Schema.String,
  /** Whole seconds to wait. */
  retryAfter: Schema.Int
}, withStatus(429, "Too many attempts to log in")) {}

/** 500: a fault of the server. What it is stands in the log of the server. */
export class InternalError extends Schema.TaggedError<InternalError>()("InternalError", {
  message: Schema.String
}, withStatus(500, "A fault of the server")) {}

/** 503: who asks could not be found out, so nobody passes. Why is in the server's log. */
export class AuthUnavailable extends Schema.TaggedError<AuthUnavailable>()("AuthUnavailable", {
  message: Schema.String
}, withStatus(503, "Who asks could not be found out")) {}

/** 503: there was no answer within `requestTimeout`. */
export class AnswerTimeout extends Schema.TaggedError<AnswerTimeout>()("AnswerTimeout", {
  message: Schema.String
}, withStatus(503, "There was no answer in time")) {}
