/** What the log says once when an engine starts: where tasks are kept, and what a shutdown does with them. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { BackendInfo } from "../TaskBackend.js"
import type { TaskflowConfig } from "../TaskflowConfig.js"

export const announce = (
  { durability, encrypted, kind, shared }: BackendInfo,
  { announce: wanted, maxConcurrentTasks, shutdownTimeout }: TaskflowConfig["Type"]
): Effect.Effect<void> => {
  if (!wanted) return Effect.void
  const unfinished = durability === "none" && !shared
    ? "then they are interrupted, and every unfinished task is lost with the process"
    : "then those with requeueOnInterrupt run again and the others end as interrupted"
  return Effect.logInfo(
    `taskflow: tasks are kept in ${kind} (durability: ${durability}${encrypted === true ? ", encrypted" : ""}), ` +
      `${maxConcurrentTasks} run at once; at shutdown they may finish for ${
        Duration.format(shutdownTimeout)
      }, ${unfinished}`
  )
}
