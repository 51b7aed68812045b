/** The endpoints about tasks, as values: lists, one task, many tasks, files, what changes. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import * as Actions from "./ActionShapes.js"
import * as StreamProblem from "./stream/problem.js"
import * as Params from "./TaskParams.js"
import * as TaskProblem from "./TaskProblem.js"
import * as Shapes from "./TaskShapes.js"

const { id } = Params
const { get, post } = HttpApiEndpoint

const about = (text: string) => OpenApi.annotations({ description: text })

export const tasks = HttpApiGroup.make("tasks")
  .add(
    get("list", "/").setUrlParams(Params.List).addSuccess(Shapes.TaskPage)
      .addError(TaskProblem.TaskFilterError).addError(TaskProblem.TaskCursorError)
      .annotateContext(about("A page of tasks, newest first."))
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
    post("retry")`/${id}/retry`.setPayload(Params.Retry).addSuccess(Actions.TaskRetried)
      .addError(TaskProblem.TaskArgumentError)
      .addError(TaskProblem.TaskNotFound)
      .addError(TaskProblem.TaskWrongStatus)
      .addError(TaskProblem.TaskAlreadyRetried)
      .addError(TaskProblem.TaskKeyHeld)
      .addError(TaskProblem.TaskNotRegistered)
      .addError(TaskProblem.TaskDecryptionError)
      .annotateContext(
        about(
          "Runs a failed, interrupted or cancelled task again, as a new task: without a body as it was, with a `payload` with that " +
            "one."
        )
      )
  )
  .add(
    post("cancel")`/${id}/cancel`.addSuccess(Actions.TaskCancelled).addSuccess(Actions.TaskCancelRequested)
      .addError(TaskProblem.TaskNotFound)
      .addError(TaskProblem.TaskWrongStatus)
      .annotateContext(
        about("Stops a task that has not ended: at once while it waits, by interrupting it while it runs.")
      )
  )

export const bulk = HttpApiGroup.make("bulk")
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
        unit: Schema.Literal("min", "hour", "day"),
        ...Params.DryRun.fields
      }))
      .addSuccess(Actions.HistoryDeleted)
      .annotateContext(
        about(
          "Removes finished tasks that ended longer ago than this, up to 10,000 in one call. With `dryRun` it counts them, up to 10,000."
        )
      )
  )

const exported = Schema.Struct({
  ...Params.Filter.fields,
  /** How many tasks at most, up to 100,000, which is the default. */
  limit: Schema.optional(Params.wholeFromTo(1, 100_000))
})

const file = (contentType: string) => Schema.String.pipe(HttpApiSchema.withEncoding({ kind: "Text", contentType }))

export const exports = HttpApiGroup.make("exports")
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

const heard = Schema.Struct({
  topics: Schema.optional(Params.text("what to hear of, separated by commas; `runs,counts,buckets` by default")),
  since: Schema.optional(Params.text("the id of the last frame that is known")),
  after: Schema.optional(Params.text("another name of `since`"))
})

export const live = HttpApiGroup.make("live")
  .add(
    get("stream", "/stream")
      .setUrlParams(heard)
      .addSuccess(file("text/event-stream"))
      .addError(StreamProblem.BadTopic)
      .addError(StreamProblem.StreamUnavailable)
      .annotateContext(about("What changes, as it changes: server-sent events with ids."))
  )
  .add(
    get("changes", "/changes")
      .setUrlParams(heard)
      .addSuccess(Schema.Struct({ frames: Schema.Array(Shapes.Json), next: Schema.String }))
      .addError(StreamProblem.BadTopic)
      .addError(StreamProblem.StreamUnavailable)
      .annotateContext(about("The same for those who ask instead of listening: the frames since an id."))
  )
