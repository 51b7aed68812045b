/** The types around `Task.worker`, which exports them: what a handler that runs away from the engine may need. */
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Any, Error, Payload, Success } from "../Task.js"
import type { TaskContext } from "../TaskContext.js"
import type * as TaskWorker from "./taskWorker.js"

/** What a module exports for `Task.module`: a handler with all that it needs to run away from the engine. */
export interface Worker<in out Name extends string> extends TaskWorker.Served {
  /** The name of its task. */
  readonly taskName: Name
}

/** What the schemas of a task need that no layer gives. */
export type Unprovided<T extends Any, R> = [Exclude<SchemaContext<T>, R>] extends [never] ? unknown
  : { readonly _itsSchemasNeedALayerFor: Exclude<SchemaContext<T>, R> }

type SchemaContext<T extends Any> =
  | T["payloadSchema"]["Context"]
  | T["successSchema"]["Context"]
  | T["errorSchema"]["Context"]

/** A handler that needs `R`. */
export type WorkerHandler<T extends Any, R> = (
  payload: Payload<T>
) => Effect.Effect<Success<T>, Error<T>, R | TaskContext | Scope.Scope>

/** What a worker has besides its handler. */
export interface WorkerOptions<R, LE> {
  /**
   * What the handler needs. Built once in each worker, when its first attempt starts there, kept for its life and closed when it
   * ends. A layer that fails fails the attempt, and is built anew for the next one.
   */
  readonly layer: Layer.Layer<R, LE>
}
