/**
 * Encryption at rest: what tasks carry is encrypted before the database sees it, and keys can be replaced.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/19-encryption.ts
 */
import { readdirSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { Console, Effect, Layer, Schema } from "effect"
import { Task, TaskCipher, TaskflowLayer, TaskManager } from "effect-taskflow"
import { SqliteBackend } from "effect-taskflow/sqlite"

const Mail = Task.make("mail", { payload: { to: Schema.String }, success: Schema.String })
const MailHandler = Mail.toLayer(({ to }) => Effect.as(Effect.log(`mail to ${to}`), `sent to ${to}`))

// In an application: TaskCipher.layerConfig(), and the keys in the environment. A cipher goes between engine and backend.
const Engine = (filename: string, cipher: TaskCipher.TaskCipherOptions) =>
  TaskflowLayer({ announce: false }).pipe(
    Layer.provide(TaskCipher.layer(cipher)),
    Layer.provide(SqliteBackend.layer({ filename }))
  )

// Everything the database wrote: the file, and the log beside it.
const bytesOf = (filename: string) =>
  readdirSync(dirname(filename))
    .filter((name) => name.startsWith(basename(filename)))
    .map((name) => readFileSync(join(dirname(filename), name), "latin1"))
    .join("")

export const program = (filename: string) =>
  Effect.gen(function*() {
    const old = { id: "2025", key: yield* TaskCipher.generateKey }
    const fresh = { id: "2026", key: yield* TaskCipher.generateKey }
    const life = (cipher: TaskCipher.TaskCipherOptions) => Layer.provideMerge(MailHandler, Engine(filename, cipher))

    const first = yield* Effect.gen(function*() {
      const { taskId } = yield* Mail.enqueue({ to: "ada@example.com" })
      const result = yield* Mail.awaitResult(taskId)
      const bytes = bytesOf(filename)
      return { taskId, result, inTheFile: { name: bytes.includes("mail"), secret: bytes.includes("ada@example") } }
    }).pipe(Effect.provide(life({ keys: [old] })))

    // Nothing here can run it: it waits, encrypted with the old key.
    const late = yield* Effect.provide(Mail.enqueue({ to: "late@example.com" }), Engine(filename, { keys: [old] }))

    // An instance that lacks the key fails the task, and goes on with everything else.
    const lost = yield* Effect.gen(function*() {
      const manager = yield* TaskManager
      yield* Mail.execute({ to: "bob@example.com" })
      return yield* manager.awaitResult(late.taskId)
    }).pipe(Effect.provide(life({ keys: [fresh] })))

    // Rotation: the new key encrypts, the old one still decrypts, and idempotency keys are hashed as before.
    const { again, before } = yield* Effect.gen(function*() {
      const manager = yield* TaskManager
      const before = yield* Mail.awaitResult(first.taskId)
      return { before, again: yield* Effect.flatMap(manager.retry(late.taskId), Mail.awaitResult) }
    }).pipe(Effect.provide(life({ keys: [fresh, old], hashKey: old.key })))

    return {
      inTheFile: first.inTheFile,
      result: first.result,
      rotated: before,
      withoutTheKey: lost.failure?.name,
      withItAgain: again
    }
  })

if (process.argv[1] === import.meta.filename) {
  await Effect.runPromise(Effect.flatMap(program(join(tmpdir(), "effect-taskflow-19.db")), Console.log))
}
