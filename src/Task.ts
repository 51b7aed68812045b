/**
 * A task definition is a value: importable by code that only enqueues. Its handler is a Layer, given once in main.
 *
 * Nothing retries and nothing times out unless the definition says so. `timeout` is per attempt; `retries: 3` means up to
 * four runs; a higher `priority` runs first.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Types from "effect/Types"
import * as Definition from "./internal/definition.js"
import type { EnqueueOptions } from "./internal/prepare.js"
import * as TaskApi from "./internal/taskApi.js"
import type { Module } from "./internal/taskModule.js"
import * as TaskWorker from "./internal/taskWorker.js"
import type { Unprovided, Worker, WorkerHandler, WorkerOptions } from "./internal/workerTypes.js"
import type * as RetryPolicy from "./RetryPolicy.js"
import type { TaskContext } from "./TaskContext.js"
import type { EnqueueError, TaskBackendError, TaskNotFound, TaskStopped } from "./TaskError.js"
import { type EnqueueResult, TaskManager } from "./TaskManager.js"

export { module, type Module, type ModuleOptions, ModuleTypeId } from "./internal/taskModule.js"
export type { Unprovided, Worker, WorkerHandler, WorkerOptions } from "./internal/workerTypes.js"
export type { EnqueueOptions, EnqueueResult }

/** Marks every definition. */
export const TypeId: unique symbol = Symbol.for("effect-taskflow/Task")
/** Marks every definition. */
export type TypeId = typeof TypeId

/** Phantom: the layer holds a handler for this name. `handled` asks for it. */
export interface Handler<in out Name extends string> {
  readonly _: unique symbol
  readonly name: Name
}

/** What a retry decision sees: the task's own error, a timeout, or a defect. */
export type RetryInput<E> = RetryPolicy.RetryInput<E>
/** Retry as data. */
export type RetryOptions<E> = RetryPolicy.RetryOptions<E>
/** Retry as data or as a Schedule. */
export type Retry<E> = RetryPolicy.Retry<E>

/** Constructor side of a struct (defaults optional), else the decoded type; an empty struct takes no argument. */
export type PayloadInput<P extends Schema.Schema.Any> = P extends
  { readonly fields: infer F extends Schema.Struct.Fields }
  ? [keyof F] extends [never] ? void : Types.Simplify<Schema.Struct.Constructor<F>>
  : P["Type"]

/** A schema as it is, fields as a struct. */
export type ToSchema<P> = P extends Schema.Schema.Any ? P : P extends Schema.Struct.Fields ? Schema.Struct<P> : never
/** What a definition's callbacks get. */
export type TypeOf<P> = P extends Schema.Schema.Any ? P["Type"]
  : P extends Schema.Struct.Fields ? Types.Simplify<Schema.Struct.Type<P>>
  : never

/** A definition. Value and base class in one, as an Rpc is: `class Resize extends Task.make(…) {}` works as well. */
export interface Task<
  in out Name extends string,
  in out P extends Schema.Schema.Any,
  in out S extends Schema.Schema.Any,
  in out E extends Schema.Schema.All
> {
  new(_: never): {}
  /** Marks every definition. */
  readonly [TypeId]: TypeId
  /** The task's name. Not `name`: a class has one of its own. */
  readonly _tag: Name
  /** The schema of what the handler gets. */
  readonly payloadSchema: P
  /** The schema of what the handler gives; `Schema.Void` without one. */
  readonly successSchema: S
  /** The schema of what the handler may fail with; `Schema.Never` without one. */
  readonly errorSchema: E
  /** For the engine: the options, checked and with every default filled in. */
  readonly definition: Definition.Definition
  /** Accepts a task. Returns after its commit; the handler's requirements are not needed here. */
  readonly enqueue: (
    payload: PayloadInput<P>,
    options?: EnqueueOptions
  ) => Effect.Effect<EnqueueResult, EnqueueError, TaskManager | P["Context"]>
  /**
   * Accepts many in one commit, wholly or not at all. More than 10,000 payloads, 1,000 with keys or 8 MiB go in several commits, one
   * after the other. One payload that does not fit refuses all.
   */
  readonly enqueueMany: (
    payloads: Iterable<PayloadInput<P>>,
    options?: EnqueueOptions | ((payload: PayloadInput<P>, index: number) => EnqueueOptions)
  ) => Effect.Effect<Array<EnqueueResult>, EnqueueError, TaskManager | P["Context"]>
  /** Enqueues and awaits the result. Inside a handler the slot is given back while waiting. */
  readonly execute: (
    payload: PayloadInput<P>,
    options?: EnqueueOptions
  ) => Effect.Effect<
    S["Type"],
    E["Type"] | TaskStopped | EnqueueError,
    TaskManager | P["Context"] | S["Context"] | E["Context"]
  >
  /** Waits until a task of this definition ended, and gives what it gave. */
  readonly awaitResult: (
    taskId: string
  ) => Effect.Effect<
    S["Type"],
    E["Type"] | TaskStopped | TaskNotFound | TaskBackendError,
    TaskManager | S["Context"] | E["Context"]
  >
  /** The result if the task ended, `None` while it did not. */
  readonly poll: (
    taskId: string
  ) => Effect.Effect<
    Option.Option<S["Type"]>,
    E["Type"] | TaskStopped | TaskNotFound | TaskBackendError,
    TaskManager | S["Context"] | E["Context"]
  >
  /** The handler of this task, as a Layer for main. One for each task in an engine. */
  readonly toLayer: {
    /** The handler as a Layer. What it requires appears here, once. */
    <R>(
      handler: (payload: P["Type"]) => Effect.Effect<S["Type"], E["Type"], R>
    ): Layer.Layer<
      Handler<Name>,
      never,
      TaskManager | Exclude<R, TaskContext | Scope.Scope> | P["Context"] | S["Context"] | E["Context"]
    >
    /** The handler is in a module and runs in a worker: for `executor: "thread"` and `"process"`. See `Task.module`. */
    (module: Module): Layer.Layer<Handler<Name>, never, TaskManager | E["Context"]>
  }
}

