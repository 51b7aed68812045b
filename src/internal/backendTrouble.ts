/**
 * What the failure of a backend says about what to do next. Pure.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import { InstanceFenced, TaskBackendError } from "../TaskError.js"

/** Whether the instance was declared dead. */
export const isFenced = (cause: Cause.Cause<unknown>): boolean =>
  Chunk.some(Cause.failures(cause), (error) => error instanceof InstanceFenced)

/** Whether the data itself was refused and everything rolled back: asked again it would be refused again. */
export const isPermanent = (cause: Cause.Cause<unknown>): boolean =>
  Chunk.some(Cause.failures(cause), (error) => {
    const inner: unknown = error instanceof TaskBackendError ? error.cause : null
    return typeof inner === "object" && inner !== null && "permanent" in inner && inner.permanent === true
  })

/** The one error of a cause. A driver may also die: a COMMIT whose answer was lost arrives as a defect. */
export const errorOf = (method: string, cause: Cause.Cause<unknown>): TaskBackendError => {
  const error = Cause.squash(cause)
  return error instanceof TaskBackendError ? error : new TaskBackendError({ method, cause: error })
}

// A transaction of the application keeps the only writer of the file for itself.
const onSqlite = ": has a transaction been open for so long? On SQLite it holds up every task of the process"

/** Words for an answer that took longer than `limit`; none for one that was quick. */
export const whyLate = (kind: string, millis: number, limit: number): string =>
  millis < limit ? "" : `, after ${Math.round(millis)} ms${kind === "sqlite" ? onSqlite : ""}`
