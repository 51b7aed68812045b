/**
 * What the backend port keeps of what people did: who, when, what, to what, and how it went.
 */
import type * as Effect from "effect/Effect"
import type { TaskBackendError } from "./TaskError.js"

/** One action of a person or a program, also one that was denied. Strings are of any length and compared exactly. */
export interface AuditEntry {
  /** A UUID of its own, in lower case: appending an entry again changes nothing. */
  readonly id: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly who: string
  /** As `retry` or `schedule.pause`. */
  readonly action: string
  /** A task, a schedule, a name; null where there is no one thing. */
  readonly target: string | null
  /** JSON text. */
  readonly parameters: string
  /** As `done`, `denied`, or what went wrong. */
  readonly outcome: string
}

/** Which entries. Everything given must hold; absent means any. */
export interface AuditQuery {
  /** Of this person alone. Default: of all. */
  readonly who?: string | undefined
  /** This action alone. Default: all. */
  readonly action?: string | undefined
  /** Done to this alone. Default: to anything. */
  readonly target?: string | undefined
  /** At or after: epoch milliseconds. Default: since ever. */
  readonly since?: number | undefined
  /** Before: epoch milliseconds. Default: up to now. */
  readonly until?: number | undefined
  /** Taken as a whole number from 1 to 200. Default 50. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before; that entry need not be there any more. What is no cursor is never a failure. Default: begin. */
  readonly cursor?: string | undefined
}

/** One page, newest first, and where the next begins; null at the end. */
export interface AuditPage {
  readonly items: ReadonlyArray<AuditEntry>
  readonly nextCursor: string | null
}

/** The audit trail of a backend: kept until `deleteBefore`, in memory the newest 10,000 entries. */
export interface AuditStore {
  /** All of them or none. */
  readonly append: (entries: ReadonlyArray<AuditEntry>) => Effect.Effect<void, TaskBackendError>
  /** Newest first: by `at`, then by id, both descending. */
  readonly page: (query: AuditQuery) => Effect.Effect<AuditPage, TaskBackendError>
  /** Removes up to `limit` entries from before `cutoff` (epoch milliseconds), the oldest first; answers how many. */
  readonly deleteBefore: (cutoff: number, limit: number) => Effect.Effect<number, TaskBackendError>
}
