/**
 * A schedule of the code, as a Layer beside the task's handler.
 *
 * ```ts
 * TaskSchedule.layer(Nightly, { cron: "0 3 * * *", timezone: "Europe/Rome" })
 * TaskSchedule.layer(SendEmail, { every: "1 hour", payload: { address: "ops@example.com", template: "digest" } })
 * ```
 *
 * Each slot fires once in the whole fleet. A program that no longer has the schedule does not remove it: some minutes later it
 * is shown as retired, and fires no more.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Options } from "./internal/scheduleOptions.js"
import type { Any } from "./Task.js"
import { TaskManager } from "./TaskManager.js"

export type { Options }

/**
 * Enqueues `task` at the slots that `options` say, as long as the layer is there. Options that make no schedule are a
 * `TaskScheduleError`, and a payload that does not fit a `TaskArgumentError`: defects, when the layer is built. A backend that
 * fails delays the schedule, not the build.
 */
export const layer = <T extends Any>(
  task: T,
  options: Options<T>
): Layer.Layer<never, never, TaskManager | T["payloadSchema"]["Context"]> =>
  Layer.scopedDiscard(Effect.flatMap(TaskManager, ({ schedules }) => schedules.register(task, options)))
