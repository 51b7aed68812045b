/**
 * The HTTP API as a value: every path, parameter, response and refusal. The server, the OpenAPI document and typed clients
 * (`TaskHttp.client`) are all made from it.
 *
 * camelCase, times as ISO 8601 in UTC with `Z`, durations in milliseconds, errors as `{ _tag, message, … }`.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as OpenApi from "@effect/platform/OpenApi"
import { inWords } from "../internal/shown.js"
import { version } from "../internal/version.js"
import { TaskflowWiringError } from "../TaskError.js"
import * as AuthApi from "./auth/AuthApi.js"
import * as AuthProblem from "./auth/AuthProblem.js"
import * as Batches from "./batchEndpoints.js"
import * as Charts from "./chartEndpoints.js"
import { DecodeProblem } from "./decodeProblem.js"
import * as Fleet from "./fleetEndpoints.js"
import * as Tasks from "./taskEndpoints.js"
import * as TaskProblem from "./TaskProblem.js"

export * from "./ActionShapes.js"
export * from "./BatchShapes.js"
export * from "./ChartShapes.js"
export * from "./FleetShapes.js"
export * from "./TaskShapes.js"

// Every HttpApi has this error first; ours says the same in words for people.
const empty = Object.assign(HttpApi.make("taskflow"), { errorSchema: DecodeProblem })

const root = empty
  .add(Tasks.tasks)
  .add(Charts.charts)
  .add(Tasks.bulk)
  .add(Batches.batches)
  .add(Fleet.definitions)
  .add(Fleet.schedules)
  .add(Fleet.errors)
  .add(Fleet.fleet)
  .add(Tasks.exports)
  .add(Tasks.live)
  .add(AuthApi.group)
  .addError(TaskProblem.Unauthorized)
  .addError(TaskProblem.CrossSiteRequest)
  .addError(AuthProblem.TaskForbidden)
  .addError(AuthProblem.HeaderRequired)
  .addError(AuthProblem.BodyMalformed)
  .addError(AuthProblem.BodyTooLarge)
  .addError(AuthProblem.UnsupportedMediaType)
  .addError(AuthProblem.UrlTooLong)
  .addError(AuthProblem.TooManyAttempts)
  .addError(AuthProblem.RequestTimeout)
  .addError(AuthProblem.AnswerTimeout)
  .addError(AuthProblem.AuthUnavailable)
  .addError(AuthProblem.InternalError)
  .addError(TaskProblem.TaskBackendError)
  .addError(TaskProblem.NoSuchRoute)
  .addError(TaskProblem.Unavailable)
  .annotate(OpenApi.Title, "Background tasks")
  .annotate(OpenApi.Version, version)
  .annotate(OpenApi.License, { name: "MIT" })

/** The API at some prefix. */
export type TaskApi = typeof root

/** Where the API is mounted unless the caller says otherwise. */
export const defaultPrefix = "/tasks"

/** The prefix without a slash at its end; the root is empty. Throws a `TaskflowWiringError` for what is no plain path. */
export const normalPrefix = (prefix: string = defaultPrefix): "" | `/${string}` => {
  const trimmed = prefix.replace(/\/+$/, "")
  if (trimmed === "") return ""
  if (/^(\/[A-Za-z0-9._~-]+)+$/.test(trimmed)) return trimmed as `/${string}` // safe: the pattern begins with a slash
  throw new TaskflowWiringError({
    message: `TaskHttp: prefix is ${inWords(prefix)}: a path of plain segments is expected, as "/admin/tasks"`
  })
}

/** The API below a prefix. */
export const make = (prefix?: `/${string}` | undefined): TaskApi => {
  const at = normalPrefix(prefix)
  return at === "" ? root : root.prefix(at)
}
