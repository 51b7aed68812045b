/** Schedules: looked at, paused, resumed, run now, forgotten. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import { quoted } from "../../internal/shown.js"
import type { TaskScheduleInfo } from "../../TaskScheduleInfo.js"
import { type EnqueueAnswer, enqueued } from "../enqueued.js"
import * as PageCursor from "../pageCursor.js"
import { logged, type Parts } from "../parts.js"
import * as ScheduleView from "../ScheduleView.js"
import type * as TaskApi from "../TaskApi.js"
import { ScheduleNotFound, ScheduleUnreadable } from "../TaskProblem.js"
import { iso } from "../TaskView.js"

// How many slots ahead are told.
const ahead = 5

// Records are read one by one, several at a time: about as fast as the backend gives them, and no flood for its pool.
const atOnce = 8

const notFound = (name: string, message = `there is no schedule ${quoted(name)}`) =>
  new ScheduleNotFound({ schedule: name, message })

export const layer = (api: TaskApi.TaskApi, { audited, definitionOf, manager, visible }: Parts) =>
  HttpApiBuilder.group(api, "schedules", (group) => {
    const { schedules } = manager

    const shown = (info: TaskScheduleInfo) =>
      Effect.gen(function*() {
        const last = info.lastTask === null
          ? null
          : yield* Effect.catchTag(manager.get(info.lastTask), "TaskNotFound", () => Effect.succeed(null))
        return ScheduleView.schedule(info, {
          last,
          nextSlots: schedules.next(info, ahead),
          definition: yield* definitionOf(info.taskName),
          visible: yield* visible
        })
      })

    const exists = (name: string) => (found: TaskScheduleInfo | null) =>
      found === null ? Effect.fail(notFound(name)) : Effect.succeed(found)

    const trigger = Effect.fnUntraced(function*(name: string) {
      const found = yield* schedules.get(name)
      if (found?.retiredAt === null && found.facts === null) {
        const message = `schedule ${quoted(name)}: ${ScheduleView.unreadable}`
        return yield* new ScheduleUnreadable({ schedule: name, message })
      }
      const result = yield* Effect.catchTags(schedules.trigger(name), {
        TaskScheduleNotFound: ({ message }) => Effect.fail(notFound(name, message)),
        // Nothing here is in a transaction of the application.
        TaskInTransaction: Effect.die,
        TaskWrongTransaction: Effect.die
      })
      return enqueued(result)
    })

    return group
      .handle("schedules", ({ urlParams }) =>
        logged(Effect.gen(function*() {
          const cursor = yield* PageCursor.taken("schedules", urlParams.cursor)
          const { items, nextCursor } = yield* schedules.list({ ...urlParams, cursor })
          return {
            items: yield* Effect.forEach(items, shown, { concurrency: atOnce }),
            nextCursor: PageCursor.given("schedules", nextCursor)
          }
        })))
      .handle(
        "schedule",
        ({ path: { name } }) => logged(schedules.get(name).pipe(Effect.flatMap(exists(name)), Effect.flatMap(shown)))
      )
      .handle("scheduleRuns", ({ path: { name }, urlParams: { limit = 60 } }) =>
        logged(Effect.gen(function*() {
          const { items } = yield* manager.list({ schedule: name, limit })
          const found = yield* schedules.get(name)
          // Its tasks outlive it.
          if (items.length === 0 && found === null) return yield* notFound(name)
          const gaps = found === null ? [] : schedules.gaps(found, items, items.length < limit)
          return {
            items: items.map(ScheduleView.run),
            gaps: gaps.map(({ reason, slot }) => ({ slot: iso(slot), reason }))
          }
        })))
      .handle("pauseSchedule", ({ path: { name } }) =>
        // Whether it can be shown then is no matter of the audit trail.
        logged(Effect.flatMap(
          audited(
            { action: "schedule.pause", target: name, permission: "schedules" },
            Effect.flatMap(schedules.pause(name), exists(name))
          ),
          shown
        )))
      .handle("resumeSchedule", ({ path: { name } }) =>
        // Whether it can be shown then is no matter of the audit trail.
        logged(Effect.flatMap(
          audited(
            { action: "schedule.resume", target: name, permission: "schedules" },
            Effect.flatMap(schedules.resume(name), exists(name))
          ),
          shown
        )))
      .handle("triggerSchedule", ({ path: { name } }) =>
        logged(audited(
          {
            action: "schedule.trigger",
            target: name,
            permission: "schedules",
            outcome: ({ taskId }: EnqueueAnswer) => ({ taskId })
          },
          trigger(name)
        )))
      .handle("removeSchedule", ({ path: { name } }) =>
        logged(audited(
          { action: "schedule.remove", target: name, permission: "schedules" },
          Effect.flatMap(
            schedules.remove(name),
            (there) => there ? Effect.succeed({ schedule: name }) : Effect.fail(notFound(name))
          )
        )))
  })
