/** The handler that `workers.ts` runs in threads and processes. */
import { Effect, Logger, Schema } from "effect"
import { Task } from "effect-taskflow"

export const Bench = Task.make("bench", {
  payload: { act: Schema.Literal("echo", "spin", "hold"), millis: Schema.Number, text: Schema.String },
  success: Schema.String,
  executor: "thread"
})

export default Task.worker(Bench, ({ act, millis, text }) => {
  switch (act) {
    case "echo":
      return Effect.succeed(text)
    case "spin":
      return Effect.sync(() => {
        const until = performance.now() + millis
        while (performance.now() < until);
        return ""
      })
    case "hold":
      return Effect.suspend(() => {
        const held = Buffer.alloc(300 * 1024 * 1024, 1)
        return Effect.as(Effect.sleep(millis), String(held.length))
      })
  }
}, { layer: Logger.remove(Logger.defaultLogger) })
