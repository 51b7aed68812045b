/**
 * What the dashboard costs whoever looks at it, and the server behind it. `npm run bench:dashboard`, about three minutes.
 *
 * A real Chromium looks at the list of runs of a process that has BENCH_SIZES finished tasks (100,000) in SQLite, while
 * BENCH_CHANGES changes a second happen there (200 and 2,000): a task that is enqueued, starts and succeeds is three.
 *
 * - A first visit: when something is painted, and when rows are there, at full speed and on a processor four times slower.
 * - Somebody who watches: the share of a processor that the page's main thread takes, long tasks, heap, bytes a second, rows in
 *   the page. The main thread is counted in its own processor time, so what else the machine does hardly shows.
 * - The server: the list, and a frame of 250 rows.
 *
 *     BENCH_SIZES=1000000 BENCH_SECONDS=10 BENCH_PART=visits,watching,server npm run bench:dashboard
 *
 * Nothing here asserts a time.
 */
import { Effect } from "effect"
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from "playwright-core"
import * as Ring from "../../src/http/stream/ring.js"
import * as TaskView from "../../src/http/TaskView.js"
import { executable, flags } from "../dashboard/chromium.js"
import { redaction, started, world } from "../http/streamSupport.js"
import { type Server, start } from "./support/httpClient.js"
import { token } from "./support/httpServer.js"
import { fillMixed } from "./support/mixedHistory.js"
import * as Report from "./support/report.js"
import * as Stores from "./support/stores.js"

const sizes = (process.env["BENCH_SIZES"] ?? "100000").split(",").map(Number)
const rates = (process.env["BENCH_CHANGES"] ?? "200,2000").split(",").map(Number)
const seconds = Number(process.env["BENCH_SECONDS"] ?? 10)
const visits = Number(process.env["BENCH_VISITS"] ?? 7)
const part = process.env["BENCH_PART"] ?? "visits,watching,server"

const changesOfATask = 3
const slowest = 4
const settling = 4_000

type Add = ReturnType<typeof Report.make>["add"]

const wait = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

// Given to the browser as text: what benchmarks are compiled with knows no document.
const watchForRows = `
  window.rowsThere = new Promise((resolve) =>
    new MutationObserver((_, observer) => {
      if (document.querySelector("[data-run]") === null) return
      observer.disconnect()
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())))
    }).observe(document, { childList: true, subtree: true }))
  window.long = []
  new PerformanceObserver((list) => window.long.push(...list.getEntries().map((one) => one.duration)))
    .observe({ type: "longtask" })
`

// Rows may be there in the first paint, which is told a moment after.
const firstPaint = `new Promise((resolve) => new PerformanceObserver((list) => {
  const first = list.getEntries().find(({ name }) => name === "first-contentful-paint")
  if (first !== undefined) resolve(first.startTime)
}).observe({ type: "paint", buffered: true }))`

/** What this is in the page. Asked as a debugger does: the page's policy forbids it to make code of a text. */
const ask = async <A>(devtools: CDPSession, expression: string): Promise<A> => {
  const { result } = await devtools.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true })
  return result.value as A // safe: the expression is ours
}

interface Look {
  readonly context: BrowserContext
  readonly page: Page
  readonly devtools: CDPSession
}

const open = async (browser: Browser, { port }: Server, slower = 1): Promise<Look> => {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    extraHTTPHeaders: { authorization: `Bearer ${token}` }
  })
  const page = await context.newPage()
  const devtools = await context.newCDPSession(page)
  if (slower > 1) await devtools.send("Emulation.setCPUThrottlingRate", { rate: slower })
  await page.addInitScript(watchForRows)
  await page.goto(`http://127.0.0.1:${port}/tasks/dashboard/runs`)
  return { context, page, devtools }
}

const measureVisits = async (browser: Browser, server: Server, add: Add) => {
  for (const slower of [1, slowest]) {
    const painted: Array<number> = []
    const rows: Array<number> = []
    // The first finds nothing warm in the server.
    for (let visit = -1; visit < visits; visit += 1) {
      const { context, devtools } = await open(browser, server, slower)
      const all = await ask<number>(devtools, "window.rowsThere")
      const first = await ask<number>(devtools, firstPaint)
      if (visit >= 0) {
        painted.push(first)
        rows.push(all)
      }
      await context.close()
    }
    const on = slower === 1 ? "" : `, processor ×${slower} slower`
    add(`first paint${on}`, "ms", 1, painted)
    add(`rows are there${on}`, "ms", 1, rows)
  }
}

