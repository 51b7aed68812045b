/** Where commands write: answers to one side, everything about them to the other. Tests give one that remembers. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

export class Screen extends Context.Tag("effect-taskflow/cli/Screen")<Screen, {
  /** Whole lines of the answer; returns when they were taken. */
  readonly out: (text: string) => Effect.Effect<void>
  /** Whole lines about it, for people. */
  readonly note: (text: string) => Effect.Effect<void>
  /** Text that is written over, on a terminal. Nothing elsewhere. */
  readonly live: ((text: string) => Effect.Effect<void>) | null
  /** Columns of a terminal; null elsewhere: nothing is cut then. */
  readonly width: number | null
  /** Whether codes of a terminal may be in what is written. */
  readonly color: boolean
  /** Called by what goes on until a signal: such an end is a good one. */
  readonly serving: () => void
}>() {}

/** How a command ends. */
export const exit = {
  /** Done. */
  done: 0,
  /** It could not be done, or what was asked about is not so. */
  failed: 1,
  /** The command was not understood: arguments, a url, a missing package. */
  usage: 2,
  /** `doctor` found a problem. */
  found: 3
} as const

export type Exit = typeof exit[keyof typeof exit]

/** A command ends without having done what it was asked. */
export class Failure extends Data.TaggedError("Failure")<{ readonly message: string; readonly code: Exit }> {}

/** A command has said everything, and it is no success. */
export class Ended extends Data.TaggedError("Ended")<{ readonly code: Exit }> {}

export const failed = (message: string): Failure => new Failure({ message, code: exit.failed })
export const misused = (message: string): Failure => new Failure({ message, code: exit.usage })
