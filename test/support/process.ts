/** A process of its own that opens a backend, and does what its second argument says. Told to begin by a line on stdin. */
import { Effect, Logger, LogLevel } from "effect"
import { TaskBackend, TaskEvent } from "effect-taskflow"
import { batchOf, databases, facts, now, task } from "./sql.js"

const [, , name, place, what, id] = process.argv as unknown as ReadonlyArray<string>

const backend = databases.find((database) => database.name === name)!.layer(place!)

const boot = Effect.asVoid(TaskBackend)

/** Writes for two seconds, one batch behind the other; answers how many tasks it was told are written. */
const write = Effect.gen(function*() {
  const { attach, write } = yield* TaskBackend
  const instance = TaskEvent.InstanceId.make(id!)
  yield* attach(facts(instance), now)
  const end = Date.now() + 2_000
  let number = 0
  while (Date.now() < end) {
    const records = [task(), task({ idempotencyKey: `${id}-${number}` }), task()]
    yield* write({ ...batchOf(number += 1, records), instance })
  }
  process.stdout.write(`${number * 3}\n`)
})

process.stdout.write("ready\n")
process.stdin.once("data", () => {
  const program = Effect.provide(what === "boot" ? boot : write, backend)
  Effect.runPromise(Logger.withMinimumLogLevel(program, LogLevel.None)).then(() => process.exit(0), (error) => {
    process.stderr.write(String(error))
    process.exit(1)
  })
})
