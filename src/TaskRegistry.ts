/**
 * Which task names this instance can run, and how.
 *
 * Filled by `toLayer` while the layers are built. A name has one handler: a second one fails the build. Read by the
 * dispatcher (what to claim) and the runner (what to call).
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type { ModuleRef } from "./executor/job.js"
import type { Definition } from "./internal/definition.js"
import type { TaskContext } from "./TaskContext.js"
import { TaskflowWiringError } from "./TaskError.js"
import type { TaskId } from "./TaskId.js"
import type { TaskRecord } from "./TaskRecord.js"

/** Where a module's code runs. */
export type WorkerKind = Exclude<Definition["executor"], "fiber">

/** A handler that is a function. */
export interface FunctionHandler {
  readonly _tag: "Function"
  readonly handle: (payload: unknown) => Effect.Effect<unknown, unknown, TaskContext | Scope.Scope>
}

/** A handler that is a module. */
export interface ModuleHandler {
  readonly _tag: "Module"
  readonly ref: ModuleRef
}

/** A handler together with everything it needs to run. */
export interface Registered {
  readonly definition: Definition
  /** A function that runs here, or a module that a worker loads. */
  readonly handler: FunctionHandler | (ModuleHandler & { readonly executor: WorkerKind })
  /** Services, loggers and other fiber refs in force where the handler's layer was built. */
  readonly runtime: Runtime.Runtime<never>
}

/** What `toLayer` was given: it is checked against the definition before it is registered. */
export interface Given extends Omit<Registered, "handler"> {
  readonly handler: FunctionHandler | ModuleHandler
}

export class TaskRegistry extends Context.Tag("effect-taskflow/TaskRegistry")<TaskRegistry, {
  readonly get: (taskName: string) => Registered | undefined
  readonly names: () => ReadonlyArray<string>
  /** What runs this task: the handler of its name (of its version or a newer one), or the effect given for it alone. */
  readonly of: (
    task: Pick<TaskRecord, "taskId" | "taskName" | "kind" | "definitionVersion">
  ) => Registered | undefined
  /** Keeps a one-off effect until it ran. The answer lets it go. */
  readonly addEffect: (taskId: TaskId, registered: Registered) => () => void
  /** Adds a handler; a name that is taken is a defect. The answer takes it away again. */
  readonly add: (registered: Registered) => Effect.Effect<() => void>
}>() {}

export const make = Effect.sync(() => {
  const handlers = new Map<string, Registered>()
  const effects = new Map<TaskId, Registered>()
  return TaskRegistry.of({
    get: (taskName) => handlers.get(taskName),
    of: ({ definitionVersion, kind, taskId, taskName }) => {
      if (kind === "effect") return effects.get(taskId)
      const registered = handlers.get(taskName)
      return registered === undefined || registered.definition.version < definitionVersion ? undefined : registered
    },
    addEffect: (taskId, registered) => {
      effects.set(taskId, registered)
      return () => {
        effects.delete(taskId)
      }
    },
    names: () => [...handlers.keys()],
    add: (registered) =>
      Effect.suspend(() => {
        const { taskName } = registered.definition
        if (handlers.has(taskName)) {
          const message = `two handlers for task ${JSON.stringify(taskName)}: one of the toLayer(…) calls has to go, ` +
            `or one of the tasks needs another name`
          return Effect.die(new TaskflowWiringError({ message }))
        }
        handlers.set(taskName, registered)
        return Effect.succeed(() => {
          handlers.delete(taskName)
        })
      })
  })
})

export const layer: Layer.Layer<TaskRegistry> = Layer.effect(TaskRegistry, make)
