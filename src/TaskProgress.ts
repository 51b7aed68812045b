/**
 * How far a running task is, for whoever watches. Outside a task it does nothing.
 */
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import { currentAttempt } from "./TaskContext.js"

// It is part of the record, and written with each of its changes.
const maxMessage = 1_000

/**
 * `value` from 0 to 1 (clamped; not a number counts as 0), with a few words if you like, of which 1,000 characters are kept.
 * The latest one counts.
 */
export const set = (value: number, message?: string): Effect.Effect<void> =>
  Effect.map(FiberRef.get(currentAttempt), (attempt) => {
    if (Option.isNone(attempt)) return
    const clamped = Number.isNaN(value) ? 0 : Math.min(1, Math.max(0, value))
    attempt.value.progress({ value: clamped, message: message === undefined ? null : message.slice(0, maxMessage) })
  })
