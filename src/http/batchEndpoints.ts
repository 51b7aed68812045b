/** The endpoints about batches, as values: started, watched, stopped. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { BatchRequest } from "./BatchParams.js"
import * as Shapes from "./BatchShapes.js"
import * as TaskProblem from "./TaskProblem.js"

const { get, post } = HttpApiEndpoint

const about = (text: string) => OpenApi.annotations({ description: text })

const batch = HttpApiSchema.param("batch", Schema.String)

export const batches = HttpApiGroup.make("batches")
  .add(
    post("startBatch", "/batches").setPayload(BatchRequest)
      .addSuccess(Shapes.BatchAccepted)
      .addError(TaskProblem.TaskFilterError)
      .addError(TaskProblem.ErrorGroupNotFound)
      .addError(TaskProblem.TooManyBatches)
      .annotateContext(
        about(
          "Retries or cancels many tasks behind the answer: throttled, watched, stopped, and undone until it begins."
        )
      )
  )
  .add(
    get("batches", "/batches").addSuccess(Shapes.Batches)
      .annotateContext(about("The batches of the instance that answers, newest first."))
  )
  .add(
    get("batch")`/batches/${batch}`.addSuccess(Shapes.Batch).addError(TaskProblem.BatchNotFound)
      .annotateContext(about("One batch, while the instance that does it keeps it."))
  )
  .add(
    post("beginBatch")`/batches/${batch}/start`.addSuccess(Shapes.Batch)
      .addError(TaskProblem.BatchNotFound)
      .addError(TaskProblem.BatchOver)
      .annotateContext(about("Ends its undo window now. Nothing changes when it runs already."))
  )
  .add(
    post("stopBatch")`/batches/${batch}/stop`.addSuccess(Shapes.BatchStopped)
      .addError(TaskProblem.BatchNotFound)
      .addError(TaskProblem.BatchOver)
      .annotateContext(about("Undoes a batch that has not begun; one that runs stops behind the tasks under way."))
  )
