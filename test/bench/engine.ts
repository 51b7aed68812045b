/**
 * The engine on memory, beside bare Effect fibers in the same run. `npm run bench:engine`, under four minutes.
 *
 * Every measurement is a fresh process that warms up with `warmUp` operations first; the rounds are interleaved, and what
 * is printed is their median. Quote ratios: absolute numbers move with the machine. Where other programs share it, the
 * values in processor time (cpu) say more than those by the clock. Nothing here asserts a time.
 *
 *     BENCH_N=10000 npm run bench:engine          a short run; the default list is 10000,100000,1000000
 *     BENCH_ROUNDS=1 BENCH_SECONDS=60 …           fewer rounds (3), a smaller budget (900)
 *
 * What does not fit the budget is measured in fewer rounds, largest sizes first; `rounds` beside each value says in how many
 *
 * To see where the time goes, one end-to-end run in this process, without children, rounds or table:
 *
 *     node test/bench/build.mjs
 *     BENCH_PROFILE=1 BENCH_N=200000 node --expose-gc --cpu-prof --cpu-prof-dir=/tmp/profile \
 *       test/bench/dist/test/bench/engine.js
 *
 * and open the .cpuprofile in Chrome DevTools. BENCH_PRODUCERS=single|sequential and BENCH_KIND=logging|failing|large
 * choose another path.
 */
import { Effect } from "effect"
import { MemoryBackend } from "effect-taskflow"
import { answerParent } from "./support/child.js"
import type { Elapsed } from "./support/elapsed.js"
import * as Plan from "./support/plan.js"
import * as Raw from "./support/raw.js"
import * as Report from "./support/report.js"
import * as Rss from "./support/rss.js"
import * as Workload from "./support/workload.js"

/** What one process measures. */
type Request =
  | { readonly _tag: "raw" | "queue" | "latency"; readonly n: number }
  | {
    readonly _tag: "tasks"
    readonly n: number
    readonly producers: Workload.Producers
    readonly kind: Workload.Kind
    /** With a reader on the event stream. */
    readonly watched: boolean
  }

interface Answers {
  readonly raw: { readonly forkAndAwait: Elapsed; readonly forkThenAwait: Elapsed }
  readonly tasks: Workload.EndToEnd & { readonly before: Rss.Memory; readonly after: Rss.Memory }
  readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number }
  /** In the order of `queues`. */
  readonly queue: ReadonlyArray<Elapsed>
}

const warmUp = 10_000

const queues = [10, 1_000].flatMap((size) => [1, 10].map((priorities) => ({ size, priorities })))

// ── in the child ───────────────────────────────────────────────────────────────────────────────────────────────────

const raw = Effect.fnUntraced(function*(n: number) {
  yield* Raw.forkAndAwait(warmUp)
  const forkAndAwait = yield* Raw.forkAndAwait(n)
  yield* Raw.forkThenAwait(warmUp)
  return { forkAndAwait, forkThenAwait: yield* Raw.forkThenAwait(n) } satisfies Answers["raw"]
})

const queue = (n: number) =>
  Effect.forEach(
    queues,
    ({ priorities, size }) =>
      Effect.zipRight(Raw.queuePairs(size, priorities, warmUp), Raw.queuePairs(size, priorities, n))
  )

const tasks = ({ kind, n, producers, watched }: Request & { readonly _tag: "tasks" }) =>
  Effect.gen(function*() {
    if (watched) yield* Workload.watch
    yield* Workload.endToEnd(kind, producers, warmUp)
    const before = Rss.afterCollection()
    const measured = yield* Workload.endToEnd(kind, producers, n)
    const { peak } = Rss.now()
    return { ...measured, before, after: { ...Rss.afterCollection(), peak } } satisfies Answers["tasks"]
  }).pipe(Effect.scoped)

const latency = Effect.fnUntraced(function*(n: number) {
  yield* Workload.endToEnd("noop", "sequential", warmUp)
  const millis = yield* Workload.latencies(n)
  const at = (share: number) => Report.quantile(millis, share)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) } satisfies Answers["latency"]
})

const compute = async (request: Request): Promise<Answers[Request["_tag"]]> => {
  if (request._tag === "raw") return Effect.runPromise(raw(request.n))
  if (request._tag === "queue") return Effect.runPromise(queue(request.n))
  const engine = Workload.engine(MemoryBackend.layer())
  const answer = request._tag === "tasks"
    ? await engine.runPromise(tasks(request))
    : await engine.runPromise(latency(request.n))
  await engine.dispose()
  return answer
}

