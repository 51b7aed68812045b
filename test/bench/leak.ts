/**
 * Whether memory grows while the engine works and works: `npm run bench:leak -- --backend sqlite --minutes 30`.
 *
 * One process under a steady load of everything (`support/leakLoad.ts`, `support/leakVisitors.ts`), with retention on, so
 * that history is bounded. The first five minutes (of less than half an hour: the first sixth) are left out: code is compiled,
 * buffers and the store fill up. From then on straight lines are put through the samples of two numbers: the memory of
 * the process (RSS) after a forced collection, and the part of it that is live (heap and external memory). Goal: at most 1 MB
 * an hour. The exit code is 1 when a line is steeper by more than two standard errors.
 *
 * A short run proves little: `detectable` is the smallest growth that would have been called broken, and `not shown` means
 * that the bound was neither broken nor shown to hold.
 *
 *     --rate 200        tasks a second          --sample 10    seconds between samples
 *     --heap FOLDER     heap snapshots there, halfway through what is left out and at the end
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { writeHeapSnapshot } from "node:v8"
import { Effect, Fiber, Layer, Metric } from "effect"
import { TaskflowLayer } from "effect-taskflow"
import * as Load from "./support/leakLoad.js"
import * as LeakStore from "./support/leakStore.js"
import * as Visitors from "./support/leakVisitors.js"
import * as Slope from "./support/slope.js"
import * as Workload from "./support/workload.js"

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: "sqlite" },
    minutes: { type: "string", default: "30" },
    rate: { type: "string", default: "200" },
    sample: { type: "string", default: "10" },
    heap: { type: "string" }
  }
})

const backend = LeakStore.backends.find((name) => name === values.backend)
if (backend === undefined) throw new Error(`--backend ${values.backend}: one of ${LeakStore.backends.join(", ")}`)
const minutes = Number(values.minutes)
const rate = Number(values.rate)
const every = Number(values.sample) * 1_000
if (!(minutes > 0 && rate > 0 && every > 0)) throw new Error("--minutes, --rate and --sample are numbers above 0")

/** MB an hour. */
const bound = 1
const megabyte = 1_000_000
const total = minutes * 60_000
const leftOut = Math.min(5 * 60_000, total / 6)
const sizesEvery = 60_000

interface Sample {
  /** Milliseconds since the start. */
  readonly at: number
  /** Megabytes. */
  readonly rss: number
  readonly heap: number
  readonly external: number
  /** Handles and requests that keep the process alive. */
  readonly resources: number
  readonly rootFibers: number
  readonly activeFibers: number
  readonly metrics: number
}

const begun = performance.now()
const since = () => performance.now() - begun

const collect = () => {
  if (globalThis.gc === undefined) throw new Error("run node with --expose-gc")
  globalThis.gc()
  globalThis.gc()
}

const sampled: Effect.Effect<Sample> = Effect.gen(function*() {
  const rootFibers = (yield* Fiber.roots).length
  const metrics = yield* Metric.snapshot
  const active = metrics.find(({ metricKey }) => metricKey.name === "effect_fiber_active")?.metricState
  collect()
  const { arrayBuffers: _, external, heapUsed, rss } = process.memoryUsage()
  return {
    at: since(),
    rss: rss / megabyte,
    heap: heapUsed / megabyte,
    external: external / megabyte,
    resources: process.getActiveResourcesInfo().length,
    rootFibers,
    activeFibers: active !== undefined && "count" in active ? Number(active.count) : -1,
    metrics: metrics.length
  }
})

const say = (text: string) => process.stderr.write(`${text}\n`)

const snapshot = (name: string) => {
  if (values.heap === undefined) return
  mkdirSync(values.heap, { recursive: true })
  say(`heap snapshot ${writeHeapSnapshot(join(values.heap, `${backend}-${name}.heapsnapshot`))}`)
}

const slopeOf = (samples: ReadonlyArray<Sample>, of: (sample: Sample) => number) =>
  Slope.of(samples.map((sample) => ({ at: sample.at, value: of(sample) })))

