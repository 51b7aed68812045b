/** Tasks whose handlers are in the modules beside this one. */
import * as Schema from "effect/Schema"
import { Task } from "effect-taskflow"

export class TooLarge extends Schema.TaggedError<TooLarge>()("TooLarge", { most: Schema.Number }) {}

export const Double = Task.make("double", {
  executor: "thread",
  payload: { value: Schema.BigInt },
  success: Schema.Struct({ value: Schema.BigInt, attempt: Schema.Number }),
  error: TooLarge,
  retry: { retries: 2, delay: "1 hour", while: (error) => error._tag === "TooLarge" && error.most < 100 }
})

const act = {
  payload: { act: Schema.String, text: Schema.optionalWith(Schema.String, { default: () => "" }) },
  success: Schema.Struct({ text: Schema.String, at: Schema.Date }),
  error: TooLarge,
  retry: { retries: 1, while: (error: Task.RetryInput<TooLarge>) => error._tag !== "TaskTimeout" }
} as const

/** Both do what `act` says, see `act.worker.ts`. */
export const InThread = Task.make("in_thread", { executor: "thread", ...act })
export const InProcess = Task.make("in_process", { executor: "process", ...act })

/** Spin for a second. */
export const TimedThread = Task.make("timed_thread", { executor: "thread", timeout: "1 second" })
export const TimedProcess = Task.make("timed_process", { executor: "process", timeout: "1 second" })
