/** The stores beside the tasks of MemoryBackend as the port has them: each call one synchronous step. */
import * as Effect from "effect/Effect"
import type { AuditStore } from "../AuditStore.js"
import type { ControlStore } from "../ControlStore.js"
import type { ErrorStore } from "../ErrorStore.js"
import type { ScheduleStore, SlotRequest } from "../ScheduleStore.js"
import { InstanceFenced } from "../TaskError.js"
import type { InstanceId } from "../TaskEvent.js"
import * as Audit from "./memoryAudit.js"
import type { Controls } from "./memoryControls.js"
import type { Errors } from "./memoryErrors.js"
import * as Schedules from "./memorySchedules.js"

/** What they are made on. */
export interface Parts {
  readonly controls: Controls
  readonly errors: Errors
  readonly tasks: Schedules.Tasks
  readonly isAlive: (instance: InstanceId) => boolean
}

export const make = ({ controls, errors, isAlive, tasks }: Parts) => {
  const audit = Audit.make()
  const schedules = Schedules.make(tasks)
  const step = <Args extends ReadonlyArray<unknown>, A>(self: (...args: Args) => A) => (...args: Args) =>
    Effect.sync(() => self(...args))
  return {
    schedules: {
      define: step(schedules.define),
      get: step(schedules.get),
      list: step(schedules.list),
      pause: step(schedules.pause),
      resume: step(schedules.resume),
      retire: step(schedules.retire),
      remove: step(schedules.remove),
      fireSlot: (request: SlotRequest) =>
        Effect.suspend(() =>
          isAlive(request.instance)
            ? Effect.succeed(schedules.fireSlot(request))
            : Effect.fail(new InstanceFenced({ instance: request.instance }))
        )
    } satisfies ScheduleStore,
    controls: {
      pause: step(controls.pause),
      resume: step(controls.resume),
      list: Effect.sync(controls.list)
    } satisfies ControlStore,
    audit: {
      append: step(audit.append),
      page: step(audit.page),
      deleteBefore: step(audit.deleteBefore)
    } satisfies AuditStore,
    errors: {
      list: step(errors.list),
      get: step(errors.get),
      dismiss: step(errors.dismiss)
    } satisfies ErrorStore
  }
}