const told = ({ detectable, error, perHour, verdict }: ReturnType<typeof Slope.judged>) =>
  `${perHour.toFixed(2)} ± ${error.toFixed(2)} MB/h, ${verdict} (from ${detectable.toFixed(2)} it would be found)`

const measured = (sizes: LeakStore.LeakStore["sizes"]) =>
  Effect.gen(function*() {
    const samples: Array<Sample> = []
    const stored: Array<LeakStore.Sizes & { readonly at: number }> = []
    let counted = 0
    let begun = false
    while (since() < total) {
      yield* Effect.sleep(every)
      // Early, because writing one takes memory that is given back only after a while.
      if (!begun && since() >= leftOut / 2) {
        begun = true
        snapshot("begin")
      }
      const sample = yield* sampled
      samples.push(sample)
      if (since() - counted < sizesEvery) continue
      counted = since()
      const size = { at: counted, ...yield* sizes }
      stored.push(size)
      say(JSON.stringify({ ...sample, stored: size, enqueued: Load.counts.enqueued }))
    }
    snapshot("end")
    return { samples, stored, kept: samples.filter(({ at }) => at >= leftOut) }
  })

const program = Effect.gen(function*() {
  const { layer, sizes } = yield* LeakStore.open(backend)
  const engine = TaskflowLayer({
    announce: false,
    retention: { success: "1 minute", cancelled: "1 minute", failed: "2 minutes", interrupted: "2 minutes" },
    shutdownTimeout: "1 second",
    executors: { thread: { max: 1, recycleAfter: 20 } }
  }).pipe(Layer.provide(layer))
  const all = Layer.mergeAll(Load.handlers, Load.companions).pipe(
    Layer.provideMerge(engine),
    Layer.provideMerge(Workload.warnings)
  )
  return yield* Effect.raceFirst(
    measured(sizes),
    Effect.zipRight(Effect.all([Load.load(rate), Visitors.visitors], { concurrency: "unbounded" }), Effect.never)
  ).pipe(Effect.provide(all))
}).pipe(Effect.scoped)

const { kept, samples, stored } = await Effect.runPromise(program)
const rss = Slope.judged(slopeOf(kept, (sample) => sample.rss), bound)
const live = Slope.judged(slopeOf(kept, ({ external, heap }) => heap + external), bound)
const minuteOf = ({ at }: Sample) => Math.floor(at / 60_000)
const growth = (of: (sample: Sample) => number) => {
  const { error, perHour } = slopeOf(kept, of)
  return { perHour, error }
}
// What only warms up goes slower and slower; what leaks goes on as before.
const late = kept.slice(Math.floor(kept.length / 2))
const lateLive = Slope.judged(slopeOf(late, ({ external, heap }) => heap + external), bound)
const first = kept[0]
const last = samples.at(-1)
const verdicts = [rss.verdict, live.verdict]
const broken = verdicts.includes("broken")
process.stdout.write(`${
  JSON.stringify({
    bench: "leak",
    backend,
    minutes,
    rate,
    leftOut: leftOut / 60_000,
    samples: kept.length,
    boundMBPerHour: bound,
    rss,
    live,
    secondHalf: { rss: Slope.judged(slopeOf(late, (sample) => sample.rss), bound), live: lateLive },
    others: {
      heap: growth(({ heap }) => heap),
      external: growth(({ external }) => external),
      resources: growth(({ resources }) => resources),
      rootFibers: growth(({ rootFibers }) => rootFibers),
      activeFibers: growth(({ activeFibers }) => activeFibers),
      metrics: growth(({ metrics }) => metrics)
    },
    first,
    last,
    minutely: samples.filter((sample, index) => index === 0 || minuteOf(sample) !== minuteOf(samples[index - 1]!)),
    done: { ...Load.counts, ...Visitors.seen, statuses: Object.fromEntries(Visitors.seen.statuses) },
    stored
  })
}\n`)
say(`RSS ${told(rss)}`)
say(`live ${told(live)}`)
say(`live, second half ${told(lateLive)}`)
if (verdicts.includes("not shown")) {
  say("not shown: this run is too short, or the machine too busy, to tell; run longer")
}
process.exit(broken ? 1 : 0)
