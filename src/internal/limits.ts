/** How many attempts of a name run at once here: by its definition, and by the workers that it shares with others. Pure. */
import type { TaskExecutor } from "../TaskExecutor.js"
import type { TaskRegistry } from "../TaskRegistry.js"
import type { Group } from "./slots.js"

export const make = (registry: Pick<TaskRegistry["Type"], "get">, executor: Pick<TaskExecutor["Type"], "groupOf">) => {
  const ownLimitOf = (taskName: string): number =>
    registry.get(taskName)?.definition.concurrency ?? Number.POSITIVE_INFINITY
  const groupOf = (taskName: string): Group | null => executor.groupOf(registry.get(taskName))
  return {
    ownLimitOf,
    groupOf,
    limitOf: (taskName: string): number =>
      Math.min(ownLimitOf(taskName), groupOf(taskName)?.max ?? Number.POSITIVE_INFINITY)
  }
}
