/**
 * Log files: everything in one that rotates, errors alone in another, and the same on the console.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/17-log-files.ts
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Effect, Layer, Schema } from "effect"
import { MemoryBackend, Task, TaskflowLayer, TaskLog } from "effect-taskflow"
import { ConsoleObserver, FileObserver } from "effect-taskflow/observers"

class GatewayError extends Schema.TaggedError<GatewayError>()("GatewayError", { code: Schema.Number }) {}

const Import = Task.make("import", {
  payload: { rows: Schema.Int },
  error: GatewayError,
  retry: { retries: 1, delay: "10 millis" }
})

const ImportHandler = Import.toLayer(({ rows }) =>
  Effect.gen(function*() {
    yield* TaskLog.info(`importing ${rows} rows`)
    // What comes from outside cannot forge a line: the end of a line is written as \n.
    yield* TaskLog.warning("row 2: bad name\n[00000000] [import] 2026-01-01T00:00:00 -- SUCCESS")
    if (rows === 0) {
      yield* TaskLog.error("nothing came")
      return yield* new GatewayError({ code: 502 })
    }
  })
)

// The short form lives inside the engine and sees a shutdown to its end.
const Engine = (folder: string) =>
  TaskflowLayer({
    announce: false,
    logFile: { path: path.join(folder, "tasks.log"), lifecycle: true, maxBytes: 400, backupCount: 3 }
  }).pipe(Layer.provide(MemoryBackend.layer()))

const Observers = (folder: string) =>
  Layer.mergeAll(
    // Rotated by logrotate, followed by us.
    FileObserver.layer({ path: path.join(folder, "errors.log"), mode: "watched", minLevel: "error", lifecycle: true }),
    ConsoleObserver.layer({ format: "json", minLevel: "warning" })
  )

export const program = (folder: string) =>
  Effect.gen(function*() {
    yield* Import.execute({ rows: 3 })
    yield* Effect.either(Import.execute({ rows: 0 }))
  }).pipe(
    Effect.provide(Layer.merge(ImportHandler, Observers(folder)).pipe(Layer.provideMerge(Engine(folder)))),
    Effect.map(() =>
      Object.fromEntries(
        fs.readdirSync(folder).sort().map((name) => [name, fs.readFileSync(path.join(folder, name), "utf8")])
      )
    )
  )

if (process.argv[1] === import.meta.filename) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "log-files-"))
  const files = await Effect.runPromise(program(folder))
  for (const [name, text] of Object.entries(files)) process.stdout.write(`\n${path.join(folder, name)}\n${text}`)
}
