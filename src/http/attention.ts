/**
 * How many groups of errors wait for a person: those that are not dismissed. Told to whoever watches when a person changes it, which
 * no task tells of.
 */
import * as Effect from "effect/Effect"
import type { TaskBackendError } from "../TaskError.js"
import type { TaskManager } from "../TaskManager.js"

/** No more are counted. */
export const most = 100

export interface Attention {
  readonly groups: Effect.Effect<number, TaskBackendError>
  /** A person dismissed some. */
  readonly changed: Effect.Effect<void>
  readonly onChange: (listener: () => void) => void
}

export const groupsOf = (manager: Pick<TaskManager["Type"], "errors">): Effect.Effect<number, TaskBackendError> =>
  Effect.map(manager.errors.list({ limit: most }), ({ items }) => items.length)

export const make = (manager: Pick<TaskManager["Type"], "errors">): Attention => {
  const listeners: Array<() => void> = []
  return {
    groups: groupsOf(manager),
    changed: Effect.sync(() => {
      for (const listener of listeners) listener()
    }),
    onChange: (listener) => void listeners.push(listener)
  }
}
