/**
 * Takes over the tasks of instances that died, in chunks, one instance after the other.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { TaskBackend } from "../TaskBackend.js"
import type { TaskBackendError } from "../TaskError.js"
import type { Peer } from "../TaskPeer.js"
import type { TaskRecord } from "../TaskRecord.js"

const reapChunk = 500

/** Begins to take over what the suspects owned, and returns. Does nothing while it is still at it. */
export const make = (options: {
  readonly backend: TaskBackend["Type"]
  readonly scope: Scope.Scope
  readonly now: () => number
  readonly onReaped: (records: ReadonlyArray<TaskRecord>) => void
}): (suspects: ReadonlyArray<Peer>) => Effect.Effect<void> => {
  const { backend, now, onReaped, scope } = options
  let reaping = false

  // A chunk that brings nothing waits for the next heartbeat: somebody is changing those tasks just now.
  const reap = (suspect: Peer, taken: number): Effect.Effect<void, TaskBackendError> =>
    Effect.flatMap(
      // One that is never answered must not keep the engine from closing.
      Effect.disconnect(backend.reap({ suspect: suspect.id, beat: suspect.beat, now: now(), limit: reapChunk })),
      ({ left, records }) => {
        onReaped(records)
        const total = taken + records.length
        if (left && records.length > 0) return reap(suspect, total)
        return total === 0
          ? Effect.void
          : Effect.logWarning(
            `task lease: instance ${suspect.id} on ${suspect.host} died: ${total} tasks were taken over`
          )
      }
    )

  // One whose tasks cannot be taken over must not keep those behind it from being taken over.
  const reapOne = (suspect: Peer): Effect.Effect<void> =>
    Effect.catchAllCause(
      Effect.suspend(() => reap(suspect, 0)),
      (cause) =>
        Effect.logWarning(
          `task lease: taking over the tasks of instance ${suspect.id} failed, the next round goes on`,
          cause
        )
    )

  return (suspects) => {
    if (suspects.length === 0 || reaping) return Effect.void
    reaping = true
    return Effect.forEach(suspects, reapOne, { discard: true }).pipe(
      Effect.ensuring(Effect.sync(() => reaping = false)),
      Effect.forkIn(scope),
      Effect.asVoid
    )
  }
}
