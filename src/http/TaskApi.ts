/**
 * The HTTP API as a value: every path, parameter, response and refusal. The server, the OpenAPI document and typed clients
 * (`TaskHttp.client`) are all made from it.
 *
 * camelCase, times as ISO 8601 in UTC with `Z`, durations in milliseconds, errors as `{ _tag, message, … }`.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { TaskflowWiringError } from "../TaskError.js"
import * as Actions from "./ActionShapes.js"
import { TaskForbidden } from "./auth/permission.js"
import * as Fleet from "./FleetShapes.js"
import * as Params from "./TaskParams.js"
import * as TaskProblem from "./TaskProblem.js"
import * as Shapes from "./TaskShapes.js"

export * from "./ActionShapes.js"
export * from "./FleetShapes.js"
export * from "./TaskShapes.js"

const { id, name } = Params
const { get, post } = HttpApiEndpoint

const about = (text: string) => OpenApi.annotations({ description: text })

const tasks = HttpApiGroup.make("tasks")
  .add(
    get("list", "/").setUrlParams(Params.List).addSuccess(Shapes.TaskPage)
      .addError(TaskProblem.TaskFilterError).addError(TaskProblem.TaskCursorError)
      .annotateContext(about("A page of tasks, newest first."))
  )
  .add(
    get("metrics", "/metrics").setUrlParams(Schema.Struct({ task: Schema.optional(Schema.String) }))
      .addSuccess(Shapes.TaskMetrics)
      .annotateContext(about("Counts by status, success rate, durations, of all that is kept."))
  )
  .add(
    get("get")`/${id}`.addSuccess(Shapes.TaskDetailWithLogs).addError(TaskProblem.TaskNotFound)
      .annotateContext(about("One task, with its newest 1,000 log lines as text."))
  )
  .add(
    get("logs")`/${id}/logs`.setUrlParams(Params.Lines).addSuccess(Shapes.TaskLogPage)
      .addError(TaskProblem.TaskNotFound)
      .annotateContext(about("Log lines as data, in the order they were written."))
  )
  .add(
    get("attempts")`/${id}/attempts`.addSuccess(Shapes.TaskAttempts).addError(TaskProblem.TaskNotFound)
      .annotateContext(about("Every attempt, the last one and the one under way included."))
  )
  .add(
    post("retry")`/${id}/retry`.addSuccess(Actions.TaskRetried)
      .addError(TaskProblem.TaskNotFound)
      .addError(TaskProblem.TaskWrongStatus)
      .addError(TaskProblem.TaskAlreadyRetried)
      .addError(TaskProblem.TaskKeyHeld)
      .addError(TaskProblem.TaskNotRegistered)
      .annotateContext(about("Runs a failed, interrupted or cancelled task again, as a new task."))
  )
  .add(
    post("cancel")`/${id}/cancel`.addSuccess(Actions.TaskCancelled).addSuccess(Actions.TaskCancelRequested)
      .addError(TaskProblem.TaskNotFound)
      .addError(TaskProblem.TaskWrongStatus)
      .annotateContext(
        about("Stops a task that has not ended: at once while it waits, by interrupting it while it runs.")
      )
  )

const bulk = HttpApiGroup.make("bulk")
  .add(
    post("bulkRetry", "/bulk-retry").setUrlParams(Params.DryRun).setPayload(Params.Selection)
      .addSuccess(Actions.TasksRetried)
      .addError(TaskProblem.TaskFilterError).addError(TaskProblem.TaskCursorError)
      .annotateContext(
        about("Runs up to 1,000 tasks again. What was retried before is skipped, so asking twice runs nothing twice.")
      )
  )
  .add(
    post("bulkCancel", "/bulk-cancel").setUrlParams(Params.DryRun).setPayload(Params.Selection)
      .addSuccess(Actions.TasksCancelled)
      .addError(TaskProblem.TaskFilterError).addError(TaskProblem.TaskCursorError)
      .annotateContext(about("Stops up to 1,000 tasks."))
  )
  .add(
    post("retryFailed", "/retry-failed")
      .setUrlParams(Schema.Struct({
        /** Created within this time. Default 6h. */
        since: Schema.optional(Params.Age),
        task: Schema.optional(Schema.String),
        cursor: Schema.optional(Schema.String),
        ...Params.DryRun.fields
      }))
      .addSuccess(Actions.TasksRetried)
      .addError(TaskProblem.TaskFilterError).addError(TaskProblem.TaskCursorError)
      .annotateContext(about("Runs again what failed or was interrupted, created within a window."))
  )
  .add(
    HttpApiEndpoint.del("deleteHistory", "/history")
      .setUrlParams(Schema.Struct({
        value: Params.wholeFromTo(1, 100_000),
        unit: Schema.Literal("min", "hour", "day")
      }))
      .addSuccess(Actions.HistoryDeleted)
      .annotateContext(about("Removes finished tasks that ended longer ago than this, up to 10,000 in one call."))
  )

