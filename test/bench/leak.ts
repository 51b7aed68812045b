/**
 * Whether memory grows while the engine works and works: `npm run bench:leak -- --backend sqlite --minutes 30`.
 *
 * One process under a steady load of everything (`support/leakLoad.ts`, `support/leakVisitors.ts`), with retention on, so
 * that history is bounded. The first five minutes (of less than half an hour: the first sixth) are left out: code is compiled,
 * buffers and the store fill up. `--warm` times the load lets them get there, for a third of that time; in the rest what it left
 * behind goes away. From then on straight lines are put through the medians of each minute of two numbers: the memory of the process (RSS) after a forced collection, and the part of it that is live (heap
 * and external memory). Goal: at most 1 MB an hour. The exit code is 1 when a line is steeper by more than two standard errors.
 *
 * A short run proves little: `detectable` is the smallest growth that would have been called broken, and `not shown` means
 * that the bound was neither broken nor shown to hold. Every minute says how far it is. Samples each second or two bring the
 * answer sooner, and take a tenth of a processor.
 *
 * What moves memory and is nothing that the library keeps is held still, see `package.json`. The young generation of the heap is
 * small: of a large one V8 keeps both halves in memory or one, and a thread that comes and goes has another, which moves RSS by
 * 32 MB each. Collections give memory back before they end, the C library keeps few arenas. Code is compiled when it first runs,
 * and neither optimized later on nor thrown away.
 *
 *     --rate 100        enqueues a second       --sample 5     seconds between samples
 *     --warm 3          times that load in the minutes that are left out
 *     --heap FOLDER     heap snapshots there, halfway through what is left out and at the end
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { writeHeapSnapshot } from "node:v8"
import { Effect, Fiber, Layer, Metric } from "effect"
import { TaskflowLayer } from "effect-taskflow"
import * as Load from "./support/leakLoad.js"
import * as Samples from "./support/leakSamples.js"
import * as LeakStore from "./support/leakStore.js"
import * as Visitors from "./support/leakVisitors.js"
import * as Slope from "./support/slope.js"
import * as Workload from "./support/workload.js"

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: "sqlite" },
    minutes: { type: "string", default: "30" },
    rate: { type: "string", default: "100" },
    sample: { type: "string", default: "5" },
    warm: { type: "string", default: "3" },
    heap: { type: "string" }
  }
})

const backend = LeakStore.backends.find((name) => name === values.backend)
if (backend === undefined) throw new Error(`--backend ${values.backend}: one of ${LeakStore.backends.join(", ")}`)
const minutes = Number(values.minutes)
const rate = Number(values.rate)
const every = Number(values.sample) * 1_000
const warm = Number(values.warm)
if (!(minutes > 0 && rate > 0 && every > 0 && warm > 0)) {
  throw new Error("--minutes, --rate, --sample and --warm are numbers above 0")
}

/** MB an hour. */
const bound = 1
const megabyte = 1_000_000
const total = minutes * 60_000
const leftOut = Math.min(5 * 60_000, total / 6)
// The rest of what is left out is for what more load left behind: history of a minute or two, fuller buffers.
const warmUp = leftOut / 3
const sizesEvery = 60_000

const begun = performance.now()
const since = () => performance.now() - begun

const collect = () => {
  if (globalThis.gc === undefined) throw new Error("run node with --expose-gc")
  globalThis.gc()
  globalThis.gc()
}

type Sample = Samples.Sample

