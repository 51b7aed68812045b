/** The handlers that the tests of the pool run in threads and processes. */
import * as fs from "node:fs"
import * as v8 from "node:v8"
import { isMainThread, parentPort } from "node:worker_threads"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import { Task, TaskContext, TaskLog, TaskProgress } from "effect-taskflow"
import { Plain, Probe, Refused } from "./tasks.js"

type Input = Task.Payload<typeof Probe>
type Act = (
  input: Input
) => Effect.Effect<string, Refused, TaskContext | Counter | Scope.Scope>

/** Counts the attempts of one worker; writes into the file of `PROBE_CLOSED` when it closes. */
class Counter extends Context.Tag("Counter")<Counter, { readonly next: Effect.Effect<number> }>() {}

const note = (text: string) =>
  Effect.sync(() => {
    const file = process.env["PROBE_CLOSED"]
    if (file !== undefined) fs.appendFileSync(file, `${text}\n`)
  })

const CounterLive = Layer.scoped(
  Counter,
  Effect.gen(function*() {
    yield* Effect.addFinalizer(() => note("layer closed"))
    let count = 0
    return { next: Effect.sync(() => count += 1) }
  })
)

const busy = (): void => {
  for (;;);
}

const acts: Readonly<Record<string, Act>> = {
  echo: ({ text }) => Effect.succeed(text),
  count: () => Effect.flatMap(Counter, ({ next }) => Effect.map(next, String)),
  where: () => Effect.succeed(`${isMainThread ? "process" : "thread"} ${process.pid}`),
  context: () =>
    Effect.gen(function*() {
      const { signal, ...context } = yield* TaskContext.current
      const { attempt, fence, instance, schedule, source, tags, taskId, taskName } = yield* TaskContext
      yield* Effect.succeed(context)
      return JSON.stringify({
        attempt,
        fence,
        instance,
        schedule,
        source,
        tags,
        taskId,
        taskName,
        aborted: signal.aborted
      })
    }),
  refuse: () => Effect.fail(new Refused({ code: 7, at: new Date(5) })),
  unrecoverable: () => Task.unrecoverable(new Refused({ code: 8, at: new Date(5) })),
  throw: () =>
    Effect.sync(() => {
      throw new RangeError("too far")
    }),
  // safe: what a caller without types would do
  misfit: () => Effect.succeed(3 as never),
  snooze: () => Task.snooze("90 seconds"),
  logs: () =>
    Effect.gen(function*() {
      yield* Effect.logDebug("not kept")
      yield* Effect.log("one", { two: 2 }).pipe(Effect.annotateLogs("order", "o-1"))
      yield* TaskLog.warning("gateway slow", { code: 503, big: 10n })
      yield* TaskProgress.set(0.5, "half")
      return "logged"
    }),
  busy: () => Effect.sync(() => busy() as never),
  busyLogs: () =>
    Effect.gen(function*() {
      yield* Effect.log("live")
      yield* TaskProgress.set(0.25, "busy")
      return busy() as never
    }),
  // A loop of Effects that never waits: it can be interrupted where it yields.
  loop: () => Effect.ensuring(Effect.zipRight(Effect.log("looping"), Effect.forever(Effect.void)), note("loop ended")),
  wait: () =>
    Effect.gen(function*() {
      const { signal } = yield* TaskContext
      yield* Effect.addFinalizer(() => note(`scope closed, aborted: ${signal.aborted}`))
      yield* Effect.log("waiting")
      return yield* Effect.never
    }),
  stubborn: () => Effect.uninterruptible(Effect.zipRight(Effect.log("holding"), Effect.never)),
  daemon: () => Effect.as(Effect.forkDaemon(Effect.forever(Effect.delay(Effect.log("ghost"), "1 millis"))), "left"),
  exit: () => Effect.sync(() => process.exit(3)),
  uncaught: () =>
    Effect.zipRight(
      Effect.sync(() =>
        setTimeout(() => {
          throw new RangeError("nobody caught this")
        }, 0)
      ),
      Effect.never
    ),
  rejected: () => Effect.zipRight(Effect.sync(() => void Promise.reject(new RangeError("nor this"))), Effect.never),
  outOfMemory: () =>
    Effect.sync(() => {
      const all: Array<unknown> = []
      for (;;) all.push(new Array(1_000_000).fill(all.length))
    }),
  hold: ({ text }) =>
    Effect.sync(() => {
      const held = Buffer.alloc(Number(text) * 1024 * 1024, 1)
      return String(held.length)
    }),
  strangers: () =>
    Effect.sync(() => {
      for (
        const message of ["hello", null, 7, { _tag: "Ended", run: 1, outcome: null }, {
          "effect-taskflow/worker": { _tag: "Ended", run: 1, outcome: { _tag: "Success" } }
        }]
      ) {
        parentPort?.postMessage(message)
        process.send?.(message)
      }
      return "still here"
    }),
  nodeOptions: () => Effect.succeed(JSON.stringify(process.execArgv)),
  heapLimit: () => Effect.succeed(String(v8.getHeapStatistics().heap_size_limit)),
  environment: ({ text }) => Effect.succeed(process.env[text] ?? "")
}

const probe = (input: Input) => Effect.map(acts[input.act]!(input), (text) => ({ text, at: input.at }))

const quiet = Logger.remove(Logger.defaultLogger)

export default Task.worker(Probe, probe, { layer: Layer.merge(CounterLive, quiet) })

export const plain = Task.worker(Plain, () => Effect.log("shown once"))

export const failingLayer = Task.worker(Probe, probe, {
  layer: Layer.effect(Counter, Effect.fail(new Refused({ code: 1, at: new Date(1) })))
})

export const notAWorker = { handler: probe }

if (process.env["PROBE_SLOW_MODULE"] !== undefined) await new Promise(() => setInterval(() => {}, 1_000))
