/** The tasks of example 21: what both main and the worker import. */
import { Schema } from "effect"
import { Task } from "effect-taskflow"

export class TooFar extends Schema.TaggedError<TooFar>()("TooFar", { most: Schema.Number }) {}

// `executor: "process"` is the same in everything here.
export const CountPrimes = Task.make("count_primes", {
  executor: "thread",
  payload: { below: Schema.Number },
  success: Schema.Struct({ primes: Schema.Number, inMainThread: Schema.Boolean }),
  error: TooFar
})

export const Spin = Task.make("spin", { executor: "thread" })
