/** A backend whose commits and heartbeats are counted. Its time is real, whatever Clock the engine runs on. */
import * as Effect from "effect/Effect"
import type { TaskBackend } from "../TaskBackend.js"
import { count } from "./counts.js"
import * as RealTime from "./realTime.js"

export const measured = (backend: TaskBackend["Type"]): TaskBackend["Type"] => ({
  ...backend,
  write: (batch) =>
    Effect.suspend(() => {
      const began = RealTime.monotonic()
      // One step of the fiber: an enqueue that is alone in its batch pays for all of them.
      return Effect.mapBoth(backend.write(batch), {
        onFailure: (error) => {
          count.commitFailed(RealTime.monotonic() - began)
          return error
        },
        onSuccess: (outcomes) => {
          count.committed(batch.changes.length, RealTime.monotonic() - began)
          return outcomes
        }
      })
    }),
  heartbeat: (instance, now, vitals) =>
    Effect.tap(backend.heartbeat(instance, now, vitals), ({ alive }) => {
      if (alive && backend.info.shared) count.renewed()
      return Effect.void
    })
})
