/**
 * The engine on SQLite, PostgreSQL, MySQL/MariaDB and Redis, beside what their drivers do alone. `npm run bench:backends`.
 *
 * Every measurement is a fresh process on tables of its own that warms up with `warmUp` tasks first; the rounds are
 * interleaved, and what is printed is their median. Quote ratios of one run: absolute numbers move with the machine. On a
 * disk that syncs slowly commits decide, so commits, statements and log bytes of a task stand beside the rates. Nothing
 * here asserts a time.
 *
 *     BENCH_BACKENDS=sqlite,postgres BENCH_N=2000 BENCH_ROUNDS=1 npm run bench:backends
 *
 * BENCH_SLOTS (100) is `maxConcurrentTasks`, BENCH_CIPHER=1 puts TaskCipher over each of them. The default is all four, 20,000
 * tasks and 3 rounds; BENCH_SECONDS (1,800) bounds it, with fewer rounds where it must.
 * Where the servers are: PGPORT, PGDATABASE, PGUSER, MYSQL_PORT, MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD, REDIS_PORT.
 *
 * To see where the time goes, one end-to-end run in this process, which also prints what each statement took:
 *
 *     node test/bench/build.mjs
 *     BENCH_PROFILE=end BENCH_BACKENDS=sqlite BENCH_N=100000 node --cpu-prof --cpu-prof-dir=/tmp/profile \
 *       test/bench/dist/test/bench/backends.js
 *
 * BENCH_PROFILE takes any measure of `support/backendMeasures.ts`, BENCH_KIND=logging|failing|large another handler.
 */
import { type Answer, compute, pause, type Request, warmUp } from "./support/backendMeasures.js"
import { answerParent } from "./support/child.js"
import type { Elapsed } from "./support/elapsed.js"
import * as Plan from "./support/plan.js"
import * as Report from "./support/report.js"
import * as Statements from "./support/statements.js"
import * as Stores from "./support/stores.js"
import type * as Workload from "./support/workload.js"

const n = Number(process.env["BENCH_N"] ?? 20_000)
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3)
const budget = Number(process.env["BENCH_SECONDS"] ?? 1_800) * 1_000

type Variant = Pick<Request, "kind" | "full">

// One after another takes its time, and says no more with more of them.
const most: Partial<Record<Request["measure"], number>> = { enqueue: 5_000, enqueueHandled: 5_000, idle: 300 }

const request = ({ full, kind }: Variant, measure: Request["measure"], task: Workload.Kind = "noop"): Request => ({
  measure,
  kind,
  full,
  task,
  n: Math.min(n, most[measure] ?? n)
})

const measures = ["enqueue", "enqueueHandled", "many", "drain", "end", "single", "idle"] as const
const variants = ["failing", "logging", "large"] as const

const requestsOf = (variant: Variant): ReadonlyArray<Request> => [
  request(variant, "raw"),
  ...measures.map((measure) => request(variant, measure)),
  ...variants.map((task) => request(variant, "end", task))
]

// Other libraries are measured by peers/run.mjs, ours beside them in the same rounds.
const plan = Plan.make<Request, Answer>({ budget, guess: () => 0 })

// ── what is printed ────────────────────────────────────────────────────────────────────────────────────────────────

const names: { readonly [Measure in Request["measure"]]: string } = {
  raw: "driver alone, inserts of one row",
  enqueue: "enqueue one by one, no handler",
  enqueueHandled: "enqueue one by one, tasks running",
  many: "enqueueMany by 500, no handler",
  drain: "drain",
  end: "end to end, enqueueMany by 500",
  single: "end to end, enqueue, 64 at once",
  idle: "idle, enqueue to start"
}

const kindNames: { readonly [Kind in Workload.Kind]: string } = {
  noop: "does nothing",
  failing: "fails and is retried once",
  logging: "logs ten lines",
  large: "10 kB payload"
}

const perSecond = (count: number) => ({ wall }: Elapsed) => count / wall * 1_000

const middle = (answers: ReadonlyArray<Answer>, of: (answer: Answer) => number) => Report.median(answers.map(of))

/** Rate and what a task costs: processor time here, statements, commits, bytes in the server's log. */
const costsOf = (asked: Request, name: string, add: ReturnType<typeof Report.make>["add"]): void => {
  const { n } = asked
  const answers = plan.answers(asked)
  const settings = { warmUp, payloadBytes: asked.task === "large" ? 10_000 : 100 }
  const each = (of: (answer: Answer) => number) => answers.map((answer) => of(answer) / n)
  add(name, "tasks/s", n, answers.map(({ elapsed }) => perSecond(n)(elapsed)), settings)
  add(`${name}, cpu`, "µs/task", n, each(({ elapsed }) => elapsed.cpu * 1_000), settings)
  add(`${name}, statements`, "per task", n, each(({ counts }) => counts.statements), settings)
  add(`${name}, commits`, "per task", n, each(({ counts }) => counts.commits), settings)
  const written = asked.kind === "sqlite" ? "bytes written" : "server log"
  add(`${name}, ${written}`, "bytes/task", n, each((answer) => answer.written), settings)
  add(`${name}, peak RSS`, "MiB", n, answers.map(({ peak }) => peak), settings)
}

