/**
 * What it costs to run attempts in threads and processes: `npm run bench:workers`.
 *
 * For each kind: start cold (worker, module, first attempt) and warm, round trips one after the other, a payload of 10 MB there and
 * back, how late this process's event loop is while threads or processes keep `BENCH_BUSY` (1) cores busy, and the memory of
 * this process with its children before, during and after an attempt that holds 300 MB.
 */
import * as fs from "node:fs"
import { Effect, Fiber } from "effect"
import type { TaskId } from "effect-taskflow"
import type { WorkerJob, WorkerListener } from "../../src/executor/job.js"
import * as WorkerPool from "../../src/executor/WorkerPool.js"
import * as Report from "./support/report.js"

type Kind = WorkerPool.WorkerPoolOptions["kind"]

const busyWorkers = Number(process.env["BENCH_BUSY"] ?? 1)
const rounds = 5
const trips = 2_000
const mebibyte = 1024 * 1024

const module = { url: new URL("./support/benchWorker.js", import.meta.url).href, exportName: "default" }
const listener: WorkerListener = { log: () => {}, progress: () => {} }

const jobOf = (act: string, millis = 0, text = ""): WorkerJob => ({
  module,
  payload: JSON.stringify({ act, millis, text }),
  maxResultSize: 64 * mebibyte,
  logLevel: "info",
  context: {
    // safe: nobody looks at it
    taskId: "t" as TaskId.TaskId,
    taskName: "bench",
    tags: {},
    source: "manual",
    schedule: null,
    attempt: 0,
    instance: "i",
    fence: 1
  }
})

const poolOf = (kind: Kind, options?: Partial<WorkerPool.WorkerPoolOptions>) =>
  WorkerPool.make({
    kind,
    min: 0,
    max: 1,
    idleTimeout: 60_000,
    recycleAfter: Infinity,
    memoryLimit: null,
    startTimeout: 30_000,
    grace: 250,
    ...options
  })

const succeeded = (pool: WorkerPool.WorkerPool, job: WorkerJob) =>
  Effect.map(pool.run(job, listener), (outcome) => {
    if (outcome._tag !== "Success") throw new Error(JSON.stringify(outcome))
  })

const millisOf = (self: Effect.Effect<unknown>): Effect.Effect<number> =>
  Effect.suspend(() => {
    const from = performance.now()
    return Effect.map(self, () => performance.now() - from)
  })

/** How late each turn of a 5 ms timer came, while `self` runs. */
const lagDuring = (self: Effect.Effect<unknown>): Effect.Effect<ReadonlyArray<number>> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const late: Array<number> = []
      let due = performance.now() + 5
      const timer = setInterval(() => {
        const now = performance.now()
        late.push(Math.max(0, now - due))
        due = now + 5
      }, 5)
      return { late, timer }
    }),
    ({ late }) => Effect.as(self, late),
    ({ timer }) => Effect.sync(() => clearInterval(timer))
  )

const residentOf = (pid: string): number => {
  const pages = Number(fs.readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1])
  return pages * 4_096 / mebibyte
}

/** MiB of this process and its children. */
const resident = (): number => {
  const children = fs.readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ")
  return ["self", ...children.filter((pid) => pid !== "")].reduce((sum, pid) => sum + residentOf(pid), 0)
}

const measure = (kind: Kind) =>
  Effect.gen(function*() {
    const { add, table } = Report.make("workers", kind)
    const each = <A>(one: Effect.Effect<A>) => Effect.replicateEffect(one, rounds)

    const cold = Effect.scoped(Effect.flatMap(poolOf(kind), (pool) => millisOf(succeeded(pool, jobOf("echo")))))
    add("start, cold", "ms", 1, yield* each(cold))
    const warm = Effect.scoped(Effect.gen(function*() {
      const pool = yield* poolOf(kind, { min: 1, warm: [module] })
      yield* Effect.sleep(2_000)
      return yield* millisOf(succeeded(pool, jobOf("echo")))
    }))
    add("start, warm", "ms", 1, yield* each(warm))

    yield* Effect.scoped(Effect.gen(function*() {
      const pool = yield* poolOf(kind)
      const many = Effect.replicateEffect(succeeded(pool, jobOf("echo")), trips, { discard: true })
      yield* many
      const rates = yield* each(Effect.map(millisOf(many), (millis) => trips / millis * 1_000))
      add("round trips", "1/s", trips, rates)
    }))

    yield* Effect.scoped(Effect.gen(function*() {
      const pool = yield* poolOf(kind)
      const large = succeeded(pool, jobOf("echo", 0, "0123456789".repeat(mebibyte)))
      yield* large
      add("10 MB there and back", "ms", 1, yield* each(millisOf(large)))
      const lags = yield* each(Effect.map(lagDuring(large), (late) => Math.max(...late)))
      add("10 MB, longest turn of the main loop", "ms", 1, lags)
    }))

    const idle = yield* each(lagDuring(Effect.sleep(2_000)))
    const lags = yield* each(Effect.scoped(Effect.gen(function*() {
      const pool = yield* poolOf(kind, { max: busyWorkers + 1 })
      yield* Effect.forEach([..."x".repeat(busyWorkers + 1)], () => succeeded(pool, jobOf("echo")), {
        concurrency: "unbounded"
      })
      const busy = yield* Effect.fork(
        Effect.forEach([..."x".repeat(busyWorkers)], () => succeeded(pool, jobOf("spin", 2_500)), {
          concurrency: "unbounded"
        })
      )
      // What an application does meanwhile: here, other attempts.
      const late = yield* lagDuring(
        Effect.forever(succeeded(pool, jobOf("echo"))).pipe(
          Effect.zipRight(Effect.never),
          Effect.timeoutOption("2 seconds")
        )
      )
      yield* Fiber.join(busy)
      return late
    })))
    const settings = { busy: busyWorkers }
    for (const [name, quantile] of [["p50", 0.5], ["p99", 0.99]] as const) {
      const at = (all: ReadonlyArray<ReadonlyArray<number>>) => all.map((late) => Report.quantile(late, quantile))
      add(`main loop late, idle, ${name}`, "ms", 400, at(idle))
      add(`main loop late, ${busyWorkers} busy and others at work, ${name}`, "ms", 400, at(lags), settings)
    }

    yield* Effect.scoped(Effect.gen(function*() {
      const pool = yield* poolOf(kind, { memoryLimit: 200 * mebibyte })
      yield* succeeded(pool, jobOf("echo"))
      add("memory before", "MiB", 1, [resident()])
      const fiber = yield* Effect.fork(succeeded(pool, jobOf("hold", 500)))
      let most = 0
      while (fiber.unsafePoll() === null) {
        most = Math.max(most, resident())
        yield* Effect.sleep(20)
      }
      add("memory during 300 MB", "MiB", 1, [most])
      // Its worker held more than its limit: it is replaced before the next attempt.
      yield* succeeded(pool, jobOf("echo"))
      add("memory after", "MiB", 1, [resident()])
    }))
    table()
  })

await Effect.runPromise(Effect.forEach(["thread", "process"] as const, measure, { discard: true }))
