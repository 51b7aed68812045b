/**
 * How a worker loads its module: from TypeScript under Vitest and under tsx, and from a build; and how it ends with an application
 * that does.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { createInterface } from "node:readline"
import { pathToFileURL } from "node:url"
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { buildSync } from "esbuild"
import { afterAll, beforeAll, describe, expect, it as test, vi } from "vitest"
import { make } from "../../src/executor/WorkerPool.js"
import { deaf, directory, job, pool } from "./support/pools.js"

// Loading a worker from its sources takes seconds of a machine that is busy otherwise.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const root = path.resolve(import.meta.dirname, "../..")
const support = path.join(import.meta.dirname, "support")
const driver = path.join(support, "driver.mjs")
const sources = pathToFileURL(path.join(root, "src/executor/WorkerPool.ts")).href
const small = pathToFileURL(path.join(support, "small.ts")).href

const project = fs.mkdtempSync(path.join(os.tmpdir(), "effect-taskflow-build-"))
const built = pathToFileURL(path.join(project, "node_modules/effect-taskflow/dist/executor/WorkerPool.js")).href
const inProject = (file: string) => pathToFileURL(path.join(project, file)).href

interface Line {
  readonly said?: string
  readonly kind?: string
  readonly outcome?: { readonly _tag: string; readonly result: string; readonly shown: { readonly message: string } }
}

const start = (options: ReadonlyArray<string>, ...args: ReadonlyArray<string>) => {
  const app = spawn(process.execPath, [...options, ...args], { cwd: project, stdio: ["ignore", "pipe", "inherit"] })
  const lines: Array<Line> = []
  const plain: Array<string> = []
  const reader = createInterface({ input: app.stdout })
  reader.on("line", (line) => line.startsWith("{") ? lines.push(JSON.parse(line)) : plain.push(line))
  return { app, lines, plain, closed: once(app, "close"), line: () => once(reader, "line") }
}

const run = async (options: ReadonlyArray<string>, ...args: ReadonlyArray<string>) => {
  const { closed, lines, plain } = start(options, ...args)
  const [code] = await closed
  return {
    code,
    outcomes: lines.flatMap(({ kind, outcome }) => outcome === undefined ? [] : [[kind, outcome._tag]]),
    lines,
    plain
  }
}

const both = [["thread", "Success"], ["process", "Success"]]

// What `npm run build` makes, without checking types: a package in a project that has nothing but what it needs.
beforeAll(() => {
  const home = path.join(project, "node_modules/effect-taskflow")
  const files = fs.readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
  buildSync({
    entryPoints: files.filter((file) => file.endsWith(".ts")).map((file) => path.join(root, "src", file)),
    outdir: path.join(home, "dist"),
    outbase: path.join(root, "src"),
    format: "esm"
  })
  fs.copyFileSync(path.join(root, "package.json"), path.join(home, "package.json"))
  for (const name of ["effect", "uuid", "tinyqueue", "@effect", "fast-check", "@standard-schema"]) {
    fs.symlinkSync(path.join(root, "node_modules", name), path.join(project, "node_modules", name))
  }
  fs.copyFileSync(driver, path.join(project, "driver.mjs"))
  fs.writeFileSync(path.join(project, "package.json"), JSON.stringify({ type: "module" }))
  buildSync({ entryPoints: [path.join(support, "small.ts")], outfile: path.join(project, "small.js"), format: "esm" })
})

afterAll(() => {
  for (const made of [project, directory]) fs.rmSync(made, { recursive: true, force: true })
})

describe("a module", () => {
  it.scopedLive("of TypeScript is loaded under Vitest", () =>
    Effect.gen(function*() {
      for (const kind of ["thread", "process"] as const) {
        const workers = yield* pool(kind, {}, make)
        const module = { url: small.replace(".ts", ".js"), exportName: "default" }
        const context = { ...job("").context, taskName: "small" }
        expect(yield* workers.run({ ...job(""), module, context, payload: "{\"busy\":false}" }, deaf)).toMatchObject({
          _tag: "Success"
        })
      }
    }))

  test("of TypeScript is loaded in an application that tsx runs", async () => {
    const tsx = [
      "--conditions=@effect-taskflow/source",
      "--import",
      pathToFileURL(path.join(root, "node_modules/tsx/dist/loader.mjs")).href
    ]
    const { code, outcomes } = await run(tsx, driver, sources, small, "thread,process", "run")
    expect([code, outcomes]).toEqual([0, both])
  })

  test("is loaded from a build; what it logs is told, not printed; its idle worker keeps nothing alive", async () => {
    const { code, lines, outcomes, plain } = await run(
      [],
      "driver.mjs",
      built,
      inProject("small.js"),
      "thread,process",
      "leave"
    )
    expect([code, outcomes]).toEqual([0, both])
    expect(lines.flatMap(({ said }) => said ?? [])).toHaveLength(2)
    expect(plain).toEqual([])
  })

  test("of TypeScript is loaded by the build, where tsx is", async () => {
    const file = path.join(project, "typed/small.ts")
    fs.mkdirSync(path.dirname(file))
    fs.copyFileSync(path.join(support, "small.ts"), file)
    const args = ["driver.mjs", built, pathToFileURL(file).href, "thread,process", "run"]
    const without = await run([], ...args.map((arg) => arg === "thread,process" ? "process" : arg))
    if (!Reflect.has(process.features, "typescript")) {
      expect(without.lines[0]?.outcome?.shown.message).toContain("it is TypeScript: install tsx")
    }
    fs.mkdirSync(path.join(project, "typed/node_modules"))
    fs.symlinkSync(path.join(root, "node_modules/tsx"), path.join(project, "typed/node_modules/tsx"))
    expect((await run([], ...args)).outcomes).toEqual(both)
  })
})

describe("an application that ends", () => {
  test("by kill -9 leaves no process behind, not even a busy one", async () => {
    const { app, closed, line, lines } = start([], "driver.mjs", built, inProject("small.js"), "process", "orphan")
    while (lines.length === 0) await line()
    const pid = Number(/\d+/.exec(lines[0]!.said!)![0])
    const isThere = () => {
      try {
        return process.kill(pid, 0)
      } catch {
        return false
      }
    }
    try {
      expect(isThere()).toBe(true)
      app.kill("SIGKILL")
      await closed
      const gone = Effect.repeat(Effect.delay(Effect.sync(isThere), "20 millis"), { while: (there) => there })
      await Effect.runPromise(Effect.timeout(gone, "30 seconds"))
    } finally {
      if (isThere()) process.kill(pid, "SIGKILL")
    }
  })
})
