/**
 * What the backend port keeps of pauses: task names that nobody claims for the time being, or all of them.
 */
import type * as Effect from "effect/Effect"
import type { TaskBackendError } from "./TaskError.js"

/** What is paused: the tasks of one name, or everything, whatever its name. */
export type ControlTarget =
  | { readonly _tag: "Task"; readonly name: string }
  | { readonly _tag: "Everything" }

/** A pause that is in force. */
export interface Control {
  readonly target: ControlTarget
  /** Epoch milliseconds. */
  readonly since: number
  /** Who asked for it, as the caller names them. */
  readonly by: string
}

/** What an instance has to know of pauses. Both count: a name stays paused when everything is resumed. */
export interface Paused {
  readonly everything: boolean
  /** In no particular order. */
  readonly names: ReadonlyArray<string>
}

/** `AlreadyPaused`: nothing changed. `TooMany`: 1,000 names are paused, so this one was not. */
export type PauseOutcome = "Paused" | "AlreadyPaused" | "TooMany"

/** How many names can be paused at once. */
export const maxPausedNames = 1_000

/**
 * The pauses of a backend.
 *
 * A claim that begins after a pause was answered hands out, and takes over, nothing that is paused; what was claimed before
 * goes on. A pause is a matter of claims alone: `write` inserts and starts what it is told to, so an instance that hands new
 * tasks to itself learns from its heartbeat what to leave unclaimed.
 */
export interface ControlStore {
  readonly pause: (target: ControlTarget, by: string, now: number) => Effect.Effect<PauseOutcome, TaskBackendError>
  /** Answers whether it was paused. */
  readonly resume: (target: ControlTarget) => Effect.Effect<boolean, TaskBackendError>
  /** All of them, the latest first. */
  readonly list: Effect.Effect<ReadonlyArray<Control>, TaskBackendError>
}
