/** Definitions of the tasks whose handlers run in workers: what an application that only enqueues would import. */
import * as Schema from "effect/Schema"
import { Task } from "effect-taskflow"

export class Refused extends Schema.TaggedError<Refused>()("Refused", { code: Schema.Number, at: Schema.Date }) {}

/** Does what `act` says, see `worker.ts`. */
export const Probe = Task.make("probe", {
  payload: { act: Schema.String, text: Schema.optionalWith(Schema.String, { default: () => "" }), at: Schema.Date },
  success: Schema.Struct({ text: Schema.String, at: Schema.Date }),
  error: Refused,
  executor: "thread"
})

/** Without payload and result. */
export const Plain = Task.make("plain", { executor: "thread" })
