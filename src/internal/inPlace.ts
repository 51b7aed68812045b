/**
 * The handler of a module as a function of this process, for tests: on a fiber, on the clock of the test.
 *
 * Loaded when the handler's layer is built and not with the first attempt, so an attempt waits for nothing real.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { ModuleRef } from "../executor/job.js"
import { workerKey } from "../executor/protocol.js"
import { TaskflowWiringError } from "../TaskError.js"
import type { FunctionHandler } from "../TaskRegistry.js"
import { messageOf } from "./failureOf.js"
import type { Served } from "./taskWorker.js"

const isServed = (value: unknown): value is Served => Predicate.hasProperty(value, workerKey)

/** The layer of the worker is built in the scope of the handler's layer. Dies when the module does not fit the task. */
export const load = (taskName: string, ref: ModuleRef): Effect.Effect<FunctionHandler, never, Scope.Scope> =>
  Effect.gen(function*() {
    const refuse = (why: string) =>
      Effect.die(
        new TaskflowWiringError({ message: `the handler of task ${JSON.stringify(taskName)}: ${ref.url}: ${why}` })
      )
    const module = yield* Effect.catchAll(
      Effect.tryPromise({ try: (): Promise<object> => import(ref.url), catch: messageOf }),
      (message) => refuse(`cannot be loaded: ${message}`)
    )
    const worker: unknown = Reflect.get(module, ref.exportName)
    if (!isServed(worker)) return yield* refuse(`its export ${ref.exportName} is not what Task.worker makes`)
    if (worker.taskName !== taskName) {
      return yield* refuse(`its export ${ref.exportName} is the worker of task ${JSON.stringify(worker.taskName)}`)
    }
    const { handler, layer } = worker
    const context = layer === undefined ? Context.empty() : yield* Effect.orDie(Layer.build(layer))
    return { _tag: "Function", handle: (payload) => Effect.provide(handler(payload), context) }
  })
