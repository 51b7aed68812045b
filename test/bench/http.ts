/**
 * What the HTTP API answers in, and costs, beside a long past. `npm run bench:http`, about three minutes for each store.
 *
 * The API is served by a process of its own; this one asks over connections that stay open. BENCH_SIZES finished tasks (100,000
 * and 1,000,000) of ten names, one of fifty failed, each with one of twenty tags. Nothing here asserts a time.
 *
 * - Lists: each filter one request at a time and eight at a time, for BENCH_MILLIS (2,000) each. The server keeps a total for a
 *   second, so most of these are told one that is there. `first`: every request a second after the last of its kind, and its
 *   total counted.
 * - What a request costs the process: a route without the API, the guard, a list.
 * - How late the event loop is: BENCH_TASKS (5,000) tasks a second run in the process, without and with fifty connections that
 *   ask for the list, together a hundred times a second, and as fast as they are answered.
 * - Counts, charts, an export of everything and the memory it takes.
 *
 *     BENCH_BACKENDS=sqlite BENCH_SIZES=100000 BENCH_PART=lists,cost,lag,charts,export npm run bench:http
 *     BENCH_PART=lists BENCH_LISTS="all,tag" npm run bench:http
 *
 * `BENCH_EXEC="--cpu-prof --cpu-prof-dir=/tmp/profile"` are options of the serving process.
 */
import { Effect } from "effect"
import { type Asked, type Server, start } from "./support/httpClient.js"
import type { Usage } from "./support/httpServer.js"
import { failing, fillMixed, names } from "./support/mixedHistory.js"
import * as Report from "./support/report.js"
import * as Stores from "./support/stores.js"
import { sumUp } from "./support/sums.js"

const sizes = (process.env["BENCH_SIZES"] ?? "100000,1000000").split(",").map(Number)
const millis = Number(process.env["BENCH_MILLIS"] ?? 2_000)
const perSecond = Number(process.env["BENCH_TASKS"] ?? 5_000)
const part = process.env["BENCH_PART"] ?? "lists,cost,lag,charts,export"
const only = process.env["BENCH_LISTS"]?.split(",")
const firsts = Number(process.env["BENCH_FIRSTS"] ?? 30)
const connections = 50
const paced = 100

const q = (text: string) => `/tasks?q=${encodeURIComponent(text)}`

const lists = {
  "all": "/tasks",
  "status": "/tasks?status=failed",
  "task": `/tasks?task=${failing}`,
  "task and status": `/tasks?task=${failing}&status=failed`,
  "tag": "/tasks?tag=customer:c5",
  "since": q("since:24h"),
  "error (scan)": q("error:refused"),
  "error of none (scan)": q("error:nowhere"),
  "longest (scan)": "/tasks?sort=-duration"
}

const charts = {
  "metrics": "/tasks/metrics",
  "facets": "/tasks/facets",
  "facets of a task": `/tasks/facets?task=${failing}`,
  "buckets, 24h": "/tasks/buckets?window=24h",
  "stats, 24h": "/tasks/stats?window=24h",
  "definitions": "/tasks/definitions",
  "prometheus": "/tasks/metrics/prometheus"
}

type Add = ReturnType<typeof Report.make>["add"]

const wait = (duration: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, duration)))

const spread = (add: Add, name: string, took: ReadonlyArray<number>, settings: Readonly<Record<string, unknown>>) => {
  if (took.length === 0) return
  for (const share of [0.5, 0.95, 0.99]) {
    add(`${name}, p${share * 100}`, "ms", took.length, [Report.quantile(took, share)], settings)
  }
}

const page50 = async (server: Server): Promise<string> => {
  let path = "/tasks"
  for (let page = 1; page < 50; page += 1) {
    const { nextCursor } = JSON.parse((await server.get(path)).text) as { readonly nextCursor: string }
    path = `/tasks?cursor=${encodeURIComponent(nextCursor)}`
  }
  return path
}

const measureLists = async (server: Server, add: Add) => {
  const every = Object.entries({ ...lists, "page 50": await page50(server) })
  const paths = every.filter(([name]) => only?.includes(name) ?? true)
  for (const [, path] of paths) await server.ask(path, { atOnce: 1, millis: millis / 4, least: 5 })
  for (const [name, path] of paths) {
    for (const atOnce of [1, 8]) {
      const [{ took }, { cpu }] = await server.using(() => server.ask(path, { atOnce, millis, least: 20 }))
      if (atOnce > 1) add(`list ${name}, cpu`, "µs/request", took.length, [cpu / took.length], { path })
      spread(add, `list ${name}, ${atOnce} at a time`, took, { path, atOnce })
    }
  }
  const first = new Map(paths.map(([name]) => [name, Array<number>()]))
  for (let round = 0; round < firsts; round += 1) {
    const begun = performance.now()
    for (const [name, path] of paths) {
      first.get(name)!.push(...(await server.ask(path, { atOnce: 1, millis: 0, least: 1 })).took)
    }
    await wait(1_050 - (performance.now() - begun))
  }
  for (const [name, took] of first) spread(add, `list ${name}, first`, took, {})
}

