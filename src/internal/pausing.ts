/**
 * Pausing and resuming, for the whole fleet. A side of TaskManager.
 */
import * as Effect from "effect/Effect"
import { type Control, type ControlTarget, maxPausedNames } from "../ControlStore.js"
import { TaskArgumentError, type TaskBackendError } from "../TaskError.js"
import type { InstanceId } from "../TaskEvent.js"
import type { Parts, TaskManager } from "../TaskManager.js"
import { isTaskName, taskNameExpected } from "./definition.js"
import { digestOf, pausedBy } from "./pauses.js"
import { quoted } from "./shown.js"

/** What is paused, and who knows. */
export interface Pauses {
  /** The latest first. */
  readonly paused: ReadonlyArray<Control>
  /** Live instances that leave exactly this alone. */
  readonly heededBy: ReadonlyArray<InstanceId>
  /** Live instances that have not said so yet. What they hold already may still start; what they claim is not paused. */
  readonly awaiting: ReadonlyArray<InstanceId>
}

type Front = Pick<TaskManager["Type"], "pause" | "resume" | "pauses">

const targetOf = (taskName: string | undefined): ControlTarget =>
  taskName === undefined ? { _tag: "Everything" } : { _tag: "Task", name: taskName }

export const make = (
  { backend, instance, lease }: Parts,
  outside: (call: string) => Effect.Effect<void>
): Front => {
  const { controls } = backend

  // Here at once, the others hear of it.
  const heedNow: Effect.Effect<void, TaskBackendError> = Effect.flatMap(
    controls.list,
    (list) => lease.heed(pausedBy(list))
  )

  return {
    pause: (taskName, { by = "api" } = {}) =>
      Effect.gen(function*() {
        yield* outside("TaskManager.pause")
        if (taskName !== undefined && !isTaskName(taskName)) {
          return yield* new TaskArgumentError({
            task: taskName,
            path: "taskName",
            message: `${quoted(taskName)} is no name of a task: ${taskNameExpected}`
          })
        }
        const outcome = yield* controls.pause(targetOf(taskName), by, instance.now())
        yield* heedNow
        if (outcome !== "TooMany") return outcome === "Paused" ? "paused" as const : "alreadyPaused" as const
        return yield* new TaskArgumentError({
          task: taskName ?? "",
          path: "taskName",
          message: `${maxPausedNames} task names are paused already: resume some, or pause everything`
        })
      }),
    resume: (taskName) =>
      Effect.zipRight(
        outside("TaskManager.resume"),
        Effect.zipLeft(Effect.suspend(() => controls.resume(targetOf(taskName))), heedNow)
      ),
    pauses: Effect.gen(function*() {
      const paused = yield* controls.list
      const digest = digestOf(pausedBy(paused))
      const heededBy: Array<InstanceId> = []
      const awaiting: Array<InstanceId> = []
      for (const { id, state, vitals } of yield* backend.instances) {
        if (state !== "live") continue
        const heeds = id === instance.id ? lease.heeds() : vitals?.heeds
        if (heeds === digest) heededBy.push(id)
        else awaiting.push(id)
      }
      return { paused, heededBy, awaiting }
    })
  }
}