const mainThread = async (devtools: CDPSession): Promise<ReadonlyMap<string, number>> => {
  const { metrics } = await devtools.send("Performance.getMetrics")
  return new Map(metrics.map(({ name, value }) => [name, value]))
}

const measureWatching = async (browser: Browser, server: Server, add: Add) => {
  for (const changes of [0, ...rates]) {
    const { context, devtools, page } = await open(browser, server)
    let bytes = 0
    // What comes is told while it comes, how it was encoded only at the end; the stream is sent as it is.
    devtools.on("Network.dataReceived", ({ dataLength }) => (bytes += dataLength))
    await devtools.send("Network.enable")
    await devtools.send("Performance.enable", { timeDomain: "threadTicks" })
    await ask(devtools, "window.rowsThere")
    await page.waitForSelector(".live.on")
    const [, used] = await server.using(async () => {
      await wait(settling)
      await devtools.send("HeapProfiler.collectGarbage")
      await ask(devtools, "void (window.long.length = 0)")
      const before = await mainThread(devtools)
      const from = performance.now()
      bytes = 0
      await wait(seconds * 1_000)
      const after = await mainThread(devtools)
      const millis = performance.now() - from
      const received = bytes
      const long = await ask<ReadonlyArray<number>>(devtools, "window.long")
      const spent = (name: string) => after.get(name)! - before.get(name)!
      const at = `${changes} changes/s`
      for (
        const [what, name] of [
          ["main thread", "TaskDuration"],
          ["of it scripts", "ScriptDuration"],
          ["of it styles and layout", "both"]
        ] as const
      ) {
        const took = name === "both" ? spent("LayoutDuration") + spent("RecalcStyleDuration") : spent(name)
        add(`${at}: ${what}`, "%", 1, [took * 1_000 / millis * 100])
      }
      add(`${at}: long tasks`, "in all", 1, [long.length], { longest: Math.max(0, ...long) })
      add(`${at}: received`, "kB/s", 1, [received / millis])
      await devtools.send("HeapProfiler.collectGarbage")
      add(`${at}: heap`, "MB", 1, [(await mainThread(devtools)).get("JSHeapUsedSize")! / 1e6])
      add(`${at}: rows in the page`, "rows", 1, [await page.locator("[data-run]").count()])
    }, Math.ceil(changes / changesOfATask))
    add(`${changes} changes/s: tasks that ran`, "1/s", 1, [used.tasks / used.millis * 1_000])
    await context.close()
  }
}

const measureServer = async (server: Server, add: Add) => {
  const { took } = await server.ask("/tasks?limit=100", { atOnce: 1, millis: seconds * 500, least: 50 })
  for (const share of [0.5, 0.95]) {
    add(`list of 100, p${share * 100}`, "ms", took.length, [Report.quantile(took, share)])
  }
  const rows = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const { create } = yield* world
    const records = yield* Effect.replicateEffect(create, 250)
    return records.map((record) => TaskView.summary(started(record), redaction))
  })))
  const encode = () => Ring.message("e-1", { t: "runs", n: rows.slice(0, 50), u: rows.slice(50), d: [] })
  for (let warm = 0; warm < 200; warm += 1) encode()
  const times = Array.from({ length: 200 }, () => {
    const { system, user } = process.cpuUsage()
    for (let one = 0; one < 20; one += 1) encode()
    const after = process.cpuUsage()
    return (after.user + after.system - user - system) / 20 / 1_000
  })
  add("a frame of 250 rows, encoding, cpu", "ms", 20, times, { bytes: encode().length })
}

const measure = (rows: number) =>
  Effect.gen(function*() {
    const store = yield* Stores.fresh("sqlite")
    if (!Stores.isSql(store)) return
    yield* fillMixed(store, rows)
    const { add, table } = Report.make("dashboard", `${Stores.nameOf(store)}, ${rows} finished`)
    const server = yield* Effect.acquireRelease(
      Effect.promise(() => start(store)),
      (server) => Effect.promise(() => server.stop())
    )
    const browser = yield* Effect.acquireRelease(
      Effect.promise(() => chromium.launch({ executablePath: executable, args: flags })),
      (browser) => Effect.promise(() => browser.close())
    )
    yield* Effect.promise(async () => {
      if (part.includes("visits")) await measureVisits(browser, server, add)
      if (part.includes("watching")) await measureWatching(browser, server, add)
      if (part.includes("server")) await measureServer(server, add)
    })
    table()
  }).pipe(Effect.scoped)

for (const rows of sizes) await Effect.runPromise(measure(rows))
