/**
 * What the backend port keeps of failures: failed tasks counted by what went wrong, so that two thousand failures are three
 * errors.
 */
import type * as Effect from "effect/Effect"
import type { FailureSample } from "./internal/fingerprint.js"
import type { TaskBackendError } from "./TaskError.js"
import type { TaskId } from "./TaskId.js"

export type { FailureSample }

/** Failures of one task name that are the same to a person. Times are epoch milliseconds. */
export interface ErrorGroup {
  /** Of task name, kind and name of the error, its message without values, and the handler's own frame. */
  readonly fingerprint: string
  readonly taskName: string
  /** Tasks that failed so since the first, those that retention removed included. */
  readonly count: number
  /** How many of them were there when the group was dismissed; 0 when it never was. */
  readonly dismissed: number
  readonly firstSeenAt: number
  readonly lastSeenAt: number
  /** The one that failed last; it may have been removed since. */
  readonly lastTask: TaskId
  /** Of the one that failed last. */
  readonly sample: FailureSample
}

/** Which groups. Everything given must hold; absent means any. */
export interface ErrorQuery {
  /** Of this name alone. Default: of all names. */
  readonly taskName?: string | undefined
  /** Seen at or after: epoch milliseconds. Default: since ever. */
  readonly since?: number | undefined
  /** Those that were dismissed and did not happen since. Default false: all the others. */
  readonly dismissed?: boolean | undefined
  /** What comes first: the one that was seen last, or the one with most failures. Default `lastSeen`. */
  readonly order?: "lastSeen" | "count" | undefined
  /** Taken as a whole number from 1 to 200. Default 50. */
  readonly limit?: number | undefined
  /**
   * `nextCursor` of the page before, of the same order. Groups that move meanwhile may be met twice or not at all. What is no
   * cursor is never a failure. Default: begin.
   */
  readonly cursor?: string | undefined
}

/** One page, and where the next begins; null at the end. */
export interface ErrorPage {
  readonly items: ReadonlyArray<ErrorGroup>
  readonly nextCursor: string | null
}

/** Groups that were not seen for this long (milliseconds) are forgotten by `maintain`: 30 days. */
export const errorsKept = 30 * 24 * 3_600_000

/**
 * About how many groups there are: beyond that, the ones that were not seen for longest are forgotten. A backend that counts
 * by instance bounds its rows instead, at twice this number.
 */
export const maxErrorGroups = 10_000

/**
 * The failures of a backend. A task counts when it ends as `failed`, in the unit that ends it, whoever ends it. Attempts that
 * fail and are tried again do not.
 */
export interface ErrorStore {
  readonly list: (query: ErrorQuery) => Effect.Effect<ErrorPage, TaskBackendError>
  /** The group of this fingerprint, dismissed or not; null when there is none. */
  readonly get: (fingerprint: string) => Effect.Effect<ErrorGroup | null, TaskBackendError>
  /** Hides the group until it happens again. Answers whether it is there. */
  readonly dismiss: (fingerprint: string) => Effect.Effect<boolean, TaskBackendError>
}
