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
import { redisClient } from "../support/databases.js"
import { fill } from "./support/history.js"
import * as Report from "./support/report.js"
import * as Stores from "./support/stores.js"
import * as Workload from "./support/workload.js"

const rows = Number(process.env["BENCH_ROWS"] ?? 100_000)
const names = Number(process.env["BENCH_NAMES"] ?? 20)
const rounds = 31

const minute = 60_000
// Of each name and minute: so many buckets of durations, and of waits.
const took = Array.from({ length: 40 }, (_, index) => ["success", index + 40] as const)
const waited = Array.from({ length: 20 }, (_, index) => ["wait", index] as const)

// A day as it is kept: three hours by the minute, the rest by the hour.
const minutesOf = (now: number): ReadonlyArray<number> => {
  const last = Math.floor(now / minute)
  const hours = Array.from({ length: 22 }, (_, index) => Math.floor(last / 60) * 60 - (index + 4) * 60)
  return [...Array.from({ length: 180 }, (_, index) => last - index), ...hours]
}

const sumUp = (store: Stores.Store, now: number) =>
  Effect.gen(function*() {
    if (!Stores.isSql(store)) {
      const client = yield* redisClient()
      const root = `{${store.place}}:`
      for (const at of minutesOf(now)) {
        const fields: Record<string, string> = {}
        for (let name = 0; name < names; name += 1) {
          fields[`success "n${name}"`] = "400"
          for (const [, bucket] of took) fields[`d${bucket} "n${name}"`] = "10"
          for (const [, bucket] of waited) fields[`w${bucket} "n${name}"`] = "20"
        }
        yield* Effect.promise(() => client.hset(`${root}ru:${at}`, fields))
        yield* Effect.promise(() => client.zadd(`${root}ru`, at, `${at}`))
      }
      return
    }
    const client = yield* Stores.client(store)
    const table = Stores.tableOf(store, "rollups")
    const nobody = "'00000000-0000-0000-0000-000000000000'"
    for (const at of minutesOf(now)) {
      const values: Array<string> = []
      for (let name = 0; name < names; name += 1) {
        for (const [status, bucket] of [...took, ...waited]) {
          values.push(`(${at}, '"n${name}"', ${nobody}, '${status}', ${bucket}, 10, 1000, 90, 110)`)
        }
      }
      yield* client.unsafe(
        `INSERT INTO ${table} (minute, task, instance, status, bucket, ends, total, least, most) VALUES ${
          values.join(",")
        }`
      )
    }
    if (store.kind === "postgres") yield* client.unsafe(`VACUUM (ANALYZE) ${table}`)
  }).pipe(Effect.scoped)

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
    yield* sumUp(store, now)
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
