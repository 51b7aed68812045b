/**
 * Fair work: three instances on one database, one of them enqueues everything, all of them run.
 *
 *     npm run chaos:fair -- --backend postgres|redis|sqlite|mariadb [--tasks 20000] [--millis 50] [--slots 50]
 *
 * One JSON line on stdout: how many tasks each instance ran, and how far the least is behind the most (`spread`). Exit code 1
 * when that is more than a fifth (with tasks so short that the processor decides, the system shares it out as it likes), when a task ran twice or not at all, or when a key that all three used ran more than once.
 */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Console, Effect, Layer, Schema } from "effect"
import { Task, TaskContext, TaskflowLayer, TaskManager } from "effect-taskflow"
import * as Fleet from "./support/fleet.js"
import { runMain } from "./support/main.js"
import { backendOf, folder, fresh, type Kind, kinds, type Place } from "./support/places.js"

/** What a child is told on its command line. */
interface Role {
  readonly place: Place
  readonly tasks: number
  readonly millis: number
  readonly slots: number
  readonly enqueues: boolean
}

type FromChild = { readonly _tag: "Ready" } | { readonly _tag: "Ran"; readonly ids: ReadonlyArray<string> }

const Share = Task.make("share", { payload: { millis: Schema.Number } })
const Keyed = Task.make("keyed", { payload: {} })

// ── an instance ──────────────────────────────────────────────────────────────────────────────────────────────────────

const instance = ({ enqueues, millis, place, slots, tasks }: Role) =>
  Effect.gen(function*() {
    const ids: Array<string> = []
    const note = Effect.flatMap(TaskContext.current, ({ taskId }) => Effect.sync(() => ids.push(taskId)))
    const handlers = Layer.merge(
      Share.toLayer((payload) => Effect.zipRight(note, Effect.sleep(payload.millis))),
      Keyed.toLayer(() => note)
    )
    const engine = TaskflowLayer({ maxConcurrentTasks: slots, announce: false }).pipe(Layer.provide(backendOf(place)))
    const said = (what: string) =>
      Effect.async<void>((resume) => {
        const heard = (message: unknown) => {
          if (message !== what) return
          process.off("message", heard)
          resume(Effect.void)
        }
        process.on("message", heard)
      })
    yield* Effect.gen(function*() {
      yield* TaskManager
      process.send!({ _tag: "Ready" } satisfies FromChild)
      yield* said("go")
      yield* Keyed.enqueue(undefined, { idempotencyKey: "of all" })
      for (let left = enqueues ? tasks : 0; left > 0; left -= 500) {
        yield* Share.enqueueMany(Array.from({ length: Math.min(500, left) }, () => ({ millis })))
      }
      yield* said("report")
      process.send!({ _tag: "Ran", ids } satisfies FromChild)
      yield* said("end")
    }).pipe(Effect.provide(Layer.provideMerge(handlers, engine)))
  })

// ── the three of them ────────────────────────────────────────────────────────────────────────────────────────────────

const child = (role: Role) =>
  Effect.acquireRelease(
    Effect.sync(() => fork(fileURLToPath(import.meta.url), [JSON.stringify(role)], { stdio: "inherit" })),
    (started) => Effect.sync(() => started.kill("SIGKILL"))
  )

const heardFrom = <Tag extends FromChild["_tag"]>(from: ChildProcess, tag: Tag) =>
  Effect.async<Extract<FromChild, { _tag: Tag }>, Error>((resume) => {
    from.on("message", (message: FromChild) => {
      if (message._tag === tag) resume(Effect.succeed(message as Extract<FromChild, { _tag: Tag }>)) // safe: its tag
    })
    from.on("exit", (code) => resume(Effect.fail(new Error(`an instance ended by itself: ${code}`))))
  }).pipe(Effect.timeoutFail({ duration: "60 seconds", onTimeout: () => new Error(`no ${tag} within a minute`) }))

const supervise = Effect.gen(function*() {
  const { values } = parseArgs({
    options: {
      backend: { type: "string", default: "postgres" },
      tasks: { type: "string", default: "20000" },
      millis: { type: "string", default: "50" },
      slots: { type: "string", default: "50" }
    }
  })
  const kind = kinds.find((one) => one === values.backend) as Kind
  if (kind === undefined) throw new RangeError(`--backend ${values.backend}: one of ${kinds.join(", ")}`)
  const settings = { tasks: Number(values.tasks), millis: Number(values.millis), slots: Number(values.slots) }
  const place = yield* Effect.flatMap(folder, (files) => fresh(kind, files))
  const children = yield* Effect.forEach([true, false, false], (enqueues) => child({ ...settings, place, enqueues }), {
    concurrency: 1
  })
  yield* Effect.forEach(children, (one) => heardFrom(one, "Ready"), { concurrency: "unbounded" })
  const begun = Date.now()
  for (const one of children) one.send("go")
  const ask = Effect.forEach(children, (one) => {
    const answer = heardFrom(one, "Ran")
    return Effect.zipRight(Effect.sync(() => one.send("report")), answer)
  }, { concurrency: "unbounded" })
  // An instance answers once; what it ran is counted by the manager of this process until all have ended.
  const looker = TaskflowLayer({ announce: false, unhandledAfter: "1 hour" }).pipe(Layer.provide(backendOf(place)))
  const done = yield* Effect.scoped(Effect.gen(function*() {
    const manager = yield* TaskManager
    return yield* Fleet.until(120, Effect.map(manager.stats(), ({ counts }) => counts.success >= settings.tasks + 1))
  })).pipe(Effect.provide(looker))
  const seconds = (Date.now() - begun) / 1_000
  const ran = (yield* ask).map(({ ids }) => ids)
  for (const one of children) one.send("end")
  const all = ran.flat()
  const counts = ran.map((ids) => ids.length)
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  const doubled = all.length - new Set(all).size
  const spread = Math.round((1 - least / most) * 1_000) / 1_000
  const missing = settings.tasks + 1 - new Set(all).size
  yield* Console.log(JSON.stringify({ backend: kind, ...settings, counts, spread, doubled, missing, done, seconds }))
  return done && doubled === 0 && missing === 0 && spread <= 0.2
}).pipe(Effect.scoped)

const role = process.argv[2]
if (process.send !== undefined && role !== undefined) {
  process.on("disconnect", () => process.exit(1))
  runMain(Effect.as(instance(JSON.parse(role) as Role), true)) // safe: the supervisor wrote it
} else runMain(supervise)
