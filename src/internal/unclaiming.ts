/**
 * Out of this instance's hands: back to the backend for whoever takes it, or to its end when nobody else could run it.
 */
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type { TaskBackend } from "../TaskBackend.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { TaskStore } from "../TaskStore.js"

export const make = (options: {
  readonly backend: TaskBackend["Type"]
  readonly runtime: Runtime.Runtime<never>
  readonly store: TaskStore["Type"]
  readonly now: () => number
  /** It is ready for anyone. `ranked`: it may rank before what is held here. */
  readonly waits: (record: TaskRecord, ranked: boolean) => void
}): (record: TaskRecord, ranked?: boolean) => void => {
  const { backend, now, runtime, store } = options
  return (record, ranked = false) => {
    if (record.kind === "task") return store.unclaim(record, () => options.waits(record, ranked))
    Runtime.runFork(
      runtime,
      Effect.map(backend.cancel(record.taskId, now()), (result) => {
        if (result._tag === "Cancelled") {
          store.ended({ _tag: "Cancelled", taskId: record.taskId, at: now() }, result.record)
        }
      })
    )
  }
}