const definitions = HttpApiGroup.make("definitions")
  .add(
    get("definitions", "/definitions").addSuccess(Fleet.TaskDefinitions)
      .annotateContext(about("Every task name that is registered, paused, or ended lately."))
  )
  .add(
    get("definition")`/definitions/${name}`.addSuccess(Fleet.TaskDefinition).addError(TaskProblem.DefinitionNotFound)
  )
  .add(
    post("enqueue")`/definitions/${name}/enqueue`
      .setPayload(Schema.Struct({
        /** In the payload's encoded form. */
        payload: Schema.optional(Schema.Unknown),
        idempotencyKey: Schema.optional(Schema.String),
        tags: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String })),
        priority: Schema.optional(Schema.Int),
        /** Milliseconds from now. */
        delay: Schema.optional(Schema.NonNegative)
      }))
      .addSuccess(Actions.TaskEnqueued)
      .addSuccess(Actions.TaskDeduplicated)
      .addError(TaskProblem.TaskArgumentError)
      .addError(TaskProblem.TaskKeyBusy)
      .addError(TaskProblem.TaskNotRegistered)
  )
  .add(
    post("pause")`/definitions/${name}/pause`.addSuccess(Fleet.Paused).addError(TaskProblem.TaskArgumentError)
      .annotateContext(about("No instance starts tasks of this name until they are resumed. What runs goes on."))
  )
  .add(post("resume")`/definitions/${name}/resume`.addSuccess(Fleet.Resumed))
  .add(get("pauses", "/pauses").addSuccess(Fleet.Pauses))
  .add(
    post("pauseAll", "/pause").addSuccess(Fleet.Paused).addError(TaskProblem.TaskArgumentError)
      .annotateContext(about("No instance starts anything until everything is resumed. What runs goes on."))
  )
  .add(post("resumeAll", "/resume").addSuccess(Fleet.Resumed))

const page = Schema.Struct({
  limit: Schema.optional(Params.wholeFromTo(1, 200)),
  cursor: Schema.optional(Schema.String)
})

const schedules = HttpApiGroup.make("schedules")
  .add(get("schedules", "/schedules").setUrlParams(page).addSuccess(Fleet.Schedules))
  .add(get("schedule")`/schedules/${name}`.addSuccess(Fleet.StoredSchedule).addError(TaskProblem.ScheduleNotFound))
  .add(
    post("pauseSchedule")`/schedules/${name}/pause`.addSuccess(Fleet.StoredSchedule)
      .addError(TaskProblem.ScheduleNotFound)
  )
  .add(
    post("resumeSchedule")`/schedules/${name}/resume`.addSuccess(Fleet.StoredSchedule)
      .addError(TaskProblem.ScheduleNotFound)
  )

const fingerprint = HttpApiSchema.param("fingerprint", Schema.String)

const errors = HttpApiGroup.make("errors")
  .add(
    get("errors", "/errors")
      .setUrlParams(Schema.Struct({
        ...page.fields,
        task: Schema.optional(Schema.String),
        /** Seen within this time. */
        since: Schema.optional(Params.Age),
        dismissed: Schema.optional(Params.Flag),
        sort: Schema.optional(Schema.Literal("lastSeen", "count"))
      }))
      .addSuccess(Fleet.ErrorGroups)
      .annotateContext(about("Failed tasks, grouped by what went wrong."))
  )
  .add(get("error")`/errors/${fingerprint}`.addSuccess(Fleet.ErrorGroup).addError(TaskProblem.ErrorGroupNotFound))
  .add(
    post("retryGroup")`/errors/${fingerprint}/retry`
      .setUrlParams(Schema.Struct({ ...Params.DryRun.fields, cursor: Schema.optional(Schema.String) }))
      .addSuccess(Actions.TasksRetried)
      .addError(TaskProblem.TaskFilterError).addError(TaskProblem.TaskCursorError)
      .addError(TaskProblem.ErrorGroupNotFound)
      .annotateContext(about("Runs the failed tasks of this group again, up to 1,000 in one call."))
  )
  .add(
    post("dismiss")`/errors/${fingerprint}/dismiss`.addSuccess(Fleet.Dismissed)
      .addError(TaskProblem.ErrorGroupNotFound)
      .annotateContext(about("Hides the group until it happens again."))
  )

