/**
 * What an attempt's Exit means for its task. Pure: the reasons to stop are kept apart here and nowhere else.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { TaskDefect, TaskTimeout } from "../TaskError.js"
import type { TaskFailure } from "../TaskEvent.js"
import { Misfit } from "./codec.js"
import { messageOf, nameOf } from "./failureOf.js"

/** Why somebody asked an attempt to stop, set before it is interrupted. */
export type StopRequest = "cancel" | "shutdown" | "lostLease" | "timeout" | "snooze"

/** What became of an attempt, before retries are considered. */
export type Verdict =
  | { readonly _tag: "Succeeded"; readonly result: string | null }
  | { readonly _tag: "Cancelled" }
  | { readonly _tag: "Snoozed" }
  | { readonly _tag: "CutShort"; readonly stopReason: "shutdown" | "lostLease" }
  | { readonly _tag: "Undecodable"; readonly misfit: Misfit }
  /** `error` is what a retry policy sees. `typed`: the task's own error, to be stored by its schema. */
  | { readonly _tag: "Failed"; readonly kind: TaskFailure["kind"]; readonly error: unknown; readonly typed: boolean }

const defect = (value: unknown): Verdict => ({
  _tag: "Failed",
  kind: "defect",
  error: new TaskDefect({ name: nameOf(value), message: messageOf(value) }),
  typed: false
})

/**
 * Judges an attempt. A success always counts, also when a stop was asked; a failure of the handler's own counts as such
 * unless it was cancelled.
 */
export const judge = (
  exit: Exit.Exit<string | null, unknown>,
  requested: StopRequest | null,
  timeoutMillis: number | null
): Verdict => {
  if (Exit.isSuccess(exit)) return { _tag: "Succeeded", result: exit.value }
  if (requested === "cancel") return { _tag: "Cancelled" }
  const { cause } = exit
  if (Cause.isInterrupted(cause)) {
    switch (requested) {
      case "timeout":
        return { _tag: "Failed", kind: "timeout", error: new TaskTimeout({ millis: timeoutMillis ?? 0 }), typed: false }
      case "snooze":
        return { _tag: "Snoozed" }
      case "shutdown":
      case "lostLease":
        return { _tag: "CutShort", stopReason: requested }
      case null:
        break
    }
  }
  const failure = Cause.failureOption(cause)
  if (Option.isSome(failure)) {
    return failure.value instanceof Misfit
      ? { _tag: "Undecodable", misfit: failure.value }
      : { _tag: "Failed", kind: "error", error: failure.value, typed: true }
  }
  const thrown = Chunk.head(Cause.defects(cause))
  return Option.isSome(thrown)
    ? defect(thrown.value)
    : defect(new Error("the handler was interrupted from inside: something it waited for was interrupted"))
}
