/**
 * This running engine: a new identity at every start, so that nothing of an earlier life can be mistaken for it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { InstanceId } from "./TaskEvent.js"
import { TaskIds } from "./TaskId.js"

export class TaskInstance extends Context.Tag("effect-taskflow/TaskInstance")<TaskInstance, {
  readonly id: InstanceId
}>() {}

export const make = Effect.gen(function*() {
  const ids = yield* TaskIds
  const clock = yield* Effect.clock
  return TaskInstance.of({ id: InstanceId.make(ids.next(clock.unsafeCurrentTimeMillis())) })
})

export const layer: Layer.Layer<TaskInstance> = Layer.effect(TaskInstance, make)
