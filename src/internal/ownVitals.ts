/** Instances as they are listed, with what this one need not have said with a heartbeat yet. A side of TaskManager. */
import * as Effect from "effect/Effect"
import type { TaskBackendError } from "../TaskError.js"
import type { Parts } from "../TaskManager.js"
import type { InstanceInfo } from "../TaskPeer.js"

/** Where a backend is not shared nobody beats: that this instance answers is the heartbeat. */
export const make = (
  { backend, instance, lease }: Pick<Parts, "backend" | "instance" | "lease">
): Effect.Effect<ReadonlyArray<InstanceInfo>, TaskBackendError> =>
  Effect.map(backend.instances, (all) =>
    all.map((one) =>
      one.id !== instance.id || one.state !== "live"
        ? one
        : { ...one, vitals: lease.vitals(), beatAt: backend.info.shared ? one.beatAt : instance.now() }
    ))
