/**
 * What `bench:http` measures: a process with an engine on a store and the API before it. It does what its parent says, and
 * tells what it used.
 */
import { createServer } from "node:http"
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks"
import { HttpLayerRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Redacted } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import * as Stores from "./stores.js"
import * as Workload from "./workload.js"

/** In what the parent sends as `Authorization`. */
export const token = "bench-token-of-a-program"

export type Ask =
  /** Begins to count. With `perSecond` so many tasks a second are put in, as far as they are taken. */
  | { readonly _tag: "begin"; readonly perSecond: number }
  | { readonly _tag: "end" }

/** Since `begin`. */
export interface Usage {
  readonly millis: number
  /** Of this process with all its threads, microseconds. */
  readonly cpu: number
  /** MiB, looked at ten times a second. */
  readonly rss: { readonly before: number; readonly most: number; readonly after: number }
  /** How late timers of the event loop were, milliseconds. */
  readonly lag: { readonly p50: number; readonly p99: number; readonly max: number }
  /** Tasks that succeeded. */
  readonly tasks: number
}

const resolution = 10
// Tasks that were accepted and have not ended: more than a second's worth are not put in.
const maxBacklog = 5_000
const tick = 10

const lagOf = (delay: IntervalHistogram): Usage["lag"] => {
  // A timer is never early, so what is measured begins at its interval.
  const late = (nanos: number) => Math.max(0, nanos / 1e6 - resolution)
  return { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) }
}

const measured = (manager: TaskManager["Type"], perSecond: number) => {
  const rss = () => process.memoryUsage().rss / 1024 / 1024
  const before = rss()
  let most = before
  let succeeded = 0
  const untap = manager.tap(({ _tag }) => {
    if (_tag === "Succeeded") succeeded += 1
  })
  const begun = performance.now()
  const cpu = process.cpuUsage()
  let asked = 0
  const load = perSecond === 0 ? undefined : setInterval(() => {
    const due = Math.floor((performance.now() - begun) / 1_000 * perSecond) - asked
    const many = Math.min(due, 1_000, maxBacklog - (asked - succeeded))
    if (many <= 0) return
    asked += many
    const payloads = Array.from({ length: many }, (_, id) => ({ id, to: "somebody@example.com", note: "x" }))
    Effect.runFork(Effect.provideService(Workload.Noop.enqueueMany(payloads), TaskManager, manager))
  }, tick)
  const sampler = setInterval(() => most = Math.max(most, rss()), 100)
  const delay = monitorEventLoopDelay({ resolution })
  delay.enable()
  return (): Usage => {
    delay.disable()
    clearInterval(load)
    clearInterval(sampler)
    untap()
    const { system, user } = process.cpuUsage(cpu)
    const after = rss()
    return {
      millis: performance.now() - begun,
      cpu: user + system,
      rss: { before, most: Math.max(most, after), after },
      lag: lagOf(delay),
      tasks: succeeded
    }
  }
}

const api = Layer.mergeAll(
  TaskHttp.layer({
    auth: TaskAuth.bearer({ tokens: [{ name: "bench", token: Redacted.make(token), access: "operator" }] })
  }),
  // What a request costs before there is an API.
  HttpLayerRouter.add("GET", "/plain", Effect.succeed(HttpServerResponse.unsafeJson({ ok: true })))
)

const main = Effect.gen(function*() {
  const manager = yield* TaskManager
  const context = yield* Layer.build(
    HttpLayerRouter.serve(api, { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
    )
  )
  const { address } = Context.get(context, HttpServer.HttpServer)
  let end: (() => Usage) | undefined
  process.on("message", (ask: Ask) => {
    if (ask._tag === "begin") {
      end = measured(manager, ask.perSecond)
      process.send!({})
    } else process.send!(end!())
  })
  process.send!({ port: address._tag === "TcpAddress" ? address.port : 0 })
  yield* Effect.async<void>((resume) => void process.once("disconnect", () => resume(Effect.void)))
}).pipe(Effect.scoped)

if (process.env["BENCH_SERVE"] !== undefined) {
  const store: Stores.Store = JSON.parse(process.env["BENCH_SERVE"])
  const engine = Workload.engine(Stores.backend(store) as Parameters<typeof Workload.engine>[0]) // safe: what fails, fails
  await engine.runPromise(main).finally(() => engine.dispose())
}
