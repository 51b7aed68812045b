/**
 * Tasks that are not persisted (`persist: false`): which ones they are, and how many fit. Asked by the front of the engine.
 *
 * They live in this instance's memory alone. The backend that the engine sees sends what concerns them there.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { TaskBackend } from "./TaskBackend.js"
import type { TaskId } from "./TaskId.js"

export class TaskVolatile extends Context.Tag("effect-taskflow/TaskVolatile")<TaskVolatile, {
  /** Where they are written. */
  readonly memory: TaskBackend["Type"]
  /** Says of a new task, before it is handed over, that it shall not be persisted. */
  readonly mark: (taskId: TaskId) => void
  /** Its insert was decided, whatever became of it. */
  readonly settled: (taskId: TaskId) => void
  readonly has: (taskId: TaskId) => boolean
  /** Those that have not ended. */
  readonly unfinished: () => number
  /** How many of them fit. */
  readonly maxLive: number
  /** Returns when another one fits. */
  readonly room: Effect.Effect<void>
}>() {}
