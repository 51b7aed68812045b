/**
 * Two instances on one PostgreSQL: a web server that enqueues and a worker that runs. MySQL and MariaDB work the same.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/09-several-instances.ts
 */
import { Console, Effect, Layer, Redacted, Schema } from "effect"
import { Task, type TaskBackend, type TaskBackendError, TaskContext, TaskflowLayer, TaskManager } from "effect-taskflow"
import { PostgresBackend } from "effect-taskflow/postgres"

const Thumbnail = Task.make("thumbnail", {
  payload: { image: Schema.String },
  success: Schema.Struct({ file: Schema.String, by: Schema.String, fence: Schema.Number }),
  idempotencyKey: ({ image }) => image,
  // Running it again does no harm. If its instance dies, another runs it again.
  requeueOnInterrupt: true
})

const ThumbnailHandler = Thumbnail.toLayer(({ image }) =>
  Effect.gen(function*() {
    // `fence` grows with every owner. A system that keeps the largest it has seen can refuse a run that was overtaken.
    const { fence, instance } = yield* TaskContext.current
    return { file: `${image}.small`, by: instance, fence }
  })
)

/** `backend` is called for each instance: in production they are processes, here they are two engines in one. */
export const program = <E>(backend: () => Layer.Layer<TaskBackend, E | TaskBackendError>) => {
  // Silent for longer than the lease, an instance is taken for dead; on the same machine at once when its process is gone.
  const engine = () =>
    TaskflowLayer({ lease: "10 seconds", announce: false, poll: { min: "50 millis", max: "1 second" } }).pipe(
      Layer.provide(backend())
    )
  const Worker = ThumbnailHandler.pipe(Layer.provideMerge(engine()))

  return Effect.gen(function*() {
    const worker = yield* Layer.build(Worker) // runs until the scope closes
    const web = yield* Layer.build(engine())
    return yield* Effect.gen(function*() {
      const manager = yield* TaskManager
      const first = yield* Thumbnail.enqueue({ image: "cat.png" })
      const again = yield* Thumbnail.enqueue({ image: "cat.png" }).pipe(Effect.provide(worker))

      // The result comes from the other instance.
      const { by, fence, file } = yield* Thumbnail.awaitResult(first.taskId)
      const { instance: workerId } = yield* Effect.provide(TaskManager, worker)
      return {
        file,
        fence,
        ranOnTheWorker: by === workerId && by !== manager.instance,
        again: again._tag,
        sameId: again.taskId === first.taskId
      }
    }).pipe(Effect.provide(web))
  }).pipe(Effect.scoped)
}

if (process.argv[1] === import.meta.filename) {
  const url = Redacted.make(process.env["DATABASE_URL"] ?? "postgres://postgres@127.0.0.1:5432/test")
  const backend = () => PostgresBackend.layer({ url, prefix: "example_" })
  await Effect.runPromise(Effect.flatMap(program(backend), Console.log))
}
