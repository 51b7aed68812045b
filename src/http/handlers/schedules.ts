/** Schedules as they are kept: looked at, paused, resumed. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import type { TaskScheduleInfo } from "../../TaskScheduleInfo.js"
import * as PageCursor from "../pageCursor.js"
import { logged, type Parts } from "../parts.js"
import type * as TaskApi from "../TaskApi.js"
import { ScheduleNotFound } from "../TaskProblem.js"
import { iso, isoOrNull } from "../TaskView.js"

const shown = (schedule: TaskScheduleInfo): typeof TaskApi.StoredSchedule.Type => ({
  name: schedule.name,
  taskName: schedule.taskName,
  origin: schedule.origin,
  lastSlot: isoOrNull(schedule.lastSlot),
  lastTask: schedule.lastTask,
  definedAt: iso(schedule.definedAt),
  pausedAt: isoOrNull(schedule.pausedAt),
  retiredAt: isoOrNull(schedule.retiredAt)
})

const exists = (name: string) => (found: TaskScheduleInfo | null) =>
  found === null
    ? Effect.fail(
      new ScheduleNotFound({ schedule: name, message: `there is no schedule ${JSON.stringify(name)}` })
    )
    : Effect.succeed(shown(found))

export const layer = (api: TaskApi.TaskApi, { audited, manager: { schedules } }: Parts) =>
  HttpApiBuilder.group(api, "schedules", (group) =>
    group
      .handle("schedules", ({ urlParams }) =>
        logged(Effect.gen(function*() {
          const cursor = yield* PageCursor.taken("schedules", urlParams.cursor)
          const { items, nextCursor } = yield* schedules.list({ ...urlParams, cursor })
          return { items: items.map(shown), nextCursor: PageCursor.given("schedules", nextCursor) }
        })))
      .handle("schedule", ({ path: { name } }) => logged(Effect.flatMap(schedules.get(name), exists(name))))
      .handle("pauseSchedule", ({ path: { name } }) =>
        logged(audited(
          { action: "schedule.pause", target: name, permission: "schedules" },
          Effect.flatMap(schedules.pause(name), exists(name))
        )))
      .handle("resumeSchedule", ({ path: { name } }) =>
        logged(audited(
          { action: "schedule.resume", target: name, permission: "schedules" },
          Effect.flatMap(schedules.resume(name), exists(name))
        ))))
