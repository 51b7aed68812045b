/** Enqueues what arrives as JSON, by the name of its task. A side of TaskManager. */
import * as Effect from "effect/Effect"
import { type EnqueueError, TaskNotRegistered } from "../TaskError.js"
import type { EnqueueResult, TaskManager } from "../TaskManager.js"
import type { TaskRegistry } from "../TaskRegistry.js"
import { decodeArgument } from "./changedPayload.js"
import type { Definition } from "./definition.js"
import type { EnqueueOptions } from "./prepare.js"

type Enqueue = (
  task: { readonly definition: Definition },
  payload: unknown,
  options?: EnqueueOptions
) => Effect.Effect<EnqueueResult, EnqueueError>

export const make =
  (registry: TaskRegistry["Type"], enqueue: Enqueue): TaskManager["Type"]["enqueueJson"] =>
  (taskName, payload, options = {}) =>
    Effect.suspend((): Effect.Effect<EnqueueResult, EnqueueError | TaskNotRegistered> => {
      const registered = registry.get(taskName)
      if (registered === undefined) return Effect.fail(new TaskNotRegistered({ task: taskName }))
      const { definition, runtime } = registered
      return decodeArgument(definition, payload).pipe(
        Effect.flatMap((decoded) => enqueue({ definition }, decoded, options)),
        // Whatever the schema needs is where the handler's layer was built.
        Effect.provide(runtime)
      )
    })
