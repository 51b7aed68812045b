/** Doubles, slowly; the first runs fail for numbers that are too large. */
import { Context, Effect, Layer } from "effect"
import { Task, TaskContext, TaskLog, TaskProgress } from "effect-taskflow"
import { Double, TooLarge } from "./tasks.js"

class Factor extends Context.Tag("test/Factor")<Factor, { readonly factor: bigint }>() {}

export default Task.worker(Double, ({ value }) =>
  Effect.gen(function*() {
    const { attempt, tags } = yield* TaskContext.current
    yield* TaskLog.info("doubling", { attempt, tags })
    yield* TaskProgress.set(0.5, "half")
    yield* Effect.sleep("10 minutes")
    if (value > 10n && attempt < 2) return yield* new TooLarge({ most: 10 })
    return { value: value * (yield* Factor).factor, attempt }
  }), { layer: Layer.succeed(Factor, { factor: 2n }) })

export const notAWorker = 1