/** Any definition. Without methods: one over `any` would let a missing layer compile. Use `Task.enqueue(task, payload)`. */
export interface Any {
  readonly [TypeId]: TypeId
  /** The task's name. */
  readonly _tag: string
  /** The schema of what the handler gets. */
  readonly payloadSchema: Schema.Schema.Any
  /** The schema of what the handler gives. */
  readonly successSchema: Schema.Schema.Any
  /** The schema of what the handler may fail with. */
  readonly errorSchema: Schema.Schema.All
  /** For the engine: the options, checked and with every default filled in. */
  readonly definition: Definition.Definition
}

/** What `enqueue` takes. */
export type Input<T extends Any> = PayloadInput<T["payloadSchema"]>
/** What the handler gets. */
export type Payload<T extends Any> = T["payloadSchema"]["Type"]
/** What the handler gives. */
export type Success<T extends Any> = T["successSchema"]["Type"]
/** What the handler may fail with. */
export type Error<T extends Any> = T["errorSchema"]["Type"]

/** How a task is defined. */
export interface Options<P, S extends Schema.Schema.Any, E extends Schema.Schema.All> {
  /** A schema or the fields of a struct. Default: no payload. */
  readonly payload?: P | undefined
  /** Without it nothing is stored and `execute` gives void. */
  readonly success?: S | undefined
  /** What the handler may fail with. Default: nothing. */
  readonly error?: E | undefined
  /** Default: never. Typed failures, timeouts and defects are all retried. */
  readonly retry?: Retry<Types.NoInfer<E["Type"]>> | undefined
  /** The longest one attempt may take. Default: no limit. */
  readonly timeout?: Duration.DurationInput | undefined
  /** Higher first; any whole number of 32 bits. Default 0. */
  readonly priority?: number | undefined
  /** How many attempts of this task run at once in one instance. Default: as many as the instance runs at all. */
  readonly concurrency?: number | undefined
  /**
   * What happens to an attempt that a shutdown or a dead process cut short: `true` runs the task again (no retry is
   * consumed), `false` ends it as interrupted. Default: `true` when `retry` is given, else `false`.
   */
  readonly requeueOnInterrupt?: boolean | undefined
  /**
   * Runs the handler inside `withTransaction` of the application's SqlClient and ends the task as its last statement: what
   * it wrote through that client and its success are committed together or not at all. Needs `SqlBackend.layer` and a
   * `concurrency` that leaves connections to others; on SQLite a `timeout` too. Default false.
   */
  readonly transactional?: boolean | undefined
  /**
   * `false`: its tasks live in this instance's memory alone, up to 10,000 at a time, and are lost with the process. Nothing of
   * them is written to the backend; the newest 1,000 that ended can be looked at here. A call may say otherwise. Default true.
   */
  readonly persist?: boolean | undefined
  /** A task that alone kills its process this many times becomes failed. Default 3. */
  readonly maxCrashes?: number | undefined
  /**
   * Where its handler runs: `fiber` here, among everything else; `thread` and `process` in a worker of their own, for work
   * that keeps a processor busy. Those take a handler given as a module, see `Task.module`. Default fiber.
   */
  readonly executor?: "fiber" | "thread" | "process" | undefined
  /** With `BackgroundTasks`: start at once instead of after the response. Default false. */
  readonly eager?: boolean | undefined
  /** The key of a payload, for calls that give none of their own. Default: no key. */
  readonly idempotencyKey?: ((payload: TypeOf<P>) => string) | undefined
  /** How long a success keeps its key. Default: as long as its record is kept. */
  readonly keyTtl?: Duration.DurationInput | undefined
  /** Tags of every task of this definition. Default: none. */
  readonly tags?:
    | Readonly<Record<string, string>>
    | ((payload: TypeOf<P>) => Readonly<Record<string, string>>)
    | undefined
  /** Raise it when the payload's shape changes: older instances then leave the new tasks alone. Default 1. */
  readonly version?: number | undefined
}

