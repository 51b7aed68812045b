/** What tests of schedules share: a task that keeps which slots it ran for, and engines that come and go on one backend. */
import { Effect, Exit, Layer, Schema, Scope } from "effect"
import {
  Task,
  TaskBackend,
  TaskContext,
  TaskflowLayer,
  type TaskflowOptions,
  TaskManager,
  TaskSchedule
} from "effect-taskflow"

export const Job = Task.make("job", { payload: { n: Schema.Number } })

/** A run, as its handler saw it. */
export interface Run {
  readonly slot: number | null
  readonly source: string
  readonly name: string | null
}

/** A handler that keeps what it ran for. */
export const keeping = (runs: Array<Run>, wait: Effect.Effect<void> = Effect.void) =>
  Job.toLayer(() =>
    Effect.flatMap(TaskContext.current, ({ schedule, source }) => {
      runs.push({ slot: schedule?.slot ?? null, name: schedule?.name ?? null, source })
      return wait
    })
  )

export const slotsOf = (runs: ReadonlyArray<Run>): ReadonlyArray<number | null> => runs.map(({ slot }) => slot)

/** A schedule of `Job`. */
export const scheduled = (options: Omit<TaskSchedule.Options<typeof Job>, "payload">) =>
  // safe: the payload is all that is missing
  TaskSchedule.layer(Job, { payload: { n: 1 }, ...options } as TaskSchedule.Options<typeof Job>)

/** An engine on this backend until the scope closes, or until it is closed. */
export const started = <A, E>(
  backend: TaskBackend["Type"],
  layers: Layer.Layer<A, E, TaskManager>,
  options?: TaskflowOptions
) =>
  Effect.gen(function*() {
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const context = yield* Layer.buildWithScope(
      layers.pipe(
        Layer.provideMerge(TaskflowLayer({ announce: false, shutdownTimeout: 0, ...options })),
        // Each has an object of its own: two engines on one are refused.
        Layer.provide(Layer.succeed(TaskBackend, { ...backend }))
      ),
      scope
    )
    return {
      context,
      manager: yield* Effect.provide(TaskManager, context),
      close: Scope.close(scope, Exit.void)
    }
  })
