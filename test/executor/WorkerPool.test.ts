/** The pool with real threads and real processes. Compiled workers; from sources and from the build is in `loading.test.ts`. */
import * as fs from "node:fs"
import * as path from "node:path"
import { it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { afterAll, describe, expect, vi } from "vitest"
import type { WorkerOutcome } from "../../src/executor/job.js"
import { processOptions } from "../../src/executor/launch.js"
import { deaf, directory, eventually, job, listening, module, pool } from "./support/pools.js"

afterAll(() => fs.rmSync(directory, { recursive: true, force: true }))

// Loading a worker from its sources takes seconds of a machine that is busy otherwise.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const resultOf = (outcome: WorkerOutcome): string =>
  outcome._tag === "Success" ? JSON.parse(outcome.result!).text : JSON.stringify(outcome)

const shownOf = (outcome: WorkerOutcome) =>
  outcome._tag === "Defect" || outcome._tag === "Failure"
    ? outcome.shown
    : { name: outcome._tag, message: "", stack: "" }

/** A file that workers write to, and what is in it. */
const notes = () => {
  const file = path.join(fs.mkdtempSync(path.join(directory, "notes-")), "notes")
  return { file, read: () => fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : [] }
}

const elapsed = <A>(self: Effect.Effect<A>): Effect.Effect<readonly [A, number]> =>
  Effect.suspend(() => {
    const from = performance.now()
    return Effect.map(self, (value) => [value, performance.now() - from] as const)
  })

describe.each(["thread", "process"] as const)("a pool of kind %s", (kind) => {
  // For what leaves its worker as it was: most of the time here goes by until one is loaded.
  const scope = Effect.runSync(Scope.make())
  const shared = Effect.runSync(Scope.extend(pool(kind), scope))
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  it.scopedLive("runs attempts through the schemas of their task", () =>
    Effect.gen(function*() {
      const workers = shared
      const run = (act: string, text?: string, more?: Parameters<typeof job>[2]) =>
        workers.run(job(act, text, more), deaf)
      const at = "2026-01-01T00:00:00.000Z"

      expect(yield* run("echo", "NUL \0 lone \ud800 emoji 🎈")).toEqual({
        _tag: "Success",
        result: JSON.stringify({ text: "NUL \0 lone \ud800 emoji 🎈", at })
      })
      expect(
        yield* workers.run(job("", "", { module: module("plain"), payload: "{}", context: context("plain") }), deaf)
      )
        .toEqual({ _tag: "Success", result: null })
      expect(yield* run("refuse")).toMatchObject({
        _tag: "Failure",
        error: JSON.stringify({ code: 7, at: "1970-01-01T00:00:00.005Z", _tag: "Refused" }),
        final: false,
        shown: { name: "Refused" }
      })
      expect(yield* run("unrecoverable")).toMatchObject({ _tag: "Failure", final: true })
      const thrown = yield* run("throw")
      expect(thrown).toMatchObject({ _tag: "Defect", final: false, shown: { name: "RangeError", message: "too far" } })
      expect(shownOf(thrown).stack).toContain("worker.mjs")
      expect(shownOf(yield* run("misfit")).message).toContain("does not fit the task's success schema at text")
      expect(shownOf(yield* run("echo", "long", { maxResultSize: 10 })).message).toContain("the limit is 10")
      expect(yield* run("snooze")).toEqual({ _tag: "Snoozed", millis: 90_000 })
      expect(yield* workers.run(job("", "", { payload: "{\"act\":3}" }), deaf)).toEqual({
        _tag: "Undecodable",
        message: "act: Expected string, actual 3"
      })
      expect(JSON.parse(resultOf(yield* run("context")))).toEqual({ ...job("").context, aborted: false })
      expect(resultOf(yield* run("where"))).toMatch(kind === "thread" ? `thread ${process.pid}` : /^process \d+$/)
      // The layer was built once, and all of these were one worker.
      expect(resultOf(yield* run("count")) + resultOf(yield* run("count"))).toBe("12")
      expect(workers.size()).toBe(1)
      // Who waits is served in order.
      const order: Array<string> = []
      yield* Effect.forEach(["a", "b", "c", "d"], (text) => Effect.map(run("echo", text), () => order.push(text)), {
        concurrency: 4
      })
      expect(order).toEqual(["a", "b", "c", "d"])
    }))

  it.scopedLive("carries 10 MB both ways", () =>
    Effect.gen(function*() {
      const workers = shared
      const text = "0123456789".repeat(1024 * 1024)
      expect(resultOf(yield* workers.run(job("echo", text), deaf)) === text).toBe(true)
    }))

  it.scopedLive("tells logs and progress while they are said, also out of a busy loop", () =>
    Effect.gen(function*() {
      const workers = yield* pool(kind)
      const { lines, listener, progress } = yield* listening
      expect(resultOf(yield* workers.run(job("logs"), listener))).toBe("logged")
      expect(lines).toEqual([
        ["info", "one {\"two\":2}", { order: "o-1" }],
        ["warning", "gateway slow", { code: "503", big: "10" }]
      ])
      expect(progress).toEqual([[0.5, "half"]])

      const live = yield* listening
      const fiber = yield* Effect.fork(workers.run(job("busyLogs"), live.listener))
      yield* live.first
      yield* eventually(() => live.progress.length === 1)
      expect([live.lines, live.progress]).toEqual([[["info", "live", {}]], [[0.25, "busy"]]])
      // It never ends by itself: it is ended, and its worker replaced.
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      expect(resultOf(yield* workers.run(job("echo", "again"), deaf))).toBe("again")
    }))

  it.scopedLive("interrupts a handler, whose finalizers run, and keeps its worker", () =>
    Effect.gen(function*() {
      const { file, read } = notes()
      const workers = yield* pool(kind, { env: { PROBE_CLOSED: file }, grace: 10_000 })
      const where = yield* workers.run(job("where"), deaf)
      for (const act of ["wait", "loop"]) {
        const { first, listener } = yield* listening
        const fiber = yield* Effect.fork(workers.run(job(act), listener))
        yield* first
        expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      }
      expect(read()).toEqual(["scope closed, aborted: true", "loop ended"])
      expect(yield* workers.run(job("where"), deaf)).toEqual(where)
      // What an attempt leaves behind is heard no more once it ended.
      yield* workers.run(job("daemon"), deaf)
      const { lines, listener } = yield* listening
      yield* workers.run(job("logs"), listener)
      expect(lines.map(([, message]) => message)).not.toContain("ghost")
    }))

  it.scopedLive("ends what does not stop, when it is interrupted and when the pool closes", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const workers = yield* Scope.extend(pool(kind, { max: 2 }), scope)
      const stubborn = yield* listening
      const fiber = yield* Effect.fork(workers.run(job("stubborn"), stubborn.listener))
      const busy = yield* listening
      const other = yield* Effect.fork(workers.run(job("busyLogs"), busy.listener))
      yield* stubborn.first
      yield* busy.first
      yield* Fiber.interrupt(fiber)
      yield* Scope.close(scope, Exit.void)
      expect(workers.size()).toBe(0)
      expect(shownOf(yield* Fiber.join(other)).name).toBe("WorkerDied")
      expect(shownOf(yield* workers.run(job("echo"), deaf)).message).toContain("was closed")
    }))

  it.scopedLive("closes layers when a worker ends: after its share of attempts, idle, and with the pool", () =>
    Effect.gen(function*() {
      const { file, read } = notes()
      const scope = yield* Scope.make()
      const workers = yield* Scope.extend(
        pool(kind, { env: { PROBE_CLOSED: file }, recycleAfter: 2, idleTimeout: 100, grace: 10_000 }),
        scope
      )
      const count = Effect.map(workers.run(job("count"), deaf), resultOf)
      expect([yield* count, yield* count, yield* count]).toEqual(["1", "2", "1"])
      expect(read()).toEqual(["layer closed"])
      yield* eventually(() => workers.size() === 0)
      expect(read()).toEqual(["layer closed", "layer closed"])
      yield* count
      yield* Scope.close(scope, Exit.void)
      expect(read()).toHaveLength(3)
    }))

  it.scopedLive("a worker that dies fails its attempt and no other", () =>
    Effect.gen(function*() {
      const workers = yield* pool(kind, { max: 2 })
      const { first, lines, listener } = yield* listening
      const fiber = yield* Effect.fork(workers.run(job("wait"), listener))
      yield* first
      const died = (act: string) => Effect.map(workers.run(job(act), deaf), shownOf)
      expect(yield* died("exit")).toMatchObject({ name: "WorkerDied", message: expect.stringContaining("exit code 3") })
      expect((yield* died("uncaught")).message).toContain("RangeError: nobody caught this")
      expect(yield* died("rejected")).toMatchObject({
        message: expect.stringContaining("RangeError: nor this"),
        stack: expect.stringContaining("worker.mjs")
      })
      if (kind === "process") {
        const where = yield* workers.run(job("where"), deaf)
        const [, pid] = resultOf(where).split(" ")
        // A terminal sends these to the whole group: the parent decides what they mean.
        for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.kill(Number(pid), signal)
        expect(yield* workers.run(job("where"), deaf)).toEqual(where)
        const killed = yield* Effect.fork(workers.run(job("busy"), deaf))
        process.kill(Number(pid), "SIGKILL")
        expect(shownOf(yield* Fiber.join(killed)).message).toContain(`process ${pid} was ended by SIGKILL`)
      }
      expect(resultOf(yield* workers.run(job("echo", "next"), deaf))).toBe("next")
      expect(lines).toHaveLength(1)
      yield* Fiber.interrupt(fiber)
    }))

  it.scopedLive("limits memory: what takes too much dies, what keeps too much is replaced", () =>
    Effect.gen(function*() {
      const mebibyte = 1024 * 1024
      // Node.js and the loader of TypeScript alone take up to 250 MiB of a process.
      const workers = yield* pool(kind, { memoryLimit: 350 * mebibyte })
      const first = resultOf(yield* workers.run(job("count"), deaf))
      expect([first, resultOf(yield* workers.run(job("count"), deaf))]).toEqual(["1", "2"])
      yield* workers.run(job("hold", "400"), deaf)
      expect(resultOf(yield* workers.run(job("count"), deaf))).toBe("1")
      const small = yield* pool(kind, { memoryLimit: 64 * mebibyte })
      expect(shownOf(yield* small.run(job("outOfMemory"), deaf))).toMatchObject({
        name: "WorkerDied",
        message: expect.stringContaining("ran out of memory (memoryLimit is 67108864 bytes)")
      })
    }))

  it.scopedLive("is not confused by what the application itself says to its parent", () =>
    Effect.gen(function*() {
      const workers = shared
      expect(resultOf(yield* workers.run(job("strangers"), deaf))).toBe("still here")
      expect(resultOf(yield* workers.run(job("echo", "and here"), deaf))).toBe("and here")
    }))

  it.scopedLive("answers also where the handler took process.send away", () =>
    Effect.gen(function*() {
      const workers = yield* pool(kind)
      expect(resultOf(yield* workers.run(job("stealsSend"), deaf))).toBe("still heard")
    }))

  it.scopedLive("hears lines without end a little at a time, and all of them before the end", () =>
    Effect.gen(function*() {
      let lines = 0
      let turns = 0
      let most = 0
      let inTurn = 0
      const turn = setInterval(() => {
        turns += 1
        most = Math.max(most, inTurn)
        inTurn = 0
      }, 0)
      // Each takes a tenth of a millisecond: as much as a logger on a machine that is busy otherwise.
      const log = () => {
        lines += 1
        inTurn += 1
        const until = performance.now() + 0.1
        while (performance.now() < until);
      }
      expect(resultOf(yield* shared.run(job("flood", "5000"), { ...deaf, log }))).toBe("over")
      clearInterval(turn)
      expect(lines).toBe(5_000)
      expect(turns).toBeGreaterThan(20)
      expect(most).toBeLessThan(500)
    }))

  it.scopedLive("an attempt whose lines cannot be shown dies of that, and nothing else does", () =>
    Effect.gen(function*() {
      const log = () => {
        throw new RangeError("no place for a line")
      }
      expect(shownOf(yield* shared.run(job("logs"), { ...deaf, log }))).toMatchObject({ name: "RangeError" })
      expect(shownOf(yield* shared.run(job("wait"), { ...deaf, log })).message).toBe("no place for a line")
      expect(resultOf(yield* shared.run(job("echo", "goes on"), deaf))).toBe("goes on")
    }))

  it.scopedLive("says why a module cannot be used", () =>
    Effect.gen(function*() {
      const workers = shared
      const said = (ref: Partial<ReturnType<typeof module>>, taskName = "probe") =>
        Effect.map(
          workers.run(job("echo", "", { module: { ...module(), ...ref }, context: context(taskName) }), deaf),
          (outcome) => shownOf(outcome).message
        )
      expect(yield* said({ url: "file:///nowhere/x.js" })).toContain("/nowhere/x.js")
      expect(yield* said({ exportName: "other" })).toContain("no export \"other\"; it has ")
      expect(yield* said({ exportName: "notAWorker" })).toContain("was not made by Task.worker")
      expect(yield* said({}, "probe2")).toContain("is the worker of task \"probe\"")
      expect(yield* said({ exportName: "failingLayer" })).toContain("the layer of this worker could not be built")
      const broken = path.join(directory, `broken-${kind}.mjs`)
      fs.writeFileSync(broken, "export default 1 +")
      expect(yield* said({ url: `file://${broken}` })).toContain("SyntaxError")
      expect(resultOf(yield* workers.run(job("echo", "same"), deaf))).toBe("same")
      expect(workers.size()).toBe(1)
    }))

  it.scopedLive("gives up on a worker, a module or a layer that is not ready in time", () =>
    Effect.gen(function*() {
      const slow = yield* pool(kind, { env: { PROBE_SLOW_MODULE: "1" }, startTimeout: 1_500 })
      expect(shownOf(yield* slow.run(job("echo"), deaf))).toMatchObject({
        name: "WorkerNotStarted",
        message: expect.stringContaining("task \"probe\" was not ready within 1500 ms")
      })
    }))

  it.scopedLive("tries a start that fails again, later each time, and fails the attempts that wait", () =>
    Effect.gen(function*() {
      const workers = yield* pool(kind, { execArgv: ["--no-such-option"], max: 2 })
      const failed = yield* elapsed(Effect.replicateEffect(workers.run(job("echo"), deaf), 3))
      expect(failed[0].map((outcome) => shownOf(outcome).name)).toEqual(Array(3).fill("WorkerDied"))
      // 100 and 200 ms lie between them.
      expect(failed[1]).toBeGreaterThan(300)
      expect(workers.size()).toBe(0)
    }))

  it.scopedLive("keeps `min` warm and uses no more than `max`", () =>
    Effect.gen(function*() {
      const { file, read } = notes()
      const workers = yield* pool(kind, { min: 1, max: 2, idleTimeout: 50, env: { PROBE_LOADED: file } })
      expect(workers.size()).toBe(1)
      workers.warm(module())
      workers.warm(module())
      yield* eventually(() => read().length > 0)
      yield* workers.run(job("echo"), deaf)
      expect(read()).toEqual(["loaded"])
      let most = 0
      yield* Effect.forEach(["a", "b", "c", "d", "e"], (text) =>
        Effect.map(workers.run(job("echo", text), deaf), () => {
          most = Math.max(most, workers.size())
        }), { concurrency: 5 })
      expect(most).toBeLessThanOrEqual(2)
      yield* eventually(() => workers.size() === 1)
      // One that dies idle is replaced.
      yield* workers.run(job("exit"), deaf)
      yield* eventually(() => workers.size() === 1)
      expect(resultOf(yield* workers.run(job("echo", "f"), deaf))).toBe("f")
    }))
})