// ── in the parent: what is measured ────────────────────────────────────────────────────────────────────────────────

const sizes = (process.env["BENCH_N"] ?? "10000,100000,1000000").split(",").map(Number)
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3)
const budget = Number(process.env["BENCH_SECONDS"] ?? 900) * 1_000
const few = Math.min(10_000, ...sizes)

const task = (n: number, producers: Workload.Producers, kind: Workload.Kind = "noop", watched = false) =>
  ({ _tag: "tasks", n, producers, kind, watched }) as const
// Bare fibers cost the same at any size, so a fifth of a million says it.
const rawBeside = (n: number) => ({ _tag: "raw", n: Math.min(n, 200_000) }) as const
const sequential = task(few, "sequential")
const idle = { _tag: "latency", n: Math.min(500, few) } as const
const queuePairs = { _tag: "queue", n: few * 20 } as const
const plain = task(few, "many", "noop", false)
const variants = {
  "read by an event stream": task(few, "many", "noop", true),
  "logs ten lines": task(few, "many", "logging"),
  "fails and is retried once": task(few, "many", "failing"),
  "10 kB payload": task(few, "many", "large")
} as const

// By the largest smaller size that was measured, in proportion.
const guess = (request: Request, took: (request: Request) => number | undefined): number => {
  const smaller = sizes.filter((n) => n < request.n).sort((a, b) => b - a)
  for (const n of smaller) {
    const known = took({ ...request, n })
    if (known !== undefined) return known * request.n / n
  }
  return 0
}

const plan = Plan.make<Request, Answers[Request["_tag"]]>({ budget, guess })

/** What was measured for a request, one answer for each round. */
const of = <Tag extends Request["_tag"]>(request: Request & { readonly _tag: Tag }): ReadonlyArray<Answers[Tag]> =>
  // safe: `compute` answers each request by its tag
  plan.answers(request) as ReadonlyArray<unknown> as ReadonlyArray<Answers[Tag]>

const groups: ReadonlyArray<Plan.Group<Request>> = [
  ...sizes.filter((n) => n <= 100_000).map((n) => ({
    requests: [rawBeside(n), task(n, "many"), task(n, "single")],
    optionalFrom: n === few ? rounds : 1
  })),
  ...[sequential, idle, queuePairs, ...Object.values(variants)].map((request) => ({
    requests: [request],
    optionalFrom: rounds
  })),
  ...sizes.filter((n) => n > 100_000).map((n) => ({ requests: [rawBeside(n), task(n, "many")], optionalFrom: 1 }))
]

// A million one by one is measured once, with the time that is left.
const afterwards: ReadonlyArray<Plan.Group<Request>> = sizes.filter((n) => n > 100_000)
  .map((n) => ({ requests: [task(n, "single")], optionalFrom: 0 }))

// ── in the parent: what is printed ─────────────────────────────────────────────────────────────────────────────────