/**
 * Defines a task. Throws `TaskDefinitionError` when a schema's encoded side is not JSON or an option is out of range.
 *
 * The name identifies the task in the backend: keep it when the code moves.
 */
export const make = <
  const Name extends string,
  P extends Schema.Schema.Any | Schema.Struct.Fields = {},
  S extends Schema.Schema.Any = typeof Schema.Void,
  E extends Schema.Schema.All = typeof Schema.Never
>(name: Name, options?: Options<P, S, E>): Task<Name, ToSchema<P>, S, E> => {
  // safe: only the parameter types of callbacks differ, and they are called with payloads of this very task
  const { definition, payloadSchema } = Definition.make(name, (options ?? {}) as Definition.Source)
  const task = Object.assign(function() {}, {
    [TypeId]: TypeId,
    _tag: name,
    payloadSchema,
    successSchema: options?.success ?? Schema.Void,
    errorSchema: options?.error ?? Schema.Never,
    definition
  })
  // safe: the methods are those of the interface; `any` at this seam ends there
  return Object.assign(task, TaskApi.methods(task as unknown as Any)) as unknown as Task<Name, ToSchema<P>, S, E>
}

/** The same as `task.enqueue`, for code that is generic over tasks. */
export const enqueue = <T extends Any>(
  task: T,
  payload: Input<T>,
  options?: EnqueueOptions
): Effect.Effect<EnqueueResult, EnqueueError, TaskManager | T["payloadSchema"]["Context"]> =>
  Effect.flatMap(TaskManager, (manager) => manager.enqueue(task, payload, options))

/** Fails with `error` and stops retrying: the next failure of this attempt with exactly this value is final. */
export const unrecoverable: <E>(error: E) => Effect.Effect<never, E, TaskContext> = TaskApi.unrecoverable

/** Ends this attempt and runs the task again after `duration`. No retry is consumed; `retry` and `catchAll` do not see it. */
export const snooze: (duration: Duration.DurationInput) => Effect.Effect<never, never, TaskContext> = TaskApi.snooze

/**
 * A handler from a function that returns a Promise.
 *
 * As a plain function a rejection is a defect (and an attempt like any other); with `catch` it is the task's typed error.
 * `signal` aborts when the attempt is to stop: cancel, timeout, shutdown.
 */
export const fromPromise: {
  /** A rejection is a defect, and an attempt like any other. `signal` aborts when the attempt is to stop. */
  <P, A>(run: (payload: P, signal: AbortSignal) => PromiseLike<A>): (payload: P) => Effect.Effect<A>
  /** A rejection is the typed error that `catch` makes of it. `signal` aborts when the attempt is to stop. */
  <P, A, E>(options: {
    readonly try: (payload: P, signal: AbortSignal) => PromiseLike<A>
    readonly catch: (cause: unknown) => E
  }): (payload: P) => Effect.Effect<A, E>
  // safe: the overloads say what the one implementation succeeds and fails with
} = TaskApi.fromPromise as never

/** Proof that every listed task has a handler in the layers provided to it: a missing one is a compile error in main. */
export const handled = <const T extends ReadonlyArray<Any>>(
  ..._tasks: T
): Layer.Layer<never, never, { [K in keyof T]: Handler<T[K]["_tag"]> }[number]> => Layer.empty

/**
 * The handler of a task, as the default export of a module of its own:
 *
 *     export default Task.worker(Resize, ({ image }) => Effect.sync(() => resize(image)))
 *
 * It runs in a thread or a process, one attempt at a time. What it has there: its payload, `TaskContext`, a Scope for each
 * attempt, and what `layer` gives. `Effect.log`, `TaskLog` and `TaskProgress` reach the record while it runs. There is no
 * `TaskManager`: return what is to be enqueued next.
 */
export const worker: {
  /** The handler of a task, to be exported from a module of its own: it runs in a thread or a process. */
  <T extends Any>(task: T & Unprovided<T, never>, handler: WorkerHandler<T, never>): Worker<T["_tag"]>
  /** The same with a layer of what the handler needs, built once in each worker. */
  <T extends Any, R, LE>(
    task: T & Unprovided<T, R>,
    handler: WorkerHandler<T, NoInfer<R>>,
    options: WorkerOptions<R, LE>
  ): Worker<T["_tag"]>
} = (task: Any, handler: TaskWorker.Handler, options?: { readonly layer: TaskWorker.Services }) =>
  // safe: the overloads say that the handler takes what the definition decodes and needs what the layer gives
  TaskWorker.make(task.definition, handler, options?.layer) as never
