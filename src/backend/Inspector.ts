/**
 * What tools ask of a database without changing anything in it: in which state its tables are, what is wrong with it, and the
 * tasks that are there. Called by the command line.
 *
 * `SqliteInspector`, `PostgresInspector`, `MysqlInspector` and `RedisInspector` make one each, with a client of its own.
 */
import type * as Effect from "effect/Effect"
import type { TaskBackend } from "../TaskBackend.js"
import type { TaskBackendError } from "../TaskError.js"
import type { Terminal } from "../TaskStatus.js"

/** A step that makes or changes a table. */
export interface PendingStep {
  readonly name: string
  /** Of the tables that it belongs to. */
  readonly version: number
}

/**
 * Which tables are there. `version`: the one they have; `known`: the one that this package makes, where it was looked up.
 *
 * - `None`: none of these names.
 * - `Current`: nothing is to be done.
 * - `Old`: steps are missing.
 * - `Newer`: a newer version of this package has changed them.
 * - `Unmanaged`: Redis has no tables.
 */
export type TablesState =
  | { readonly _tag: "Unmanaged" }
  | { readonly _tag: "None"; readonly known: number | null; readonly pending: ReadonlyArray<PendingStep> }
  | {
    readonly _tag: "Old"
    readonly version: number
    readonly known: number
    readonly pending: ReadonlyArray<PendingStep>
  }
  | { readonly _tag: "Current"; readonly version: number; readonly known: number }
  | { readonly _tag: "Newer"; readonly version: number; readonly known: number }

/** Something that is wrong (`problem`), or that one may want to know (`note`). */
export interface Finding {
  /** The same for the same trouble, whatever the values: `orphans.keys`. */
  readonly code: string
  readonly level: "problem" | "note"
  readonly what: string
  /** How many; `atLeast` when counting stopped there. Null where nothing is counted. */
  readonly count: number | null
  readonly atLeast: boolean
  /** One of them. */
  readonly example: string | null
  /** What to do. */
  readonly todo: string
}

export interface Inspector {
  readonly tables: TablesState
  /** Everything that writes fails. */
  readonly backend: TaskBackend["Type"]
  /** As of the port, for some statuses. */
  readonly countBefore: (
    cutoff: number,
    most: number,
    status: ReadonlyArray<Terminal>
  ) => Effect.Effect<number, TaskBackendError>
  /** What is wrong with what is stored, whoever stored it. Bounded, and each part by itself. */
  readonly checks: ReadonlyArray<{
    readonly name: string
    readonly run: Effect.Effect<ReadonlyArray<Finding>, TaskBackendError>
  }>
}

/** An id where a statement is told that may be pasted: nothing that is none of ours gets into it. */
export const pasted = (id: string): string => /^[\w+/=-]{1,100}$/.test(id) ? id : "…"

/** Rows that one check looks at, at most. */
export const mostRows = 50_000
/** How far a check counts. */
export const mostCounted = 10_000
