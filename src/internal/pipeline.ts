/**
 * What is the same for every attempt of a handler: from payload text to result text, and how its fibers are forked.
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { currentAttempt, TaskContext } from "../TaskContext.js"
import type { TaskExecutor } from "../TaskExecutor.js"
import type { TaskflowConfig } from "../TaskflowConfig.js"
import type { Registered } from "../TaskRegistry.js"
import type * as Attempt from "./attempt.js"
import * as AttemptSpan from "./attemptSpan.js"
import { captureLogs } from "./captureLogs.js"
import { answered } from "./codec.js"
import * as InWorker from "./inWorker.js"
import { resultText } from "./resultText.js"

export interface Prepared {
  readonly spanOf: AttemptSpan.Opening
  readonly forkOf: (attempt: Attempt.LiveAttempt, scope: Scope.Scope) => Fork
  /** Lets the attempt be interrupted. `around` is put around everything from the payload to the result. */
  readonly pipeline: (
    attempt: Attempt.LiveAttempt,
    around?: (body: Effect.Effect<string | null, unknown>) => Effect.Effect<string | null, unknown>
  ) => Effect.Effect<Exit.Exit<string | null, unknown>>
}

// What a function makes of the payload, as text. Without a success schema nothing is stored, whatever it gave.
const inPlace = (
  { definition: { payload, success } }: Registered,
  handle: (payload: unknown) => Effect.Effect<unknown, unknown, TaskContext | Scope.Scope>,
  maxSize: number
): InWorker.Handled => {
  const handled = (text: string) => {
    const decoded = payload.decode(text)
    const ready = answered(decoded)
    return ready === undefined ? Effect.flatMap(decoded, handle) : handle(ready.value)
  }
  // safe: the fork of an attempt gives the context and the scope; the result is left out where nothing is stored
  return ({ record }) =>
    (success === null
      ? handled(record.payload)
      : Effect.flatMap(handled(record.payload), resultText(success, maxSize))) as ReturnType<
        InWorker.Handled
      >
}

/** Prepares each handler once. */
export const make = (
  config: TaskflowConfig["Type"],
  clock: Clock.Clock,
  executor: TaskExecutor["Type"]
): (registered: Registered) => Prepared => {
  const prepared = new WeakMap<Registered, Prepared>()
  return (registered) => {
    const known = prepared.get(registered)
    if (known !== undefined) return known
    const { definition: { success }, handler, runtime } = registered
    const handled = handler._tag === "Function"
      ? inPlace(registered, handler.handle, config.maxPayloadSize)
      : InWorker.make({ config, executor, registered, handler })
    // As an exit, so that a failure is the task's affair and not an unhandled error of its fiber.
    const pipeline: Prepared["pipeline"] = (attempt, around) =>
      Effect.withFiberRuntime((fiber) => {
        attempt.interrupt = () => fiber.unsafeInterruptAsFork(FiberId.none)
        // Asked to stop between its start and now.
        if (attempt.requested !== null) return Effect.exit(Effect.interrupt)
        const whole = Effect.suspend(() => handled(attempt))
        return Effect.exit(around === undefined ? whole : around(success === null ? Effect.as(whole, null) : whole))
      })
    const made: Prepared = {
      spanOf: AttemptSpan.make(config.tracing, clock, runtime),
      forkOf: forkerOf(Runtime.make({ ...runtime, fiberRefs: captureLogs(runtime.fiberRefs, config.logs.level) })),
      pipeline
    }
    prepared.set(registered, made)
    return made
  }
}

type Locals = FiberRefs.FiberRefs["locals"]

/** Runs an effect in one attempt: with its context and its scope, over the handler's services. It begins in the call. */
export type Fork = <A, E>(effect: Effect.Effect<A, E>) => Fiber.RuntimeFiber<A, E>

// Refs are set before the fiber exists; the id only tells who wrote last when refs of two fibers are joined.
const nobody = FiberId.make(0, 0) as FiberId.Single
const noRefs = FiberRefs.empty()

interface CommonRefs {
  readonly locals: Locals
  /** Adds those of which a fork makes a new value each time: attempts must not share it. */
  readonly addOwn: ReadonlyArray<(locals: Locals) => void>
}

/**
 * The refs that differ from what a fiber has without them, as a fork makes them of their values. Every attempt copies them, and
 * five of the nine that a layer is built with are as they always are: copying all was an eighth of what a task allocated.
 */
const worthCopying = (refs: FiberRefs.FiberRefs): CommonRefs => {
  const locals: Locals = new Map()
  const addOwn: Array<(locals: Locals) => void> = []
  for (const [ref, [[writer, value]]] of refs.locals) {
    // What a ManagedRuntime builds its layers with; from then on it hands everything to the default one.
    if (value instanceof Scheduler.SyncScheduler) continue
    const alone = FiberRefs.unsafeMake(new Map([[ref, [[writer, value]]]]))
    const fork = () => FiberRefs.getOrDefault(FiberRefs.forkAs(alone, nobody), ref)
    const forked = fork()
    if (Equal.equals(forked, FiberRefs.getOrDefault(noRefs, ref))) continue
    if (Object.is(forked, fork())) locals.set(ref, [[nobody, forked]])
    else addOwn.push((own) => own.set(ref, [[nobody, fork()]]))
  }
  return { locals, addOwn }
}

// The refs of an attempt are one copy of a Map. `runFork` itself copies them three times, once by asking each of them what a
// fork makes of it: with none of its own to begin with, it takes those it is given.
const forkerOf = (runtime: Runtime.Runtime<never>): Prepared["forkOf"] => {
  const { addOwn, locals: common } = worthCopying(runtime.fiberRefs)
  // As arrays: a Map made from a Map takes half as long again, and an object and an array for each entry.
  const refs = [...common]
  const shared = [...runtime.context.unsafeMap]
  // Who brought a scheduler wants it to be asked before anything runs.
  const immediate = !common.has(FiberRef.currentScheduler)
  return (attempt, scope) => {
    // One copy of the services instead of one for each that is added.
    const services = new Map(shared)
    services.set(TaskContext.key, attempt.current)
    services.set(Scope.Scope.key, scope)
    // Not the span that the handler's layer was built in: that ended long ago, and is no task's.
    if (attempt.span === null) services.delete(Tracer.ParentSpan.key)
    else services.set(Tracer.ParentSpan.key, attempt.span.span)
    const context = Context.unsafeMake<never>(services)
    const own = Runtime.make({ context, runtimeFlags: runtime.runtimeFlags, fiberRefs: noRefs })
    const current = Option.some(attempt)
    const updateRefs = (_: FiberRefs.FiberRefs, fiber: FiberId.Runtime): FiberRefs.FiberRefs => {
      const locals: Locals = new Map(refs)
      for (const add of addOwn) add(locals)
      locals.set(FiberRef.currentContext, [[fiber, context]])
      locals.set(currentAttempt, [[fiber, current]])
      return FiberRefs.unsafeMake(locals)
    }
    return (effect) => Runtime.runFork(own, effect, { immediate, updateRefs })
  }
}