const instance = HttpApiSchema.param("instance", Schema.String)

const fleet = HttpApiGroup.make("fleet")
  .add(get("instances", "/instances").addSuccess(Fleet.Instances))
  .add(
    post("drain")`/instances/${instance}/drain`.addSuccess(Fleet.Drained).addError(TaskProblem.InstanceNotFound)
      .annotateContext(about("Asks an instance to claim nothing more. What runs there may finish."))
  )
  .add(
    post("undrain")`/instances/${instance}/undrain`.addSuccess(Fleet.Drained).addError(TaskProblem.InstanceNotFound)
  )
  .add(
    get("audit", "/audit")
      .setUrlParams(Schema.Struct({
        ...page.fields,
        who: Schema.optional(Schema.String),
        action: Schema.optional(Schema.String),
        target: Schema.optional(Schema.String),
        since: Schema.optional(Params.Moment),
        until: Schema.optional(Params.Moment)
      }))
      .addSuccess(Fleet.AuditTrail)
      .annotateContext(about("What people and programs did, newest first."))
  )

const exported = Schema.Struct({
  ...Params.Filter.fields,
  /** How many tasks at most, up to 100,000, which is the default. */
  limit: Schema.optional(Params.wholeFromTo(1, 100_000))
})

const file = (contentType: string) => Schema.String.pipe(HttpApiSchema.withEncoding({ kind: "Text", contentType }))

const exports = HttpApiGroup.make("exports")
  .add(
    get("csv", "/export.csv").setUrlParams(exported).addSuccess(file("text/csv"))
      .addError(TaskProblem.TaskFilterError).addError(TaskProblem.TaskCursorError)
      .annotateContext(about("What the filter shows as CSV. Cells that begin like a formula get an apostrophe."))
  )
  .add(
    get("ndjson", "/export.ndjson").setUrlParams(exported).addSuccess(file("application/x-ndjson"))
      .addError(TaskProblem.TaskFilterError).addError(TaskProblem.TaskCursorError)
      .annotateContext(about("What the filter shows, one JSON object a line."))
  )

const root = HttpApi.make("taskflow")
  .add(tasks)
  .add(bulk)
  .add(definitions)
  .add(schedules)
  .add(errors)
  .add(fleet)
  .add(exports)
  .addError(TaskProblem.Unauthorized)
  .addError(TaskProblem.CrossSiteRequest)
  .addError(TaskForbidden)
  .addError(TaskProblem.TaskBackendError)
  .annotate(OpenApi.Title, "Background tasks")

/** The API at some prefix. */
export type TaskApi = typeof root

/** Where the API is mounted unless the caller says otherwise. */
export const defaultPrefix = "/tasks"

/** The prefix without a slash at its end; the root is empty. Throws a `TaskflowWiringError` for what is no plain path. */
export const normalPrefix = (prefix: string = defaultPrefix): "" | `/${string}` => {
  const trimmed = prefix.replace(/\/+$/, "")
  if (trimmed === "") return ""
  if (/^(\/[A-Za-z0-9._~-]+)+$/.test(trimmed)) return trimmed as `/${string}` // safe: the pattern begins with a slash
  const message = `TaskHttp: prefix is ${
    JSON.stringify(prefix)
  }: a path of plain segments is expected, as "/admin/tasks"`
  throw new TaskflowWiringError({ message })
}

/** The API below a prefix. */
export const make = (prefix?: `/${string}` | undefined): TaskApi => {
  const at = normalPrefix(prefix)
  return at === "" ? root : root.prefix(at)
}
