/**
 * What counting and charts cost beside a long past: `count` by filter, and `rollups` over a day of many names.
 *
 *     node test/bench/build.mjs && BENCH_BACKENDS=sqlite BENCH_ROWS=100000 node test/bench/dist/test/bench/counts.js
 *
 * BENCH_ROWS (100,000) finished tasks, a tenth of a second apart; BENCH_NAMES (20) names of which tasks end in every minute. Of
 * each question the median of 31 is printed, in milliseconds. Nothing here asserts a time.
 */
import { Effect } from "effect"
import { type TaskBackend as Port, TaskBackend } from "effect-taskflow"
import { fill } from "./support/history.js"
import * as Report from "./support/report.js"
import * as Stores from "./support/stores.js"
import { sumUp } from "./support/sums.js"
import * as Workload from "./support/workload.js"

const rows = Number(process.env["BENCH_ROWS"] ?? 100_000)
const names = Number(process.env["BENCH_NAMES"] ?? 20)
const rounds = 31

const minute = 60_000

const questions = (backend: Port["Type"], now: number): Record<string, Effect.Effect<unknown, unknown>> => {
  const day = now - 24 * 60 * minute
  const taskName = "bench.noop"
  const count = (query: Parameters<typeof backend.count>[0]) => backend.count(query, 10_001)
  const rollups = (
    query: { readonly width: number; readonly since?: number; readonly byTask?: boolean; readonly histograms?: boolean }
  ) => backend.rollups({ since: day, until: now, ...query })
  return {
    "count everything": count({}),
    "count success": count({ status: ["success"] }),
    "count a name": count({ taskName }),
    "count success of a name": count({ taskName, status: ["success"] }),
    "count a day": count({ since: day }),
    "count a source": count({ source: "manual" }),
    "count a rare priority": count({ priority: 5 }),
    "unfinished": backend.unfinished,
    "stats": backend.stats({}),
    "rollups, an hour by minutes": rollups({ since: now - 60 * minute, width: minute }),
    "rollups, an hour by minutes and names": rollups({ since: now - 60 * minute, width: minute, byTask: true }),
    "rollups, a day by hours": rollups({ width: 60 * minute }),
    "rollups, a day by hours and names": rollups({ width: 60 * minute, byTask: true }),
    "rollups, an hour by minutes and names, sums": rollups({
      since: now - 60 * minute,
      width: minute,
      byTask: true,
      histograms: false
    }),
    "rollups, all time by names, sums": rollups({
      since: 0,
      width: Number.POSITIVE_INFINITY,
      byTask: true,
      histograms: false
    })
  }
}

const measure = (store: Stores.Store) =>
  Effect.gen(function*() {
    const now = Date.now()
    const runtime = Workload.engine(Stores.backend(store) as Parameters<typeof Workload.engine>[0]) // safe: what fails, fails
    yield* Effect.promise(() => runtime.runPromise(Workload.endToEnd("noop", "many", 1)))
    yield* Effect.promise(() => runtime.dispose())
    yield* fill(store, rows)
    yield* sumUp(store, now, Array.from({ length: names }, (_, name) => `n${name}`))
    const { add, table } = Report.make("counts", `${Stores.nameOf(store)}, ${rows} finished, ${names} names`)
    yield* Effect.scoped(Effect.provide(
      Effect.flatMap(TaskBackend, (backend) =>
        Effect.forEach(Object.entries(questions(backend, now)), ([name, ask]) =>
          Effect.gen(function*() {
            const all: Array<number> = []
            yield* ask
            for (let round = 0; round < rounds; round += 1) {
              const from = performance.now()
              yield* ask
              all.push(performance.now() - from)
            }
            add(name, "ms", 1, all, { rows, names })
          }))),
      Stores.backend(store)
    ))
    table()
  })

for (const kind of await Stores.available()) {
  await Effect.runPromise(Effect.scoped(Effect.flatMap(Stores.fresh(kind), measure)))
}
