/**
 * What a burst holds, and what a long history costs, on each database. `npm run bench:resources`.
 *
 * Burst: 100,000 tasks that do nothing, accepted as fast as they are taken. Every 100 ms the process counts its open files
 * and its connections to the server. They may not grow, and its memory stays below 300 MB: else the exit code is 1.
 *
 * History: the same tables with 0, 100,000 and 1,000,000 finished tasks, filled by the database itself. How long the engine
 * takes to start on them, and how many tasks a second it then ends. The goal is within a tenth; it is told, not asserted,
 * because a machine that others use as well moves that far by itself.
 *
 *     BENCH_PART=burst BENCH_BACKENDS=sqlite BENCH_BURST=10000 npm run bench:resources
 *     BENCH_PART=history BENCH_SIZES=0,100000 BENCH_N=20000 BENCH_ROUNDS=3 npm run bench:resources
 *
 * Open files and connections are read from /proc: Linux only.
 */
import { Effect, Exit, Scope } from "effect"
import { answerParent, ask } from "./support/child.js"
import { fill } from "./support/history.js"
import * as Report from "./support/report.js"
import { burst, type BurstAnswer, type HistoryAnswer, historyOf, seed } from "./support/resourceMeasures.js"
import * as Stores from "./support/stores.js"

type Request =
  | { readonly _tag: "burst"; readonly kind: Stores.Kind; readonly n: number }
  /** Without a store on one that is empty. */
  | { readonly _tag: "history"; readonly kind: Stores.Kind; readonly store: Stores.Store | null; readonly n: number }

const part = process.env["BENCH_PART"] ?? "burst,history"
const burstSize = Number(process.env["BENCH_BURST"] ?? 100_000)
const sizes = (process.env["BENCH_SIZES"] ?? "0,100000,1000000").split(",").map(Number)
const n = Number(process.env["BENCH_N"] ?? 20_000)
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3)

/** MiB. */
const maxMemory = 300
/** Files that may be open during a burst beyond those before it: what the runtime itself opens now and then. */
const moreFiles = 2

const progress = (text: string) => process.stderr.write(`${text}\n`)

// ── burst ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const violations = ({ connections, files, memory, samples }: BurstAnswer): ReadonlyArray<string> => [
  ...samples < 5 ? [`only ${samples} samples: the event loop was held up, or the burst is too small`] : [],
  ...files.most > files.before + moreFiles ? [`open files grew from ${files.before} to ${files.most}`] : [],
  ...connections.most > connections.before
    ? [`connections grew from ${connections.before} to ${connections.most}`]
    : [],
  ...connections.most > Stores.maxConnections ? [`more than ${Stores.maxConnections} connections`] : [],
  ...memory.most >= maxMemory ? [`memory reached ${Math.round(memory.most)} MiB, ${maxMemory} is the bound`] : []
]

const bursts = async (kinds: ReadonlyArray<Stores.Kind>): Promise<boolean> => {
  let held = true
  for (const kind of kinds) {
    const answer = await ask<Request, BurstAnswer>({ _tag: "burst", kind, n: burstSize })
    const violated = violations(answer)
    held &&= violated.length === 0
    const bounds = { files: answer.files.before + moreFiles, connections: Stores.maxConnections, memoryMiB: maxMemory }
    process.stdout.write(
      `${JSON.stringify({ bench: "resources", part: "burst", kind, n: burstSize, ...answer, bounds, violated })}\n`
    )
    progress(`burst on ${kind}: ${violated.length === 0 ? "held" : violated.join("; ")}`)
  }
  return held
}

// ── history ────────────────────────────────────────────────────────────────────────────────────────────────────────

const filled = async (kind: Stores.Kind, scope: Scope.Scope, rows: number): Promise<Stores.Store> => {
  const store = await Effect.runPromise(Scope.extend(Stores.fresh(kind), scope))
  await seed(store)
  const from = performance.now()
  await Effect.runPromise(fill(store, rows))
  progress(`${kind}: ${rows} finished tasks filled in ${((performance.now() - from) / 1_000).toFixed(1)} s`)
  return store
}

const historyOn = async (kind: Stores.Kind): Promise<void> => {
  const scope = await Effect.runPromise(Scope.make())
  const { add, table } = Report.make("resources", `${Stores.nameOf({ kind })}, history`)
  try {
    const stores: Array<{ readonly size: number; readonly store: Stores.Store | null }> = []
    for (const size of sizes) stores.push({ size, store: size === 0 ? null : await filled(kind, scope, size) })
    const answers = new Map<number, Array<HistoryAnswer>>(sizes.map((size) => [size, []]))
    for (let round = 0; round < rounds; round += 1) {
      for (const { size, store } of stores) {
        answers.get(size)!.push(await ask<Request, HistoryAnswer>({ _tag: "history", kind, store, n }))
      }
    }
    const least = answers.get(Math.min(...sizes))!
    for (const [size, measured] of answers) {
      const settings = { history: size }
      add(`start-up, ${size} finished`, "ms", n, measured.map(({ start }) => start), settings)
      add(`end to end, ${size} finished`, "tasks/s", n, measured.map(({ perSecond }) => perSecond), settings)
      add(`end to end, ${size} finished, cpu`, "µs/task", n, measured.map(({ cpu }) => cpu), settings)
      if (measured === least) continue
      const ratio = (of: (answer: HistoryAnswer) => number) =>
        measured.map((answer, round) => of(answer) / of(least[round]!))
      add(`start-up, ${size} finished, of the least`, "ratio", n, ratio(({ start }) => start), settings)
      add(`end to end, ${size} finished, of the least`, "ratio", n, ratio(({ perSecond }) => perSecond), settings)
      add(`end to end, ${size} finished, cpu, of the least`, "ratio", n, ratio(({ cpu }) => cpu), settings)
    }
    table()
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

const compute = (request: Request): Promise<BurstAnswer | HistoryAnswer> =>
  request._tag === "burst" ? burst(request.kind, request.n) : historyOf(request.kind, request.store, request.n)

if (!(await answerParent(compute))) {
  const kinds = await Stores.available()
  if (part.includes("burst") && !(await bursts(kinds))) process.exitCode = 1
  if (part.includes("history")) { for (const kind of kinds) await historyOn(kind) }
}
