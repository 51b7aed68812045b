/**
 * What observers cost a task: one line and two steps for each, the engine on memory. `npm run bench:observers`, about half a
 * minute.
 *
 * The kinds are interleaved in one process. The time ends when the last task ended, so what an observer does afterwards is not
 * in it; processor time (cpu) is. `stuck` never comes back from its first event, `throwing` fails at every one.
 *
 *     BENCH_N=20000 BENCH_ROUNDS=5 npm run bench:observers
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Console, Effect, Layer, Logger, Stream } from "effect"
import { MemoryBackend, Task, TaskflowLayer, TaskLog, type TaskManager, TaskObserver } from "effect-taskflow"
import { ConsoleObserver, FileObserver, MemoryObserver } from "effect-taskflow/observers"
import * as Elapsed from "./support/elapsed.js"
import * as Report from "./support/report.js"

const n = Number(process.env["BENCH_N"] ?? 20_000)
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 5)
const warmUp = 2_000

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bench-observers-"))
const file = path.join(folder, "tasks.log")

const Noted = Task.make("bench.noted")
const handler = Noted.toLayer(() => TaskLog.info("what this handler has to say"))

type Observer = Layer.Layer<never, never, TaskManager>

const kinds: Readonly<Record<string, { readonly name: string; readonly observer: Observer }>> = {
  none: { name: "", observer: Layer.empty },
  stream: {
    name: "stream",
    observer: TaskObserver.make({ name: "stream", run: Stream.runDrain })
  },
  callbacks: {
    name: "callbacks",
    observer: TaskObserver.callbacks({ name: "callbacks", onLog: () => Effect.void, onLifecycle: () => Effect.void })
  },
  memory: { name: "", observer: Layer.scopedDiscard(MemoryObserver.make()) },
  file: { name: `file:${file}`, observer: FileObserver.layer({ path: file, lifecycle: true }) },
  console: { name: "console", observer: ConsoleObserver.layer({ lifecycle: true }) },
  stuck: {
    name: "stuck",
    observer: TaskObserver.make({ name: "stuck", run: (events) => Stream.runForEach(events, () => Effect.never) })
  },
  throwing: {
    name: "throwing",
    observer: TaskObserver.callbacks({
      name: "throwing",
      onLifecycle: () => Effect.die(new Error("thrown")),
      onLog: () => Effect.die(new Error("thrown"))
    })
  }
}

const silent = Layer.unwrapEffect(
  Effect.map(Effect.console, (console) => Console.setConsole({ ...console, log: () => Effect.void }))
)

const tasks = (count: number) =>
  Effect.forEach(Array.from({ length: count }), () => Noted.execute(), { concurrency: 200, discard: true })

const measure = (observer: Observer) =>
  Effect.gen(function*() {
    yield* tasks(warmUp)
    const stop = Elapsed.start()
    yield* tasks(n)
    const { cpu, wall } = stop()
    return { wall: wall * 1_000 / n, cpu: cpu * 1_000 / n }
  }).pipe(
    Effect.provide(
      Layer.merge(handler, observer).pipe(
        Layer.provideMerge(Layer.orDie(TaskflowLayer({ announce: false }))),
        Layer.provide(MemoryBackend.layer()),
        Layer.provide(Logger.remove(Logger.defaultLogger)),
        Layer.provide(silent)
      )
    ),
    Effect.provide(Logger.remove(Logger.defaultLogger))
  )

const program = Effect.gen(function*() {
  const report = Report.make("observers", "memory")
  const found: Record<string, Array<Elapsed.Elapsed>> = {}
  const missed: Record<string, number> = {}
  for (let round = 0; round < rounds; round += 1) {
    for (const [kind, { name, observer }] of Object.entries(kinds)) {
      const before = yield* TaskObserver.dropped(name)
      const elapsed = yield* measure(observer)
      ;(found[kind] ??= []).push(elapsed)
      missed[kind] = (missed[kind] ?? 0) + (yield* TaskObserver.dropped(name)) - before
    }
  }
  for (const [kind, values] of Object.entries(found)) {
    const settings = { missed: missed[kind]! / rounds, of: 3 * (n + warmUp) }
    report.add(kind, "µs a task", n, values.map(({ wall }) => wall), settings)
    report.add(`${kind}, cpu`, "µs a task", n, values.map(({ cpu }) => cpu), settings)
  }
  report.table()
})

await Effect.runPromise(program)
fs.rmSync(folder, { recursive: true, force: true })
