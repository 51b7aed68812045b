/** The handler that `leak.ts` runs in threads. */
import { Effect, Logger } from "effect"
import { Task, TaskLog } from "effect-taskflow"
import { Computing } from "./leakTasks.js"

export default Task.worker(
  Computing,
  ({ n }) => Effect.as(TaskLog.info("computed", { n }), n * 2),
  { layer: Logger.remove(Logger.defaultLogger) }
)
