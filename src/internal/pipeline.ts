/**
 * What is the same for every attempt of a handler: from payload text to result text, and the runtime it runs in.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import { currentAttempt, TaskContext } from "../TaskContext.js"
import type { TaskflowConfig } from "../TaskflowConfig.js"
import type { Registered } from "../TaskRegistry.js"
import type * as Attempt from "./attempt.js"
import { captureLogs } from "./captureLogs.js"
import { answered } from "./codec.js"
import { setRef } from "./fiberRefs.js"

export interface Prepared {
  readonly runtime: Runtime.Runtime<never>
  /** `around` is put around everything from the payload to the result. */
  readonly pipeline: (
    payload: string,
    around?: (body: Effect.Effect<string | null, unknown>) => Effect.Effect<string | null, unknown>
  ) => Effect.Effect<Exit.Exit<string | null, unknown>>
}

/** Prepares each handler once. */
export const make = (config: TaskflowConfig["Type"]): (registered: Registered) => Prepared => {
  const prepared = new WeakMap<Registered, Prepared>()
  return (registered) => {
    const known = prepared.get(registered)
    if (known !== undefined) return known
    const { definition: { payload, success }, handler, runtime } = registered
    const encode = (codec: NonNullable<typeof success>) => (value: unknown): Effect.Effect<string> =>
      Effect.matchEffect(Effect.suspend(() => codec.encode(value)), {
        onFailure: ({ message, path }) =>
          Effect.die(
            new Error(
              `the result does not fit the task's success schema${path === "" ? "" : ` at ${path}`}: ${message}`
            )
          ),
        onSuccess: (text) =>
          text.length <= config.maxPayloadSize
            ? Effect.succeed(text)
            : Effect.die(
              new Error(`the result has ${text.length} characters of JSON, the limit is ${config.maxPayloadSize}`)
            )
      })
    const handled = (text: string) => {
      const decoded = payload.decode(text)
      const ready = answered(decoded)
      return ready === undefined ? Effect.flatMap(decoded, handler) : handler(ready.value)
    }
    // As an exit, so that a failure is the task's affair and not an unhandled error of its fiber.
    const body = (text: string) =>
      Effect.suspend(() => success === null ? handled(text) : Effect.flatMap(handled(text), encode(success)))
    // safe: without a success schema nothing is stored, whatever the handler gave
    const pipeline: Prepared["pipeline"] = (text, around) => {
      const whole = body(text) as Effect.Effect<string | null, unknown>
      return Effect.exit(around === undefined ? whole : around(success === null ? Effect.as(whole, null) : whole))
    }
    const made: Prepared = {
      runtime: Runtime.make({ ...runtime, fiberRefs: captureLogs(runtime.fiberRefs, config.logs.level) }),
      pipeline
    }
    prepared.set(registered, made)
    return made
  }
}

/** The runtime of one attempt: its context and its scope over the handler's services. */
export const runtimeOf = (
  base: Runtime.Runtime<never>,
  attempt: Attempt.LiveAttempt,
  scope: Scope.Scope
): Runtime.Runtime<never> => {
  // One copy of the services instead of one for each that is added.
  const services = new Map(base.context.unsafeMap)
  services.set(TaskContext.key, attempt.current)
  services.set(Scope.Scope.key, scope)
  return Runtime.make({
    context: Context.unsafeMake(services),
    runtimeFlags: base.runtimeFlags,
    fiberRefs: setRef(base.fiberRefs, currentAttempt, Option.some(attempt))
  })
}
