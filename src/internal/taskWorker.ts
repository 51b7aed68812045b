/**
 * A handler at work in a thread or a process: from payload text to what became of the attempt, with the application's own copy
 * of everything. Behind `Task.worker`; called by the entry of a worker.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as HashSet from "effect/HashSet"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import type { WorkerError, WorkerJob, WorkerOutcome } from "../executor/job.js"
import { type FromAttempt, protocol, type Servable, type Session, workerKey } from "../executor/protocol.js"
import { currentAttempt, TaskContext } from "../TaskContext.js"
import { captureLogs } from "./captureLogs.js"
import type { Definition } from "./definition.js"
import { causeOf, messageOf, nameOf, prettyCause } from "./failureOf.js"
import { setRef } from "./fiberRefs.js"
import { judge } from "./outcome.js"
import { resultText } from "./resultText.js"
import * as WorkerAttempt from "./workerAttempt.js"

/** A handler with the types taken off. */
export type Handler = (payload: unknown) => Effect.Effect<unknown, unknown, TaskContext | Scope.Scope>

/** What a handler needs, with the types taken off. */
export type Services = Layer.Layer<never, unknown> | undefined

/** A handler that can be served. `handler` and `layer` are for engines that run it where they are. */
export interface Served extends Servable {
  readonly handler: Handler
  readonly layer: Services
}

export const make = (definition: Definition, handler: Handler, layer: Services): Served => ({
  [workerKey]: protocol,
  taskName: definition.taskName,
  handler,
  layer,
  serve: (send) => serve(definition, handler, layer, send)
})

// A turn of the event loop wherever a fiber yields: a loop of Effects hears an interrupt, and what was said gets out.
const scheduler = Scheduler.makeBatched((run) => setImmediate(run))

// The engine shows a line in the loggers of its handler's layer. Here only those do that the worker's own layer brings.
const unshown = (refs: FiberRefs.FiberRefs): FiberRefs.FiberRefs =>
  setRef(
    refs,
    FiberRef.currentLoggers,
    HashSet.remove(FiberRefs.getOrDefault(refs, FiberRef.currentLoggers), Logger.defaultLogger)
  )

const serve = (
  definition: Definition,
  handler: Handler,
  layer: Services,
  send: (message: FromAttempt) => void
): Session => {
  const services = servicesOf(layer)
  let running: { readonly attempt: WorkerAttempt.WorkerAttempt; readonly fiber: Fiber.RuntimeFiber<void> } | null = null

  const handled = ({ maxResultSize, payload }: WorkerJob): Effect.Effect<string | null, unknown, TaskContext> =>
    Effect.scoped(Effect.gen(function*() {
      const value = yield* handler(yield* definition.payload.decode(payload))
      return definition.success === null ? null : yield* resultText(definition.success, maxResultSize)(value)
    }))

  const inContext = (attempt: WorkerAttempt.WorkerAttempt, job: WorkerJob, runtime: Runtime.Runtime<never>) =>
    handled(job).pipe(
      Effect.provideService(TaskContext, attempt.current),
      Effect.locally(currentAttempt, Option.some(attempt)),
      Effect.provide(Runtime.make({ ...runtime, fiberRefs: captureLogs(unshown(runtime.fiberRefs), job.logLevel) }))
    )

  // Interruption ends the handler, never the answer.
  const answered = (attempt: WorkerAttempt.WorkerAttempt, job: WorkerJob): Effect.Effect<void> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(restore(Effect.gen(function*() {
          const runtime = yield* services.get
          send({ _tag: "Started", run: attempt.run })
          return yield* inContext(attempt, job, runtime)
        })))
        const outcome = attempt.requested === "interrupt" ? null : yield* outcomeOf(definition, attempt, job, exit)
        attempt.end()
        running = null
        send({ _tag: "Ended", run: attempt.run, outcome })
      })
    )

  return {
    run: (run, job) => {
      const attempt = WorkerAttempt.make(run, job, send)
      const fiber = Effect.runFork(answered(attempt, job), { scheduler, immediate: false })
      attempt.interrupt = () => fiber.unsafeInterruptAsFork(FiberId.none)
      running = { attempt, fiber }
    },
    interrupt: () => running?.attempt.stop("interrupt"),
    close: () => {
      const ending = running?.fiber
      running?.attempt.stop("interrupt")
      return Effect.runPromise(
        Effect.zipRight(ending === undefined ? Effect.void : Fiber.await(ending), services.close)
      )
    }
  }
}