const rate = (asked: Request) => middle(plan.answers(asked), ({ elapsed }) => perSecond(asked.n)(elapsed))

const report = (variant: Variant): void => {
  const { add } = Report.make("backends", Stores.nameOf(variant))
  const raw = plan.answers(request(variant, "raw"))
  add(names.raw, "rows/s", n, raw.map(({ elapsed }) => perSecond(n)(elapsed)), { rowBytes: 400 })
  const roundTrips = raw.flatMap(({ roundTrips }) => roundTrips === null ? [] : [perSecond(n)(roundTrips)])
  add("driver alone, round trips", "per s", n, roundTrips)
  for (const measure of measures) {
    const asked = request(variant, measure)
    if (measure === "idle") {
      for (const share of ["p50", "p95", "p99"] as const) {
        const values = plan.answers(asked).map(({ latency }) => latency![share])
        add(`${names.idle}, ${share}`, "ms", asked.n, values, { warmUp, pause })
      }
      continue
    }
    costsOf(asked, names[measure], add)
    if (measure !== "enqueue" && measure !== "enqueueHandled") continue
    const ratios = plan.answers(asked).flatMap(({ elapsed }, round) =>
      raw[round] === undefined ? [] : [perSecond(asked.n)(elapsed) / perSecond(n)(raw[round].elapsed)]
    )
    add(`${names[measure]}, of the driver's inserts`, "ratio", asked.n, ratios)
  }
  for (const task of variants) costsOf(request(variant, "end", task), `handler ${kindNames[task]}`, add)
}

const summary = (stores: ReadonlyArray<Variant>): void => {
  const row = (
    figure: string,
    of: (variant: Variant) => number,
    digits = 0
  ) => [figure, ...stores.map((store) => of(store).toLocaleString("en-US", { maximumFractionDigits: digits }))]
  const end = (variant: Variant) => request(variant, "end")
  const ofEnd = (of: (answer: Answer) => number) => (variant: Variant) => middle(plan.answers(end(variant)), of) / n
  const latency = (share: "p50" | "p95" | "p99") => (variant: Variant) =>
    middle(plan.answers(request(variant, "idle")), (answer) => answer.latency![share])
  const lines = [
    ["", ...stores.map(Stores.nameOf)],
    row(`${names.raw}, /s`, (variant) => rate(request(variant, "raw"))),
    ...measures.flatMap((measure) =>
      measure === "idle" ? [] : [row(`${names[measure]}, /s`, (variant) => rate(request(variant, measure)))]
    ),
    ...(["p50", "p95", "p99"] as const).map((share) => row(`${names.idle}, ${share}, ms`, latency(share), 2)),
    ...variants.map((task) => row(`handler ${kindNames[task]}, /s`, (variant) => rate(request(variant, "end", task)))),
    row("end to end: cpu here, µs a task", ofEnd(({ elapsed }) => elapsed.cpu * 1_000)),
    row("end to end: commits a task", ofEnd(({ counts }) => counts.commits), 4),
    row("end to end: statements a task", ofEnd(({ counts }) => counts.statements), 3),
    row("end to end: bytes written or in the server's log, a task", ofEnd(({ written }) => written)),
    row("end to end: peak RSS, MiB", (variant) => middle(plan.answers(end(variant)), ({ peak }) => peak))
  ]
  process.stderr.write(`\n${Report.machine()}\n\n${Report.columns(lines)}\n`)
}

const profile = async (measure: string): Promise<void> => {
  const [kind] = await Stores.available()
  // safe: a wrong name ends in an error at once, and this is for the person who typed it
  const task = (process.env["BENCH_KIND"] ?? "noop") as Workload.Kind
  const asked = request({ kind: kind!, full: false }, measure as Request["measure"], task)
  const statements = Statements.timeEach()
  process.stderr.write(`${JSON.stringify(await compute(asked))}\n`)
  for (const { millis, sql, times } of statements().slice(0, 25)) {
    process.stderr.write(`${millis.toFixed(0).padStart(7)} ms ${String(times).padStart(7)} ×  ${sql.slice(0, 150)}\n`)
  }
}

if (!(await answerParent(compute))) {
  if (process.env["BENCH_PROFILE"] !== undefined) await profile(process.env["BENCH_PROFILE"])
  else {
    const kinds = await Stores.available()
    const stores = kinds.flatMap((kind): ReadonlyArray<Variant> =>
      kind === "sqlite" ? [{ kind, full: false }, { kind, full: true }] : [{ kind, full: false }]
    )
    await plan.run(stores.map((store) => ({ requests: requestsOf(store), optionalFrom: 1 })), rounds)
    for (const store of stores) report(store)
    summary(stores)
  }
}
