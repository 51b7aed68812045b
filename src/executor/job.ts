/**
 * What crosses between the engine and a worker: one attempt of a task as data, and what became of it. Types alone, so both
 * sides can load them for nothing.
 */
import type { FailureCause, LogLevel, Progress } from "../TaskEvent.js"
import type { TaskRecord } from "../TaskRecord.js"

/** Where a handler's code is: a module whose default export (or the export of this name) is what `Task.worker` made. */
export interface ModuleRef {
  /** A `file:` URL. */
  readonly url: string
  readonly exportName: string
}

/** One attempt, as a worker gets it. */
export interface WorkerJob {
  readonly module: ModuleRef
  /** JSON text in the payload's encoded form: it is decoded in the worker. */
  readonly payload: string
  /** The largest result, in UTF-16 units of its JSON text. */
  readonly maxResultSize: number
  /** Lines below this level are not sent. */
  readonly logLevel: LogLevel
  /** What `TaskContext.current` answers in the worker, but for its signal. `attempt` is the zero-based retry index. */
  readonly context: Pick<TaskRecord, "taskId" | "taskName" | "tags" | "source" | "schedule"> & {
    readonly attempt: number
    readonly instance: string
    readonly fence: number
  }
}

/** What an attempt says while it runs. Each is called as soon as the worker said it, in its order. */
export interface WorkerListener {
  /** A worker, its module and its layer are there: the handler begins. */
  readonly started: () => void
  readonly log: (level: LogLevel, message: string, annotations: Record<string, unknown>) => void
  readonly progress: (progress: Progress) => void
}

/** An error as data. */
export interface WorkerError {
  readonly name: string
  readonly message: string
  readonly stack: string
  /** What its cause was made of, if of several parts. */
  readonly cause?: FailureCause
}

/** What became of an attempt in a worker. Interrupting `run` gives none. */
export type WorkerOutcome =
  /** The result's JSON text; null without a success schema. */
  | { readonly _tag: "Success"; readonly result: string | null }
  /** The task's typed error, JSON text in its encoded form. `final`: `Task.unrecoverable` was called with it. */
  | { readonly _tag: "Failure"; readonly error: string; readonly final: boolean; readonly shown: WorkerError }
  /** Anything else thrown or died of, also a result that does not fit, a module that cannot be loaded, a worker that died. */
  | { readonly _tag: "Defect"; readonly final: boolean; readonly shown: WorkerError }
  /** The payload did not fit the definition that the module has: as `path: what`. */
  | { readonly _tag: "Undecodable"; readonly message: string }
  | { readonly _tag: "Snoozed"; readonly millis: number }