it.scopedLive("a process that the end of all processes hits while it starts costs no attempt", () =>
  Effect.gen(function*() {
    const { file, read } = notes()
    const onFirst = `import fs from "node:fs"
      const first = !fs.existsSync(process.env.STARTS)
      fs.appendFileSync(process.env.STARTS, "start\\n")
      if (first) { process.kill(process.pid, "SIGTERM"); for (;;); }`
    const execArgv = ["--import", `data:text/javascript,${encodeURIComponent(onFirst)}`]
    const workers = yield* pool("process", { execArgv, env: { STARTS: file } })
    expect(resultOf(yield* workers.run(job("echo", "in the next one"), deaf))).toBe("in the next one")
    expect(read()).toEqual(["start", "start"])
  }))

it("a process has the options of Node.js of its parent, but its debugger, its program and its watch", () => {
  const given = process.execArgv
  process.execArgv = [
    ...["--inspect-port", "9230", "--inspect-brk=0", "--enable-source-maps", "--eval", "start()", "--watch"],
    ...["--require", "./tracing.cjs", "--inspect-publish-uid=http", "--test", "-e", "x", "--stack-trace-limit=20"]
  ]
  const options = processOptions(undefined, 64 * 1024 * 1024)
  process.execArgv = given
  expect(options.slice(0, 5)).toEqual([
    ...["--enable-source-maps", "--require", "./tracing.cjs", "--stack-trace-limit=20"],
    "--max-old-space-size=64"
  ])
})

const context = (taskName: string) => ({ ...job("").context, taskName })
