/** A pool of real workers for a test, and attempts for it. */
import * as path from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { Deferred, Effect } from "effect"
import { Task } from "effect-taskflow"
import { buildSync } from "esbuild"
import type { WorkerJob, WorkerListener } from "../../../src/executor/job.js"
import type * as WorkerPool from "../../../src/executor/WorkerPool.js"
import type { TaskId } from "../../../src/TaskId.js"
import { bundleFolder } from "../../support/bundle.js"

export const directory = bundleFolder()

// What starts workers and what they run, as they are after the build: dozens of workers start in these tests, and one that
// loads its entry from the sources brings a compiler first. How that works is in `loading.test.ts`.
const executor = path.resolve(import.meta.dirname, "../../../src/executor")
buildSync({
  entryPoints: ["WorkerPool", "entry"].map((name) => path.join(executor, `${name}.ts`)),
  outdir: directory,
  bundle: true,
  platform: "node",
  format: "esm",
  packages: "external"
})
const built: typeof WorkerPool = await import(pathToFileURL(path.join(directory, "WorkerPool.js")).href)

/** The module in one file: dozens of workers start in these tests, and one from the sources takes a second to load. */
export const compiled = (source: URL): URL => {
  const outfile = path.join(directory, `${path.parse(source.pathname).name}.mjs`)
  buildSync({
    entryPoints: [fileURLToPath(source)],
    outfile,
    bundle: true,
    minifyWhitespace: true,
    platform: "node",
    format: "esm",
    conditions: ["@effect-taskflow/source"]
  })
  return pathToFileURL(outfile)
}

const probes = compiled(new URL("./worker.ts", import.meta.url))

/** An export of `worker.ts`. */
export const module = (name = "default") => Task.module(probes, { export: name }).ref

/** What is not worth waiting for longer than a test may take. */
export const eventually = (condition: () => boolean): Effect.Effect<void> =>
  Effect.repeat(Effect.delay(Effect.sync(condition), "10 millis"), { until: (met) => met })

/** A pool of compiled workers; of others with another `make`. */
export const pool = (
  kind: "thread" | "process",
  options?: Partial<WorkerPool.WorkerPoolOptions>,
  make = built.make
) =>
  make({
    kind,
    min: 0,
    max: 1,
    idleTimeout: 60_000,
    recycleAfter: Infinity,
    memoryLimit: null,
    startTimeout: 20_000,
    grace: 250,
    ...options
  })

export const job = (act: string, text = "", more?: Partial<WorkerJob>): WorkerJob => ({
  module: module(),
  payload: JSON.stringify({ act, text, at: "2026-01-01T00:00:00.000Z" }),
  maxResultSize: 32 * 1024 * 1024,
  logLevel: "info",
  context: {
    // safe: the pool does not look at it
    taskId: "0197a000-0000-7000-8000-000000000001" as TaskId,
    taskName: "probe",
    tags: { order: "o-1" },
    source: "manual",
    schedule: null,
    attempt: 2,
    instance: "i-1",
    fence: 5
  },
  ...more
})

/** A listener that keeps what it heard, and tells when it heard the first of it. */
export const listening = Effect.map(Deferred.make<void>(), (heard) => {
  const lines: Array<readonly [string, string, Record<string, unknown>]> = []
  const progress: Array<readonly [number, string | null]> = []
  const listener: WorkerListener = {
    started: () => {},
    log: (level, message, annotations) => {
      lines.push([level, message, annotations])
      Deferred.unsafeDone(heard, Effect.void)
    },
    progress: ({ message, value }) => {
      progress.push([value, message])
    }
  }
  return { first: Deferred.await(heard), lines, progress, listener }
})

export const deaf: WorkerListener = { started: () => {}, log: () => {}, progress: () => {} }
