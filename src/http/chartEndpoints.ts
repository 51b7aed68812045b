/** The endpoints about counts and sums, as values. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { maxPoints } from "./charts.js"
import * as Shapes from "./ChartShapes.js"
import * as Params from "./TaskParams.js"
import * as TaskProblem from "./TaskProblem.js"
import { TaskMetrics } from "./TaskShapes.js"

const { get } = HttpApiEndpoint

const about = (text: string) => OpenApi.annotations({ description: text })

const ofWindow = { task: Schema.optional(Params.text("the name of a task")), window: Schema.optional(Params.Window) }

export const charts = HttpApiGroup.make("charts")
  .add(
    get("metrics", "/metrics").setUrlParams(Schema.Struct({ task: ofWindow.task }))
      .addSuccess(TaskMetrics)
      .annotateContext(about("Counts by status, success rate, durations, of all that is kept."))
  )
  .add(
    get("stats", "/stats").setUrlParams(Schema.Struct(ofWindow)).addSuccess(Shapes.WindowStats)
      .annotateContext(about("What ended within a window, 24h by default: counts, rates, durations, waits."))
  )
  .add(
    get("buckets", "/buckets")
      .setUrlParams(Schema.Struct({ ...ofWindow, points: Schema.optional(Params.wholeFromTo(1, maxPoints)) }))
      .addSuccess(Shapes.Buckets)
      .annotateContext(about("The same as a series of about so many points, 60 by default, for charts."))
  )
  .add(
    get("overview", "/overview")
      .setUrlParams(Schema.Struct({
        window: Schema.optional(
          Schema.Literal("15m", "1h", "24h", "7d").annotations({ description: "how far back, 1h by default" })
        )
      }))
      .addSuccess(Shapes.Overview)
      .annotateContext(
        about("Whether all is well: a window beside the one before it, tasks by failures, what needs somebody.")
      )
  )
  .add(
    get("durations", "/durations").setUrlParams(Schema.Struct(ofWindow)).addSuccess(Shapes.Durations)
      .annotateContext(about("About how many of what ended within a window took how long: a histogram."))
  )
  .add(
    get("facets", "/facets").setUrlParams(Params.Filter).addSuccess(Shapes.Facets)
      .addError(TaskProblem.TaskFilterError)
      .annotateContext(about("How many tasks of a filter are in each status, each counted up to 10,000."))
  )
  .add(
    get("suggest", "/suggest")
      .setUrlParams(Schema.Struct({
        text: Params.text("a filter that is being written"),
        caret: Schema.optional(Params.wholeFromTo(0, 2_000))
      }))
      .addSuccess(Shapes.Suggestions)
      .annotateContext(about("How a filter may go on at the caret."))
  )
  .add(
    get("prometheus", "/metrics/prometheus")
      .addSuccess(Schema.String.pipe(HttpApiSchema.withEncoding({ kind: "Text", contentType: "text/plain" })))
      .annotateContext(about("Counters and gauges of the whole fleet in the text format of Prometheus."))
  )
