/**
 * What a handler knows of its run, and what it leaves on the record: log lines, progress, events.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/04-context-logs-progress.ts
 */
import { Console, Effect, Fiber, Layer, Schema, Stream } from "effect"
import { MemoryBackend, Task, TaskContext, TaskflowLayer, TaskLog, TaskManager, TaskProgress } from "effect-taskflow"

class PageError extends Schema.TaggedError<PageError>()("PageError", { page: Schema.Number }) {}

const Export = Task.make("export", {
  payload: { pages: Schema.Number },
  error: PageError,
  retry: { retries: 1, delay: "10 millis" },
  tags: { team: "reports" }
})

const ExportHandler = Export.toLayer(({ pages }) =>
  Effect.gen(function*() {
    const { attempt, tags } = yield* TaskContext.current
    yield* Effect.log(`exporting for ${tags["team"]}`) // an ordinary log call: shown and recorded
    for (let page = 1; page <= pages; page += 1) {
      yield* TaskProgress.set(page / pages, `page ${page} of ${pages}`)
      if (page === 2 && attempt === 0) {
        yield* TaskLog.warning("page is locked", { page })
        return yield* new PageError({ page })
      }
    }
  })
)

const Engine = TaskflowLayer().pipe(Layer.provide(MemoryBackend.layer()))

export const program = Effect.gen(function*() {
  const manager = yield* TaskManager

  // Everything that happens from now on, until the task has ended.
  const following = yield* manager.events.pipe(
    Stream.map(({ event }) => event._tag),
    Stream.takeUntil((tag) => tag === "Succeeded" || tag === "Failed"),
    Stream.filter((tag) => tag !== "Logged" && tag !== "Progressed"),
    Stream.runCollect,
    Effect.fork
  )
  yield* Effect.yieldNow() // the forked fiber's turn: it subscribes

  const { taskId } = yield* Export.enqueue({ pages: 3 })
  yield* Export.awaitResult(taskId)

  const lines = yield* manager.logs(taskId)
  const { progress } = yield* manager.get(taskId)
  return {
    events: [...(yield* Fiber.join(following))],
    lines: lines.map(({ annotations, attempt, level, message }) =>
      `${attempt} ${level} ${message} ${annotations ?? ""}`.trim()
    ),
    progress,
    outsideATask: (yield* TaskContext.currentOption)._tag
  }
}).pipe(Effect.provide(ExportHandler.pipe(Layer.provideMerge(Engine))))

if (process.argv[1] === import.meta.filename) {
  await Effect.runPromise(Effect.flatMap(program, Console.log))
}
