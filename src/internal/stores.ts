/**
 * What is kept beside tasks, as far as people look at it and change it: the audit trail, groups of errors, history.
 * A side of TaskManager.
 */
import * as Effect from "effect/Effect"
import type { TaskBackend } from "../TaskBackend.js"
import type { TaskBackendError } from "../TaskError.js"
import type { Parts, TaskManager } from "../TaskManager.js"
import { countedTo, usualCount } from "./counting.js"

type Front = Pick<TaskManager["Type"], "audit" | "errors" | "countHistory" | "deleteHistory" | "retention">

const step = 500
const most = 10_000

// In steps between which others get their turn.
const clear = (
  backend: TaskBackend["Type"],
  endedBefore: number,
  deleted = 0
): Effect.Effect<number, TaskBackendError> =>
  Effect.flatMap(backend.deleteBefore(endedBefore, step), (some) => {
    const all = deleted + some
    return some < step || all >= most
      ? Effect.succeed(all)
      : Effect.zipRight(Effect.yieldNow(), clear(backend, endedBefore, all))
  })

export const make = ({ backend, config }: Parts, outside: (call: string) => Effect.Effect<void>): Front => {
  const { audit, errors } = backend
  const write = <A, E>(call: string, self: () => Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.zipRight(outside(`TaskManager.${call}`), Effect.suspend(self))
  return {
    audit: { append: (entries) => write("audit.append", () => audit.append(entries)), page: audit.page },
    errors: { ...errors, dismiss: (fingerprint) => write("errors.dismiss", () => errors.dismiss(fingerprint)) },
    retention: config.retention,
    countHistory: (endedBefore, most = usualCount) => backend.countBefore(endedBefore, countedTo(most)),
    deleteHistory: (endedBefore) => write("deleteHistory", () => clear(backend, endedBefore))
  }
}