const measureCost = async (server: Server, add: Add) => {
  const paths = {
    "no API": ["/plain", 200],
    "guard, an unknown path": ["/tasks/none/of/them", 404],
    "guard, openapi.json": ["/tasks/openapi.json", 200],
    "list of 50": ["/tasks", 200],
    "list of 1": ["/tasks?limit=1", 200]
  } as const
  const costs = new Map(Object.keys(paths).map((name) => [name, Array<number>()]))
  for (let round = -1; round < 5; round += 1) {
    for (const [name, [path, status]] of Object.entries(paths)) {
      const options = { atOnce: 8, millis: millis / 2, least: 20, status }
      const [{ took }, { cpu }] = await server.using(() => server.ask(path, options))
      if (round >= 0) costs.get(name)!.push(cpu / took.length)
    }
  }
  for (const [name, values] of costs) add(`${name}, cpu`, "µs/request", 1, values)
}

// Asked for as often as by fifty pages, and as fast as they are answered.
const loads = [
  { asking: "no requests", pace: 0 },
  { asking: `${connections} connections, ${paced} requests/s`, pace: paced },
  { asking: `${connections} connections, all the time`, pace: undefined }
]

const measureLag = async (server: Server, add: Add) => {
  const load = (pace: number | undefined) => async (): Promise<Asked> =>
    pace === 0
      ? wait(2 * millis).then(() => ({ took: [], millis: 2 * millis }))
      : server.ask("/tasks", { atOnce: connections, millis: 2 * millis, least: 1, perSecond: pace })
  await server.using(load(0), perSecond)
  for (const tasks of [0, perSecond]) {
    for (const { asking, pace } of loads) {
      const answers: Array<readonly [Asked, Usage]> = []
      for (let round = 0; round < 3; round += 1) {
        answers.push(await server.using(load(pace), tasks))
        // What was put in and has not ended yet.
        await wait(tasks === 0 ? 0 : 500)
      }
      const of = `${tasks} tasks/s asked for, ${asking}`
      const used = answers.map(([, usage]) => usage)
      if (tasks > 0) add(`${of}: tasks`, "tasks/s", 1, used.map((usage) => usage.tasks / usage.millis * 1_000))
      add(`${of}: lag p50`, "ms", 1, used.map(({ lag }) => lag.p50))
      add(`${of}: lag p99`, "ms", 1, used.map(({ lag }) => lag.p99))
      add(`${of}: lag most`, "ms", 1, used.map(({ lag }) => lag.max))
      if (pace === 0) continue
      add(`${of}: requests`, "requests/s", 1, answers.map(([{ millis, took }]) => took.length / millis * 1_000))
      add(`${of}: request p99`, "ms", 1, answers.map(([{ took }]) => Report.quantile(took, 0.99)))
    }
  }
}

const measureCharts = async (server: Server, add: Add) => {
  for (const [name, path] of Object.entries(charts)) {
    await server.ask(path, { atOnce: 1, millis: 0, least: 3 })
    spread(add, name, (await server.ask(path, { atOnce: 1, millis, least: 20 })).took, { path })
    await wait(5_100)
    const [answer] = (await server.ask(path, { atOnce: 1, millis: 0, least: 1 })).took
    add(`${name}, first after 5 s`, "ms", 1, [answer!], { path })
  }
}

const measureExport = async (server: Server, add: Add) => {
  const runs: Array<
    { readonly perSecond: number; readonly grown: number; readonly most: number; readonly mib: number }
  > = []
  for (let round = 0; round < 3; round += 1) {
    const from = performance.now()
    const [{ bytes }, { rss }] = await server.using(() => server.get("/tasks/export.ndjson", false))
    const rows = Math.min(100_000, Math.min(...sizes))
    runs.push({
      perSecond: rows / (performance.now() - from) * 1_000,
      grown: rss.most - rss.before,
      most: rss.most,
      mib: bytes / 1024 / 1024
    })
  }
  add("export", "rows/s", 1, runs.map((run) => run.perSecond))
  add("export, size", "MiB", 1, runs.map(({ mib }) => mib))
  add("export, RSS grown while it was sent", "MiB", 1, runs.map(({ grown }) => grown))
  add("export, RSS at most", "MiB", 1, runs.map(({ most }) => most))
}

const parts = { lists: measureLists, cost: measureCost, lag: measureLag, charts: measureCharts, export: measureExport }

const measure = (kind: Stores.SqlKind, rows: number) =>
  Effect.gen(function*() {
    const store = yield* Stores.fresh(kind)
    if (!Stores.isSql(store)) return
    const from = performance.now()
    yield* fillMixed(store, rows)
    yield* sumUp(store, Date.now(), names)
    process.stderr.write(
      `${Stores.nameOf(store)}: ${rows} finished tasks filled in ${((performance.now() - from) / 1_000).toFixed(1)} s\n`
    )
    const { add, table } = Report.make("http", `${Stores.nameOf(store)}, ${rows} finished`)
    const server = yield* Effect.acquireRelease(
      Effect.promise(() => start(store)),
      ({ stop }) => Effect.promise(stop)
    )
    // In this order: tasks that run add to the past.
    for (const [name, measured] of Object.entries(parts)) {
      if (part.includes(name)) {
        yield* Effect.promise(() =>
          measured(server, (metric, unit, n, values, settings) => add(metric, unit, n, values, { rows, ...settings }))
        )
      }
    }
    table()
  }).pipe(Effect.scoped)

for (const kind of await Stores.available()) {
  if (kind === "redis") continue
  for (const rows of sizes) await Effect.runPromise(measure(kind, rows))
}
