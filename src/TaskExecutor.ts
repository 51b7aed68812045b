/**
 * The workers of this instance: one pool of threads and one of processes, each made when the first handler for it comes.
 *
 * The runner asks it to run an attempt whose handler is a module; the dispatcher asks how many of these may run at once. It
 * closes behind both, so a pool ends when its attempts have ended. What a worker is, is the pool's affair.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { WorkerJob, WorkerListener, WorkerOutcome } from "./executor/job.js"
import type * as WorkerPool from "./executor/WorkerPool.js"
import type { Group } from "./internal/slots.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import type { Registered, WorkerKind } from "./TaskRegistry.js"

export class TaskExecutor extends Context.Tag("effect-taskflow/TaskExecutor")<TaskExecutor, {
  /** The workers that attempts of this handler share, or null when they need none. */
  readonly groupOf: (registered: Registered | undefined) => Group | null
  /** Makes the pool that this handler needs, if nobody did before: its first workers start. */
  readonly prepare: (registered: Registered) => Effect.Effect<void>
  /** Runs one attempt in a worker. Interrupting it stops the worker's attempt, or the worker. */
  readonly run: (kind: WorkerKind, job: WorkerJob, listener: WorkerListener) => Effect.Effect<WorkerOutcome>
}>() {}

/** How pools are made. A reference: real ones unless a layer provides another. */
export class WorkerPools extends Context.Reference<WorkerPools>()("effect-taskflow/WorkerPools", {
  defaultValue: () => ({
    // Loaded when the first pool is made: most applications have none.
    make: (options: WorkerPool.WorkerPoolOptions): Effect.Effect<WorkerPool.WorkerPool, never, Scope.Scope> =>
      Effect.flatMap(Effect.promise(() => import("./executor/WorkerPool.js")), ({ make }) => make(options))
  })
}) {}

export const make = Effect.gen(function*() {
  const { executors } = yield* TaskflowConfig
  const scope = yield* Effect.scope
  const pools = yield* WorkerPools
  // Uninterruptible: one whose first user went away is there for the next.
  const poolOf = (kind: WorkerKind) =>
    Effect.cached(Effect.uninterruptible(Scope.extend(pools.make({ kind, ...executors[kind] }), scope)))
  const made = { thread: yield* poolOf("thread"), process: yield* poolOf("process") }
  const groups: { readonly [Kind in WorkerKind]: Group } = {
    thread: { max: executors.thread.max },
    process: { max: executors.process.max }
  }
  return TaskExecutor.of({
    groupOf: (registered) => registered?.handler._tag === "Module" ? groups[registered.handler.executor] : null,
    prepare: ({ handler }) => handler._tag === "Module" ? Effect.asVoid(made[handler.executor]) : Effect.void,
    run: (kind, job, listener) => Effect.flatMap(made[kind], ({ run }) => run(job, listener))
  })
})

export const layer: Layer.Layer<TaskExecutor, never, TaskflowConfig> = Layer.scoped(TaskExecutor, make)
