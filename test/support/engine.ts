/**
 * What the engine's tests share: an engine on memory whose parts a test can reach, and handlers that wait to be told.
 */
import { Deferred, Effect, HashMap, Layer, Logger, type LogLevel } from "effect"
import { TaskBackend, TaskflowLayer, type TaskflowOptions, type TaskManager } from "effect-taskflow"
import * as MemoryBackend from "../../src/backend/MemoryBackend.js"
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
