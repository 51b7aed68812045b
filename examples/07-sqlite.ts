/**
 * Tasks in an SQLite file: what one process accepts, a later one runs, and the history stays.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/07-sqlite.ts
 */
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Console, Effect, Layer, Schema } from "effect"
import { Task, TaskflowLayer, TaskManager } from "effect-taskflow"
import { SqliteBackend } from "effect-taskflow/sqlite"

const Invoice = Task.make("invoice", {
  payload: { order: Schema.String },
  success: Schema.String,
  idempotencyKey: ({ order }) => order,
  // It may be written twice, so a run that a crash cut short begins again.
  requeueOnInterrupt: true
})

const InvoiceHandler = Invoice.toLayer(({ order }) => Effect.succeed(`invoice-${order}.pdf`))

// The file is made when it is not there. `full` waits for the disk at every commit: it survives a power failure too.
const Engine = (filename: string) =>
  TaskflowLayer({ retention: { success: "30 days", failed: "forever" } }).pipe(
    Layer.provide(SqliteBackend.layer({ filename, synchronous: "full" }))
  )

export const program = (filename: string) =>
  Effect.gen(function*() {
    // A first life. Nothing here can run the task: it is accepted, committed, and the engine goes.
    const { backend, first } = yield* Effect.gen(function*() {
      const { backend } = yield* TaskManager
      return { backend, first: yield* Invoice.enqueue({ order: "o-1" }) }
    }).pipe(Effect.provide(Engine(filename)))

    // A second life, of another process as well: it opens the same file and runs what it finds.
    const { result, second } = yield* Effect.gen(function*() {
      const second = yield* Invoice.enqueue({ order: "o-1" }) // the key is still held
      return { second, result: yield* Invoice.awaitResult(first.taskId) }
    }).pipe(Effect.provide(InvoiceHandler.pipe(Layer.provideMerge(Engine(filename)))))

    // A third life only looks: nothing is loaded at start, whatever the length of the history.
    const history = yield* Effect.gen(function*() {
      const manager = yield* TaskManager
      const { items } = yield* manager.list({ status: ["success"], limit: 5 })
      return items.map(({ attempts, taskName }) => ({ taskName, attempts }))
    }).pipe(Effect.provide(Engine(filename)))

    return {
      backend: `${backend.kind}, ${backend.durability}`,
      sameTask: second._tag === "Deduplicated" && second.taskId === first.taskId,
      result,
      history
    }
  })

if (process.argv[1] === import.meta.filename) {
  await Effect.runPromise(Effect.flatMap(program(join(tmpdir(), "effect-taskflow-07.db")), Console.log))
}