const report = (): void => {
  const { add, table } = Report.make("engine", "memory")
  const perSecond = (n: number) => ({ wall }: Elapsed) => n / wall * 1_000
  const micros = (n: number) => ({ wall }: Elapsed) => wall * 1_000 / n
  const cpuMicros = (n: number) => ({ cpu }: Elapsed) => cpu * 1_000 / n
  const ended = (request: Request & { readonly _tag: "tasks" }) => of(request).map((answer) => answer.ended)

  for (const n of sizes) {
    const beside = rawBeside(n)
    const join = of(beside).map(({ forkAndAwait }) => forkAndAwait)
    const together = of(beside).map(({ forkThenAwait }) => forkThenAwait)
    add("raw fork + await", "fibers/s", beside.n, join.map(perSecond(beside.n)), { warmUp })
    add("raw fork + await, cpu", "µs/fiber", beside.n, join.map(cpuMicros(beside.n)), { warmUp })
    add("raw fork, await later", "fibers/s", beside.n, together.map(perSecond(beside.n)), { warmUp, together: 10_000 })
    for (const producers of ["many", "single"] as const) {
      const done = of(task(n, producers))
      const elapsed = ended(task(n, producers))
      const name = producers === "many" ? "enqueueMany" : "enqueue"
      const settings = {
        warmUp,
        producers: producers === "many" ? "4, chunks of 1,000" : "64, one by one",
        payloadBytes: 100,
        maxRecords: 10_000,
        maxLive: 10_000,
        peakBacklog: Math.max(...done.map(({ backlog }) => backlog))
      }
      const ratio = (part: keyof Elapsed) =>
        elapsed.flatMap((value, round) => {
          const fiber = (join[round] ?? join.at(-1))?.[part]
          return fiber === undefined ? [] : [fiber / beside.n * n / value[part]]
        })
      add(`end to end, ${name}`, "tasks/s", n, elapsed.map(perSecond(n)), settings)
      add(`end to end, ${name}, time`, "µs/task", n, elapsed.map(micros(n)), settings)
      add(`end to end, ${name}, cpu`, "µs/task", n, elapsed.map(cpuMicros(n)), settings)
      add(`end to end, ${name}, of raw fork + await`, "ratio", n, ratio("wall"), settings)
      add(`end to end, ${name}, of raw fork + await, cpu`, "ratio", n, ratio("cpu"), settings)
      add(`accepted, ${name}`, "tasks/s", n, done.map(({ enqueued }) => enqueued).map(perSecond(n)), settings)
      add(`RSS peak, ${name}`, "MiB", n, done.map(({ after }) => after.peak), {
        ...settings,
        beforeMiB: Math.round(Report.median(done.map(({ before }) => before.rss))),
        afterMiB: Math.round(Report.median(done.map(({ after }) => after.rss)))
      })
      add(`heap kept, ${name}`, "MiB", n, done.map(({ after }) => after.heapUsed), settings)
    }
  }

  // Rounds of different sizes are not side by side, so medians are compared.
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)]
  for (const producers of ["many", "single"] as const) {
    const [low, high] = [ended(task(least, producers)), ended(task(most, producers))]
    if (least === most || high.length === 0) continue
    const name = producers === "many" ? "enqueueMany" : "enqueue"
    const middle = (n: number, of: typeof micros, from: ReadonlyArray<Elapsed>) => Report.median(from.map(of(n)))
    const flatness = (of: typeof micros) => middle(most, of, high) / middle(least, of, low)
    add(`cost of a task against n = ${least}, ${name}`, "ratio", most, [flatness(micros)])
    add(`cost of a task against n = ${least}, ${name}, cpu`, "ratio", most, [flatness(cpuMicros)])
  }

  const oneByOne = of(sequential).map(({ enqueued }) => enqueued)
  add("enqueue one by one, awaited", "tasks/s", few, oneByOne.map(perSecond(few)), { warmUp, producers: 1 })
  add("enqueue one by one, awaited, cpu", "µs/task", few, oneByOne.map(cpuMicros(few)), { warmUp, producers: 1 })
  for (const share of ["p50", "p95", "p99"] as const) {
    add(`idle, enqueue to start, ${share}`, "ms", idle.n, of(idle).map((answer) => answer[share]), { warmUp, pause: 1 })
  }
  queues.forEach(({ priorities, size }, index) => {
    const name = `queue offer + take, ${size} held, ${priorities} ${priorities === 1 ? "priority" : "priorities"}`
    const elapsed = of(queuePairs).flatMap((answer) => answer[index] ?? [])
    add(name, "µs", queuePairs.n, elapsed.map(micros(queuePairs.n)), { warmUp, size, priorities })
  })
  for (const [name, request] of Object.entries({ "does nothing": plain, ...variants })) {
    const elapsed = ended(request)
    const over = Report.median(elapsed.map(cpuMicros(few))) - Report.median(ended(plain).map(cpuMicros(few)))
    const settings = {
      warmUp,
      cpuOverNothing: Math.round(over * 10) / 10,
      peakMiB: Math.round(Report.median(of(request).map(({ after }) => after.peak)))
    }
    add(`handler ${name}`, "µs/task", few, elapsed.map(micros(few)), settings)
    add(`handler ${name}, cpu`, "µs/task", few, elapsed.map(cpuMicros(few)), settings)
  }
  table()
}

const profile = async (): Promise<void> => {
  // safe: a wrong name ends in an error at once, and this is for the person who typed it
  const producers = (process.env["BENCH_PRODUCERS"] ?? "many") as Workload.Producers
  const kind = (process.env["BENCH_KIND"] ?? "noop") as Workload.Kind
  process.stderr.write(`${JSON.stringify(await compute(task(sizes[0]!, producers, kind)))}\n`)
}

if (!(await answerParent(compute))) {
  if (process.env["BENCH_PROFILE"] === "1") await profile()
  else {
    await plan.run(groups, rounds)
    await plan.run(afterwards, 1)
    report()
  }
}
