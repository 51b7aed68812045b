/**
 * What the engine's tests share: an engine on memory whose parts a test can reach, and handlers that wait to be told.
 */
import { Deferred, Effect, Exit, HashMap, Layer, Logger, type LogLevel, Scope } from "effect"
import { TaskBackend, TaskflowLayer, type TaskflowOptions, type TaskManager } from "effect-taskflow"
import * as MemoryBackend from "../../src/backend/MemoryBackend.js"
import { TaskBackendError } from "../../src/TaskError.js"
import * as TaskId from "../../src/TaskId.js"

/** An engine with ids that repeat and no waiting at the end, on the given backend (memory by default). */
export const engine = (
  options?: TaskflowOptions,
  backend: Layer.Layer<TaskBackend> = MemoryBackend.layer()
): Layer.Layer<TaskManager> =>
  Layer.orDie(TaskflowLayer({ announce: false, shutdownTimeout: 0, ...options })).pipe(
    Layer.provide(backend),
    Layer.provide(Layer.sync(TaskId.TaskIds, TaskId.deterministic))
  )

/** A memory backend whose methods a test may wrap. */
export const wrappedBackend = (
  wrap: (backend: TaskBackend["Type"]) => Partial<TaskBackend["Type"]>,
  options?: MemoryBackend.MemoryBackendOptions
): Layer.Layer<TaskBackend> =>
  Layer.effect(TaskBackend, Effect.map(MemoryBackend.make(options), (backend) => ({ ...backend, ...wrap(backend) })))

/** A memory backend that says it is shared: engines on it behave as in several processes. */
export const sharedBackend = Effect.map(MemoryBackend.make(), (backend): TaskBackend["Type"] => ({
  ...backend,
  info: { ...backend.info, shared: true, maxLive: Number.POSITIVE_INFINITY }
}))

/** One of several engines on a backend, with its own connection to it: `cut` makes every call fail from then on. */
export const oneOf = <H>(
  backend: TaskBackend["Type"],
  handlers: Layer.Layer<H, never, TaskManager>,
  options?: TaskflowOptions
) =>
  Effect.gen(function*() {
    const line = { up: true }
    const via = <A extends ReadonlyArray<unknown>, B, E>(method: (...args: A) => Effect.Effect<B, E>) => (...args: A) =>
      Effect.suspend((): Effect.Effect<B, E | TaskBackendError> =>
        line.up
          ? method(...args)
          : Effect.fail(new TaskBackendError({ method: "any", cause: new Error("the line is cut") }))
      )
    const connection: TaskBackend["Type"] = {
      ...backend,
      attach: via(backend.attach),
      detach: via(backend.detach),
      heartbeat: via(backend.heartbeat),
      reap: via(backend.reap),
      write: via(backend.write),
      claim: via(backend.claim),
      cancel: via(backend.cancel),
      get: via(backend.get),
      schedules: {
        define: via(backend.schedules.define),
        get: via(backend.schedules.get),
        list: via(backend.schedules.list),
        pause: via(backend.schedules.pause),
        resume: via(backend.schedules.resume),
        retire: via(backend.schedules.retire),
        remove: via(backend.schedules.remove),
        fireSlot: via(backend.schedules.fireSlot)
      }
    }
    // Not waited for: with its line cut it closes in virtual time that nobody moves any more.
    const scope = yield* Effect.acquireRelease(
      Scope.make(),
      (scope) => Effect.forkDaemon(Scope.close(scope, Exit.void))
    )
    const layer = handlers.pipe(
      Layer.provideMerge(Layer.orDie(TaskflowLayer({ announce: false, shutdownTimeout: 0, ...options }))),
      Layer.provide(Layer.succeed(TaskBackend, connection))
    )
    const context = yield* Layer.buildWithScope(layer, scope)
    return {
      context,
      cut: Effect.sync(() => {
        line.up = false
      }),
      mend: Effect.sync(() => {
        line.up = true
      }),
      close: Scope.close(scope, Exit.void)
    }
  })

/** A gate: handlers wait at it until the test opens it. */
export const gate = Effect.map(Deferred.make<void>(), (deferred) => ({
  wait: Deferred.await(deferred),
  open: Deferred.succeed(deferred, undefined)
}))

/** What was logged, in order. */
export interface Line {
  readonly level: LogLevel.LogLevel["_tag"]
  readonly message: string
  readonly annotations: Record<string, unknown>
}

/** A logger that keeps its lines instead of printing them, and the lines. */
export const collectedLogs = () => {
  const lines: Array<Line> = []
  const logger = Logger.make<unknown, void>(({ annotations, logLevel, message }) => {
    const text = Array.isArray(message) ? message.map(String).join(" ") : String(message)
    lines.push({ level: logLevel._tag, message: text, annotations: Object.fromEntries(HashMap.toEntries(annotations)) })
  })
  return { lines, layer: Logger.replace(Logger.defaultLogger, logger) }
}
