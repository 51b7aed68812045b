/** The endpoints about what stands around tasks, as values: definitions, pauses, schedules, errors, instances, the audit trail. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import * as Actions from "./ActionShapes.js"
import * as Fleet from "./FleetShapes.js"
import * as Params from "./TaskParams.js"
import * as TaskProblem from "./TaskProblem.js"
import { Json } from "./TaskShapes.js"

const { name } = Params
const { del, get, post } = HttpApiEndpoint

const about = (text: string) => OpenApi.annotations({ description: text })

export const definitions = HttpApiGroup.make("definitions")
  .add(
    get("definitions", "/definitions").addSuccess(Fleet.TaskDefinitions)
      .annotateContext(about("Every task name that is registered, paused, or ended lately."))
  )
  .add(
    get("definition")`/definitions/${name}`.addSuccess(Fleet.TaskDefinition).addError(TaskProblem.DefinitionNotFound)
  )
  .add(
    post("enqueue")`/definitions/${name}/enqueue`
      .setPayload(
        Schema.Struct({
          /** In the payload's encoded form. */
          payload: Schema.optional(Json),
          idempotencyKey: Schema.optional(Schema.String),
          tags: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String })),
          priority: Schema.optional(Schema.Int),
          /** Milliseconds from now. */
          delay: Schema.optional(Schema.NonNegative),
          /** Not before this time. Not together with `delay`. */
          runAt: Schema.optional(Params.Moment)
        }).annotations(Params.exactly)
      )
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

export const schedules = HttpApiGroup.make("schedules")
  .add(
    get("schedules", "/schedules").setUrlParams(page).addSuccess(Fleet.Schedules).addError(TaskProblem.TaskCursorError)
      .annotateContext(about("Every schedule: of the code, made at run time, paused and retired ones."))
  )
  .add(get("schedule")`/schedules/${name}`.addSuccess(Fleet.StoredSchedule).addError(TaskProblem.ScheduleNotFound))
  .add(
    get("scheduleRuns")`/schedules/${name}/runs`
      .setUrlParams(Schema.Struct({ limit: Schema.optional(Params.wholeFromTo(1, 200)) }))
      .addSuccess(Fleet.ScheduleRuns).addError(TaskProblem.ScheduleNotFound)
      .annotateContext(about("Its newest tasks, 60 by default. For pages of them ask for the list with `schedule=`."))
  )
  .add(
    post("pauseSchedule")`/schedules/${name}/pause`.addSuccess(Fleet.StoredSchedule)
      .addError(TaskProblem.ScheduleNotFound)
      .annotateContext(about("No slot of it fires until it is resumed."))
  )
  .add(
    post("resumeSchedule")`/schedules/${name}/resume`.addSuccess(Fleet.StoredSchedule)
      .addError(TaskProblem.ScheduleNotFound)
      .annotateContext(about("Slots fire again. Those of the pause are not missed."))
  )
  .add(
    post("triggerSchedule")`/schedules/${name}/trigger`
      .addSuccess(Actions.TaskEnqueued)
      .addSuccess(Actions.TaskDeduplicated)
      .addError(TaskProblem.ScheduleNotFound)
      .addError(TaskProblem.ScheduleUnreadable)
      .addError(TaskProblem.TaskArgumentError)
      .addError(TaskProblem.TaskKeyBusy)
      .annotateContext(about("Runs it once, now, also while it is paused. Its slots stay as they are."))
  )
  .add(
    del("removeSchedule")`/schedules/${name}`.addSuccess(Fleet.ScheduleRemoved).addError(TaskProblem.ScheduleNotFound)
      .annotateContext(
        about("Forgets it and which slots of it fired; its tasks stay. What the code of a program has comes back.")
      )
  )

const fingerprint = HttpApiSchema.param("fingerprint", Schema.String)

export const errors = HttpApiGroup.make("errors")
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
      .addError(TaskProblem.TaskCursorError)
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

export const fleet = HttpApiGroup.make("fleet")
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
      .addError(TaskProblem.TaskCursorError)
      .annotateContext(about("What people and programs did, newest first."))
  )
