/**
 * Schedules as they are looked at and steered. A side of TaskManager.
 */
import * as Effect from "effect/Effect"
import type { StoredSchedule } from "../ScheduleStore.js"
import { TaskBackendError, TaskScheduleError, TaskScheduleNotFound } from "../TaskError.js"
import type { Parts } from "../TaskManager.js"
import { maxKnown } from "../TaskScheduler.js"
import type { TaskSchedules } from "../TaskSchedules.js"
import type { EnqueueMade } from "./admission.js"
import type { Definition } from "./definition.js"
import * as ScheduleInfo from "./scheduleInfo.js"
import * as ScheduleOptions from "./scheduleOptions.js"
import * as ScheduleSpec from "./scheduleSpec.js"
import { recordOf } from "./scheduleTask.js"
import { quoted } from "./shown.js"
import * as SlotGaps from "./slotGaps.js"

type Task = { readonly definition: Definition }

export const make = (
  { backend, config, ids, instance, scheduler }: Parts,
  enqueueMade: EnqueueMade,
  outside: (call: string) => Effect.Effect<void>
): TaskSchedules => {
  const { schedules } = backend
  const { now } = instance
  const { cancelled, failed, interrupted, success } = config.retention
  // A run is kept at least so long, whatever becomes of it.
  const kept = Math.min(cancelled, failed, interrupted, success)

  // What the code has is there for whoever asks, from the start.
  const ready = (call: string): Effect.Effect<void> =>
    Effect.zipRight(outside(`TaskManager.schedules.${call}`), scheduler.told)

  const infoOf = (stored: StoredSchedule) => ScheduleInfo.infoOf(stored, now())

  const change = (call: "pause" | "resume") => (name: string) =>
    Effect.zipRight(
      ready(call),
      Effect.map(Effect.suspend(() => schedules[call](name, now())), (stored) => {
        if (stored === null) return null
        scheduler.heard(stored)
        return infoOf(stored)
      })
    )

  const trigger = Effect.fnUntraced(function*(name: string) {
    yield* ready("trigger")
    const stored = yield* schedules.get(name)
    if (stored === null || stored.retiredAt !== null) return yield* new TaskScheduleNotFound({ schedule: name })
    const facts = ScheduleSpec.read(stored.spec)
    if (facts === null) {
      const cause = new Error(
        `what schedule ${
          JSON.stringify(name)
        } says cannot be read here: a newer version wrote it, or its key is missing`
      )
      return yield* new TaskBackendError({ method: "schedules.trigger", cause })
    }
    const of = { facts, name, taskName: stored.taskName }
    return yield* enqueueMade(stored.taskName, (at, trace) => recordOf(of, at, "manual", ids.next(at), at, trace))
  })

  const upsert = Effect.fnUntraced(function*({ definition: task }: Task, options: ScheduleOptions.Source) {
    yield* ready("upsert")
    const { definition, facts } = yield* ScheduleOptions.make(task, options, "dynamic", now(), config.maxPayloadSize)
    const { name } = definition
    const refuse = (message: string) =>
      new TaskScheduleError({ schedule: name, path: "name", message: `schedule ${quoted(name)}: ${message}` })
    const before = yield* schedules.get(name)
    if (scheduler.isOfCode(name) || (before !== null && before.origin === "code" && before.retiredAt === null)) {
      return yield* refuse("the code of a program has this name: take another one, or change it there")
    }
    if (!scheduler.hasRoom(name)) return yield* refuse(`there are ${maxKnown} schedules already: remove some`)
    const anchor = ScheduleInfo.anchorOf(before, facts, definition.anchor)
    const stored = yield* schedules.define({ ...definition, anchor }, now())
    scheduler.heard(stored)
    return infoOf(stored)
  })

  const register = Effect.fnUntraced(function*({ definition: task }: Task, options: ScheduleOptions.Source) {
    const made = yield* Effect.orDie(ScheduleOptions.make(task, options, "code", now(), config.maxPayloadSize))
    if (made.facts.idempotencyKey !== null && made.facts.keyTtl === null) {
      yield* Effect.logWarning(
        `schedule ${
          JSON.stringify(made.definition.name)
        }: its task has an idempotencyKey and no keyTtl, so a slot that ` +
          "succeeded keeps the key and those after it run no more: give the task a keyTtl shorter than the time between slots"
      )
    }
    yield* scheduler.register(made)
  })

  return {
    list: (page = {}) =>
      Effect.map(
        Effect.zipRight(scheduler.told, Effect.suspend(() => schedules.list(page))),
        ({ items, nextCursor }) => ({ items: items.map(infoOf), nextCursor })
      ),
    get: (name) =>
      Effect.map(
        Effect.zipRight(scheduler.told, Effect.suspend(() => schedules.get(name))),
        (stored) => stored === null ? null : infoOf(stored)
      ),
    pause: change("pause"),
    resume: change("resume"),
    trigger,
    // safe (both): the interface says what the payload's schema requires; that is in the caller's environment then
    upsert: upsert as unknown as TaskSchedules["upsert"],
    register: register as unknown as TaskSchedules["register"],
    remove: (name) =>
      Effect.zipRight(
        ready("remove"),
        Effect.tap(Effect.suspend(() => schedules.remove(name)), () => Effect.sync(() => scheduler.removed(name)))
      ),
    next: (schedule, count) => ScheduleInfo.next(schedule, count, now()),
    gaps: (schedule, runs, areAll) => SlotGaps.of(schedule, { runs, areAll, keptSince: now() - kept })
  }
}
