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
      return Effect.tapBoth(backend.write(batch), {
        onFailure: () => Effect.sync(() => count.commitFailed(RealTime.monotonic() - began)),
        onSuccess: () => Effect.sync(() => count.committed(batch.changes.length, RealTime.monotonic() - began))
      })
    }),
  heartbeat: (instance, now, vitals) =>
    Effect.tap(backend.heartbeat(instance, now, vitals), ({ alive }) => {
      if (alive && backend.info.shared) count.renewed()
      return Effect.void
    })
})
