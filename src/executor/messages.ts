/**
 * What is heard from a worker, checked: a process shares its channel with the application's own code. Pure.
 */
import * as Schema from "effect/Schema"
import { FailureCause, LogLevel } from "../TaskEvent.js"
import type { WorkerOutcome } from "./job.js"
import { type FromWorker, mark } from "./protocol.js"

const Shown = Schema.Struct({
  name: Schema.String,
  message: Schema.String,
  stack: Schema.String,
  cause: Schema.optionalWith(FailureCause, { exact: true })
})

const Outcome: Schema.Schema<WorkerOutcome> = Schema.Union(
  Schema.TaggedStruct("Success", { result: Schema.NullOr(Schema.String) }),
  Schema.TaggedStruct("Failure", { error: Schema.String, final: Schema.Boolean, shown: Shown }),
  Schema.TaggedStruct("Defect", { final: Schema.Boolean, shown: Shown }),
  Schema.TaggedStruct("Undecodable", { message: Schema.String }),
  Schema.TaggedStruct("Snoozed", { millis: Schema.Number })
)

const Message: Schema.Schema<FromWorker> = Schema.Union(
  Schema.TaggedStruct("Hello", { protocol: Schema.Number }),
  Schema.TaggedStruct("Started", { run: Schema.Number }),
  Schema.TaggedStruct("Log", {
    run: Schema.Number,
    lines: Schema.Array(Schema.Struct({
      level: LogLevel,
      message: Schema.String,
      annotations: Schema.NullOr(Schema.String)
    }))
  }),
  Schema.TaggedStruct("Progress", {
    run: Schema.Number,
    value: Schema.Number,
    message: Schema.NullOr(Schema.String)
  }),
  Schema.TaggedStruct("Memory", { bytes: Schema.Number }),
  Schema.TaggedStruct("Ended", { run: Schema.Number, outcome: Schema.NullOr(Outcome) }),
  Schema.TaggedStruct("Dying", { error: Shown })
)

const isMessage = Schema.is(Message)

/** The message, or null for what is none of ours. */
export const read = (data: unknown): FromWorker | null => {
  if (typeof data !== "object" || data === null) return null
  const message: unknown = Reflect.get(data, mark)
  return isMessage(message) ? message : null
}

/** Annotations from their JSON text. */
export const annotationsOf = (text: string | null): Record<string, unknown> => {
  if (text === null) return {}
  try {
    const value: unknown = JSON.parse(text)
    // safe: an object has strings as keys
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {}
  } catch {
    return {}
  }
}
