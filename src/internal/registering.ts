/**
 * How a handler comes to an engine and leaves it: checked against its definition, and drained before its services close.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { TaskflowWiringError } from "../TaskError.js"
import type { Given, Registered } from "../TaskRegistry.js"
import * as InPlace from "./inPlace.js"
import type { Parts } from "./parts.js"
import * as Transactional from "./transactional.js"

const refuse = (message: string) => Effect.die(new TaskflowWiringError({ message }))

// Where the handler runs, by its definition and by what it is.
const placed = (
  { definition, handler, runtime }: Given,
  inPlace: boolean
): Effect.Effect<Registered, never, Scope.Scope> => {
  const { executor, taskName } = definition
  const name = JSON.stringify(taskName)
  if (handler._tag === "Function") {
    return executor === "fiber" || inPlace
      ? Effect.succeed({ definition, handler, runtime })
      : refuse(
        `task ${name} has executor ${
          JSON.stringify(executor)
        } and a function for a handler, which cannot leave this process: ` +
          "give toLayer a Task.module(new URL(…, import.meta.url)) that Task.worker made, or take the executor away"
      )
  }
  if (executor === "fiber") {
    return refuse(
      `task ${name} has a module for a handler and runs on a fiber: give Task.make executor: "thread" or "process", or give ` +
        "toLayer a function"
    )
  }
  return inPlace
    ? Effect.map(InPlace.load(taskName, handler.ref), (loaded) => ({ definition, handler: loaded, runtime }))
    : Effect.succeed({ definition, handler: { ...handler, executor }, runtime })
}

export const make = (parts: Parts) => (given: Given): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { config, dispatcher, executor, registry } = parts
    const { taskName } = given.definition
    yield* Transactional.check(parts, given.definition)
    const registered = yield* placed(given, config.executors.inPlace)
    yield* executor.prepare(registered)
    yield* Effect.acquireRelease(
      Effect.tap(registry.add(registered), () => Effect.sync(() => dispatcher.handlerAdded(taskName))),
      // The handler's services close behind this finalizer: its attempts must have ended by then.
      (remove) => Effect.zipRight(dispatcher.drain(taskName), Effect.sync(remove))
    )
  })
