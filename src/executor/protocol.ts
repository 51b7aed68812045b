/**
 * What a pool and its workers say to each other. Loads nothing, so that a worker knows it before it loads anything.
 *
 * A worker runs one attempt at a time. Every message about an attempt carries the number of its run: what comes late is told
 * apart. A process shares its channel with the application's own code, so messages carry a mark.
 */
import type { LogLevel } from "../TaskEvent.js"
import type { ModuleRef, WorkerError, WorkerJob, WorkerOutcome } from "./job.js"

/** Grows when messages change their meaning. The pool, the entry and `Task.worker` may come from different copies. */
export const protocol = 1

/** The property that holds the message. */
export const mark = "effect-taskflow/worker"

/** The property of what `Task.worker` made that a worker knows it by; its value is the protocol. */
export const workerKey = Symbol.for("effect-taskflow/Task/Worker")

/** Set on the global object of a worker that loads TypeScript. */
export const typesLoaded = Symbol.for("effect-taskflow/typesLoaded")

/** What a worker is started with. */
export interface WorkerStart {
  /** The process id of a child's parent. */
  readonly parent: number
  /** Whether to say at the end of each attempt how much memory is used. */
  readonly tellMemory: boolean
}

/** To a worker. */
export type ToWorker =
  | { readonly _tag: "Load"; readonly modules: ReadonlyArray<ModuleRef> }
  | { readonly _tag: "Run"; readonly run: number; readonly job: WorkerJob }
  | { readonly _tag: "Interrupt"; readonly run: number }
  /** Stop what runs, close what is open, and end. */
  | { readonly _tag: "Close" }

/** What one attempt says. */
export type FromAttempt =
  /** Module and layer are there: the handler begins. */
  | { readonly _tag: "Started"; readonly run: number }
  /** `annotations` is JSON text. */
  | {
    readonly _tag: "Log"
    readonly run: number
    readonly level: LogLevel
    readonly message: string
    readonly annotations: string | null
  }
  | { readonly _tag: "Progress"; readonly run: number; readonly value: number; readonly message: string | null }
  /** `outcome` is null when it was interrupted. */
  | { readonly _tag: "Ended"; readonly run: number; readonly outcome: WorkerOutcome | null }

/** From a worker. */
export type FromWorker =
  | FromAttempt
  | { readonly _tag: "Hello"; readonly protocol: number }
  /** In bytes, said before `Ended`: of a process all that it holds, of a thread what its JavaScript does. */
  | { readonly _tag: "Memory"; readonly bytes: number }
  /** An error that nobody caught ends the worker: this is the last that it says. */
  | { readonly _tag: "Dying"; readonly error: WorkerError }

/** What `Task.worker` made, as the entry sees it. */
export interface Servable {
  readonly [workerKey]: number
  readonly taskName: string
  readonly serve: (send: (message: FromAttempt) => void) => Session
}

/** A handler at work in one worker. */
export interface Session {
  readonly run: (run: number, job: WorkerJob) => void
  /** Interrupts what runs. It still answers `Ended`. */
  readonly interrupt: () => void
  /** Interrupts what runs, waits for it and closes the layer. */
  readonly close: () => Promise<void>
}
