/**
 * How the parts of an engine are put together: the map of the system.
 *
 * ```
 * enqueue ─▶ TaskManager ─▶ TaskDispatcher ─▶ TaskQueue ─▶ TaskRunner ─▶ handler
 *                                │                            │
 *                                └───────▶ TaskStore ◀────────┘   one event: folded, journaled, published
 *                                             │  └─▶ TaskEvents
 *                                             └─▶ TaskJournal ─▶ TaskBackend ─▶ TaskFeed (the whole fleet)
 * TaskScheduler (slots of schedules) ─▶ TaskBackend
 * TaskInstance (who we are) ◀─ TaskLease (who lives, who died) ─▶ TaskBackend ◀─ TaskRetention (what may go)
 * ```
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { globalValue } from "effect/GlobalValue"
import * as Layer from "effect/Layer"
import * as CipherBackend from "./backend/CipherBackend.js"
import * as VolatileBackend from "./backend/VolatileBackend.js"
import { count } from "./internal/counts.js"
import * as LoopLag from "./internal/loopLag.js"
import { measured } from "./internal/measuredBackend.js"
import * as FileObserver from "./observer/FileObserver.js"
import { TaskBackend } from "./TaskBackend.js"
import * as TaskDispatcher from "./TaskDispatcher.js"
import { type TaskBackendError, TaskflowWiringError } from "./TaskError.js"
import * as TaskEvents from "./TaskEvents.js"
import * as TaskExecutor from "./TaskExecutor.js"
import * as TaskFeed from "./TaskFeed.js"
import * as TaskflowConfig from "./TaskflowConfig.js"
import * as TaskInstance from "./TaskInstance.js"
import * as TaskJournal from "./TaskJournal.js"
import * as TaskLease from "./TaskLease.js"
import * as TaskManager from "./TaskManager.js"
import * as TaskQueue from "./TaskQueue.js"
import * as TaskRegistry from "./TaskRegistry.js"
import * as TaskRetention from "./TaskRetention.js"
import * as TaskRunner from "./TaskRunner.js"
import * as TaskScheduler from "./TaskScheduler.js"
import * as TaskStore from "./TaskStore.js"
import { TaskVolatile } from "./TaskVolatile.js"

const inUse = globalValue(Symbol.for("effect-taskflow/Taskflow/inUse"), () => new WeakSet<TaskBackend["Type"]>())

const message = "a second engine on one backend: TaskflowLayer(...) was called twice; build it once, share the value"

// Two engines in one process would each believe to be alone: on memory, tasks of one would never be seen by the other.
const oneEngine = Layer.scopedDiscard(Effect.flatMap(TaskBackend, (given) =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const backend = CipherBackend.below(given)
      if (inUse.has(backend)) return Effect.die(new TaskflowWiringError({ message }))
      inUse.add(backend)
      return Effect.void
    }),
    () => Effect.sync(() => inUse.delete(CipherBackend.below(given)))
  )))

/**
 * The engine: a TaskManager on the TaskBackend it is given. Call it once, in main, and share the value.
 *
 * Its scope closes bounded: nothing new starts, running tasks finish for `shutdownTimeout`, the rest is interrupted and
 * recorded, everything is written.
 */
export const TaskflowLayer = (
  options?: TaskflowConfig.TaskflowOptions
): Layer.Layer<TaskManager.TaskManager, TaskBackendError, TaskBackend> =>
  // Built apart from the application's layers: theirs are shared by reference, and the parts of two engines must not be.
  Layer.scopedContext(Layer.build(parts(options)))

// Definitions of the code would have to be stored by somebody who fires them.
const idleScheduler = Layer.succeed(
  TaskScheduler.TaskScheduler,
  TaskScheduler.TaskScheduler.of({
    register: () => Effect.dieMessage("an operator has no schedules of its own"),
    isOfCode: () => false,
    hasRoom: () => true,
    heard: () => {},
    removed: () => {},
    told: Effect.void
  })
)

/**
 * A TaskManager for tools that look at the tasks of an application and steer them: nothing is claimed, no slot fires, nothing is
 * removed, and what one with a shorter lease would take for dead is left to the application's instances. It is an instance like
 * others in their lists, without handlers.
 */
export const operatorLayer: Layer.Layer<TaskManager.TaskManager, TaskBackendError, TaskBackend> = Layer.suspend(() => {
  const options = {
    announce: false,
    maxConcurrentTasks: 1,
    lease: "1 day",
    heartbeatInterval: "5 seconds",
    sameHostDetection: false,
    shutdownTimeout: 0,
    unhandledAfter: "1 day",
    tracing: { mode: "off" }
  } as const
  return Layer.scopedContext(Layer.build(engine(options, TaskManager.layer, idleScheduler)))
})

// The engine sees the backend it was given, with a memory beside it for what is not persisted.
const withVolatile = Layer.effectContext(
  Effect.map(
    Effect.flatMap(TaskBackend, (backend) => VolatileBackend.beside(measured(backend))),
    ({ backend, volatile }) => Context.make(TaskBackend, backend).pipe(Context.add(TaskVolatile, volatile))
  )
)

const loopLag = Layer.scopedDiscard(
  LoopLag.watch({ longerThan: Number.POSITIVE_INFINITY, onTurn: count.late, onStall: () => {} })
)

// Below what records: it is told of every end, and closes after the last one was told.
const logFile = (options: FileObserver.FileObserverOptions | undefined) =>
  options === undefined
    ? Layer.empty
    : Layer.scopedDiscard(
      Effect.flatMap(TaskEvents.TaskEvents, ({ tap }) => FileObserver.make({ tap, stopped: Effect.void }, options))
    )

const parts = (options: TaskflowConfig.TaskflowOptions | undefined) =>
  engine(options, Layer.mergeAll(TaskManager.layer, TaskRetention.layer, loopLag), TaskScheduler.layer)

type Managing = Layer.Layer.Context<typeof TaskManager.layer> | Layer.Layer.Context<typeof TaskRetention.layer>
type Scheduling = Layer.Layer<
  TaskScheduler.TaskScheduler,
  never,
  Exclude<Layer.Layer.Context<typeof TaskScheduler.layer>, TaskScheduler.TaskScheduler>
>

const engine = (
  options: TaskflowConfig.TaskflowOptions | undefined,
  front: Layer.Layer<TaskManager.TaskManager, never, Managing>,
  scheduler: Scheduling
) =>
  front.pipe(
    Layer.provide(scheduler),
    Layer.provide(TaskDispatcher.layer),
    Layer.provide(TaskRunner.layer),
    // Behind the attempts: a pool ends when nothing runs in it any more.
    Layer.provide(TaskExecutor.layer),
    Layer.provide(Layer.merge(TaskQueue.layer, TaskRegistry.layer)),
    Layer.provide(TaskStore.layer),
    Layer.provide(TaskJournal.layer),
    Layer.provide(logFile(options?.logFile)),
    Layer.provide(Layer.merge(TaskEvents.layer, TaskFeed.layer)),
    // Below what closes slowly: running tasks keep their lease while they finish.
    Layer.provide(TaskLease.layer),
    Layer.provide(TaskInstance.layer),
    Layer.provide(withVolatile),
    Layer.provide(oneEngine),
    Layer.provide(TaskflowConfig.layer(options))
  )