interface Kept {
  readonly get: Effect.Effect<Runtime.Runtime<never>>
  readonly close: Effect.Effect<void>
}

// Built when first asked for, and kept; what failed is built anew. Asked by one attempt at a time.
const servicesOf = (layer: Services): Kept => {
  if (layer === undefined) return { get: Effect.runtime<never>(), close: Effect.void }
  let kept: { readonly runtime: Runtime.Runtime<never>; readonly scope: Scope.CloseableScope } | null = null
  const build = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const built = yield* Effect.exit(restore(Scope.extend(Layer.toRuntime(layer), scope)))
      if (Exit.isSuccess(built)) {
        kept = { runtime: built.value, scope }
        return built.value
      }
      yield* Effect.exit(Scope.close(scope, built))
      if (Cause.isInterruptedOnly(built.cause)) return yield* Effect.interrupt
      const cause = Cause.squash(built.cause)
      return yield* Effect.die(
        new Error(`the layer of this worker could not be built: ${messageOf(cause)}`, { cause })
      )
    })
  )
  return {
    get: Effect.suspend(() => kept === null ? build : Effect.succeed(kept.runtime)),
    close: Effect.suspend(() => kept === null ? Effect.void : Scope.close(kept.scope, Exit.void))
  }
}

// An error that does not fit its schema is shown, but cannot be given back as itself.
const encoded = ({ error: codec }: Definition, error: unknown, maxSize: number): Effect.Effect<string | null> =>
  codec === null ? Effect.succeed(null) : Effect.suspend(() => codec.encode(error)).pipe(
    Effect.map((text) => text.length <= maxSize ? text : null),
    Effect.catchAllCause(() => Effect.succeed(null))
  )

const outcomeOf = (
  definition: Definition,
  { final, snoozeMillis }: WorkerAttempt.WorkerAttempt,
  { maxResultSize }: WorkerJob,
  exit: Exit.Exit<string | null, unknown>
): Effect.Effect<WorkerOutcome> =>
  Effect.gen(function*() {
    const verdict = judge(exit, snoozeMillis === null ? null : "snooze", null)
    switch (verdict._tag) {
      case "Succeeded":
        return { _tag: "Success", result: verdict.result }
      case "Snoozed":
        return { _tag: "Snoozed", millis: snoozeMillis ?? 0 }
      case "Undecodable": {
        const { message, path } = verdict.misfit
        return { _tag: "Undecodable", message: path === "" ? message : `${path}: ${message}` }
      }
      // A worker knows no other reasons to stop than to snooze.
      case "Cancelled":
      case "CutShort":
        return { _tag: "Defect", final: false, shown: shownOf(new Error(`stopped as ${verdict._tag}`), Cause.empty) }
      case "Failed": {
        const { error, typed } = verdict
        const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
        const isFinal = final.some((given) => Object.is(given, error))
        const text = typed ? yield* encoded(definition, error, maxResultSize) : null
        return text === null
          ? { _tag: "Defect", final: isFinal, shown: shownOf(error, cause) }
          : { _tag: "Failure", error: text, final: isFinal, shown: shownOf(error, cause) }
      }
    }
  })

const shownOf = (error: unknown, cause: Cause.Cause<unknown>): WorkerError => {
  const shown = { name: nameOf(error), message: messageOf(error), stack: prettyCause(cause) }
  const parts = causeOf(cause, error)
  return parts === null ? shown : { ...shown, cause: parts }
}
