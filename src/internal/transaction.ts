/**
 * Whether the calling fiber is in a transaction of an SqlClient, whichever: known by a name, so that the engine loads no
 * SQL.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { TaskInTransaction } from "../TaskError.js"

// The key of @effect/sql's TransactionConnection, one for all clients.
const key = "@effect/sql/SqlClient/TransactionConnection"

export const isInTransaction = (fiber: Fiber.RuntimeFiber<unknown, unknown>): boolean =>
  fiber.currentContext.unsafeMap.has(key)

/** Fails inside a transaction: `call` would wait for what can only happen after it. */
export const notInTransaction = (call: string): Effect.Effect<void, TaskInTransaction> =>
  Effect.withFiberRuntime((fiber) =>
    isInTransaction(fiber) ? Effect.fail(new TaskInTransaction({ call })) : Effect.void
  )