const sampled: Effect.Effect<Sample> = Effect.gen(function*() {
  const rootFibers = (yield* Fiber.roots).length
  const metrics = yield* Metric.snapshot
  const activeFibers = yield* Load.counted("effect_fiber_active")
  const ended = yield* Load.counted("taskflow_finished_total")
  collect()
  const { external, heapUsed, rss } = process.memoryUsage()
  return {
    at: since(),
    rss: rss / megabyte,
    heap: heapUsed / megabyte,
    external: external / megabyte,
    resources: process.getActiveResourcesInfo().length,
    rootFibers,
    activeFibers,
    metrics: metrics.length,
    answered: Load.counts.answered,
    ended
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

const liveOf = ({ external, heap }: Sample) => heap + external
// A thread that is replaced takes some 10 MB away for a second or two, now and then, which no straight line should go through.
const together = Math.min(60_000, (total - leftOut) / 20)
const judgedOf = (samples: ReadonlyArray<Sample>, of: (sample: Sample) => number) =>
  Slope.judged(
    Slope.of(Slope.medians(samples.map((sample) => ({ at: sample.at, value: of(sample) })), together)),
    bound
  )

const measured = (sizes: LeakStore.LeakStore["sizes"]) =>
  Effect.gen(function*() {
    const samples = Samples.make(Math.ceil(total / every) + 1)
    const stored: Array<LeakStore.Sizes & { readonly at: number }> = []
    let counted = 0
    let begun = false
    while (since() < total) {
      Load.pace.times = since() < warmUp ? warm : 1
      yield* Effect.sleep(every)
      // Early, because writing one takes memory that is given back only after a while.
      if (!begun && since() >= leftOut / 2) {
        begun = true
        snapshot("begin")
      }
      const sample = yield* sampled
      samples.add(sample)
      if (since() - counted < sizesEvery) continue
      counted = since()
      // A busy server may refuse another connection.
      const size = { at: counted, ...yield* Effect.orElseSucceed(sizes, (): LeakStore.Sizes => ({})) }
      stored.push(size)
      const soFar = samples.from(leftOut)
      const live = soFar.length < 8 ? "" : `, live ${told(judgedOf(soFar, liveOf))}`
      say(`minute ${Math.round(counted / 60_000)}${live} ${JSON.stringify({ ...sample, stored: size })}`)
    }
    snapshot("end")
    return { samples: samples.from(0), stored, kept: samples.from(leftOut) }
  })

const program = Effect.gen(function*() {
  const { fill, layer, sizes } = yield* LeakStore.open(backend)
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
    Effect.zipRight(fill, measured(sizes)),
    Effect.zipRight(Effect.all([Load.load(rate), Visitors.visitors], { concurrency: "unbounded" }), Effect.never)
  ).pipe(Effect.provide(all))
}).pipe(Effect.scoped)

const { kept, samples, stored } = await Effect.runPromise(program)
const rssOf = (sample: Sample) => sample.rss
const rss = judgedOf(kept, rssOf)
const live = judgedOf(kept, liveOf)
const minuteOf = ({ at }: Sample) => Math.floor(at / 60_000)
const growth = (of: (sample: Sample) => number) => {
  const { error, perHour } = slopeOf(kept, of)
  return { perHour, error }
}
// What only warms up goes slower and slower; what leaks goes on as before.
const halves = [
  kept.slice(0, Math.floor(kept.length / 2)),
  kept.slice(Math.floor(kept.length / 2))
].map((half) => ({ rss: judgedOf(half, rssOf), live: judgedOf(half, liveOf) }))
const first = kept[0]
const last = kept.at(-1)
const perSecond = (of: (sample: Sample) => number) =>
  first === undefined || last === undefined ? 0 : (of(last) - of(first)) / (last.at - first.at) * 1_000
const reached = perSecond(({ answered }) => answered)
const visits = Visitors.told()
const verdicts = [rss.verdict, live.verdict]
const broken = verdicts.includes("broken")
process.stdout.write(`${
  JSON.stringify({
    bench: "leak",
    backend,
    minutes,
    rate: { asked: rate, warm, reached, ended: perSecond(({ ended }) => ended) },
    leftOut: leftOut / 60_000,
    samples: kept.length,
    boundMBPerHour: bound,
    rss,
    live,
    halves,
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
    done: { ...Load.counts, visits },
    stored
  })
}\n`)
say(`RSS ${told(rss)}`)
say(`live ${told(live)}`)
halves.forEach((half, index) => say(`${["first", "second"][index]} half: live ${told(half.live)}`))
say(`${reached.toFixed(1)} of ${rate} enqueues a second were answered`)
if (reached < rate * 0.9) say("that is the rate that this run is about: the machine could not do more")
if (verdicts.includes("not shown")) {
  say("not shown: this run is too short, or the machine too busy, to tell; run longer")
}
// What did nothing proves nothing.
const idle = Visitors.missing()
if (idle.length > 0) say(`the visitors did not do their part: ${idle.join(", ")}`)
process.exit(broken || idle.length > 0 ? 1 : 0)
