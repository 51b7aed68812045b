import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as promises from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Chunk, Effect, Exit, Fiber, Layer, Queue, Schema, Scope, TestClock } from "effect"
import { MemoryBackend, Task, TaskflowLayer, TaskLog, TaskManager, TaskObserver } from "effect-taskflow"
import { FileObserver } from "effect-taskflow/observers"
import { TaskflowTest } from "effect-taskflow/testing"
import * as LogFile from "../../src/observer/logFile.js"
import { collectedLogs } from "../support/engine.js"

class Flaky extends Schema.TaggedError<Flaky>()("Flaky", {}) {}

const Say = Task.make("say", { payload: { text: Schema.String } })
const SayHandler = Say.toLayer(({ text }) => TaskLog.info(text))

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-taskflow-files-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
)
const read = (file: string): string => fs.readFileSync(file, "utf8")
const linesOf = (file: string): ReadonlyArray<string> => read(file).split("\n").slice(0, -1)
const messagesOf = (file: string) => linesOf(file).map((line) => line.split(" ").slice(3).join(" "))

/** Runs with the handler and an observer, and returns when the observer has closed. */
const written = (options: FileObserver.FileObserverOptions, texts: ReadonlyArray<string>) =>
  Effect.forEach(texts, (text) => Say.execute({ text }), { discard: true }).pipe(
    Effect.provide(Layer.merge(SayHandler, FileObserver.layer(options)))
  )

/** Real IO is waited for by looking: turns of the event loop pass, no time. */
const until = (condition: () => boolean) =>
  Effect.iterate(false, {
    while: (done) => !done,
    body: () =>
      Effect.async<boolean>((resume) => {
        setImmediate(() => resume(Effect.sync(condition)))
      })
  })

const exists = (file: string) => fs.statSync(file, { throwIfNoEntry: false }) !== undefined

describe("lines", () => {
  it.scoped("of a retried task: message, separator, steps; one line each", () =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "deep", "er", "tasks.log")
      let run = 0
      const Twice = Task.make("twice", { error: Flaky, retry: { retries: 1, delay: "90 seconds" } })
      const handler = Twice.toLayer(() =>
        Effect.zipRight(
          TaskLog.info("trying\nhard", { hidden: true }),
          Effect.suspend(() => (run += 1) < 2 ? new Flaky() : TaskLog.debug("not shown"))
        )
      )
      const { taskId } = yield* Effect.gen(function*() {
        const enqueued = yield* Twice.enqueue()
        yield* TaskflowTest.drain
        return enqueued
      }).pipe(Effect.provide(Layer.merge(handler, FileObserver.layer({ path: file, lifecycle: "all" }))))
      const head = `[${taskId.slice(-8)}] [twice]`
      expect(read(file)).toBe([
        `${head} 1970-01-01T00:00:00 -- PENDING`,
        `${head} 1970-01-01T00:00:00 -- RUNNING`,
        `${head} 1970-01-01T00:00:00 trying\\nhard`,
        `${head} 1970-01-01T00:00:00 -- RETRYING`,
        `${head} --- Retry 1 ---`,
        `${head} 1970-01-01T00:01:30 trying\\nhard`,
        `${head} 1970-01-01T00:01:30 -- SUCCESS`,
        ""
      ].join("\n"))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.scoped("by default no steps and nothing below info; appended to what is there", () =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "tasks.log")
      fs.writeFileSync(file, "before\n")
      yield* written({ path: file }, ["one"])
      yield* written({ path: file, minLevel: "warning" }, ["two"])
      expect(linesOf(file)).toEqual([
        "before",
        expect.stringMatching(/^\[[0-9a-f]{8}\] \[say\] 1970-01-01T00:00:00 one$/)
      ])
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.scoped("begin with what layers built beside it do first", () =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "new", "tasks.log")
      yield* Effect.void.pipe(
        Effect.provide(
          Layer.mergeAll(
            SayHandler,
            FileObserver.layer({ path: file, lifecycle: "all" }),
            Layer.scopedDiscard(Say.execute({ text: "hello" }))
          )
        )
      )
      expect(messagesOf(file)).toEqual(["-- PENDING", "-- RUNNING", "hello", "-- SUCCESS"])
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.scoped("are written while the engine runs, not at its end", () =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "tasks.log")
      yield* Effect.gen(function*() {
        yield* Say.execute({ text: "now" })
        yield* until(() => exists(file) && read(file) !== "")
        expect(messagesOf(file)).toEqual(["now"])
      }).pipe(Effect.provide(Layer.merge(SayHandler, FileObserver.layer({ path: file }))))
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("rotate", () => {
  it.scoped("no file passes maxBytes, path.1 is the newest, the oldest go", () =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "tasks.log")
      const texts = Array.from({ length: 20 }, (_, index) => `line ${String(index).padStart(2, "0")} é`)
      // A line has 48 bytes: three fit.
      yield* written({ path: file, maxBytes: 159, backupCount: 2 }, texts)
      expect(Buffer.byteLength(linesOf(file)[0]!)).toBe(47)
      expect(messagesOf(`${file}.2`)).toEqual(texts.slice(12, 15))
      expect(messagesOf(`${file}.1`)).toEqual(texts.slice(15, 18))
      expect(messagesOf(file)).toEqual(texts.slice(18))
      expect(exists(`${file}.3`)).toBe(false)
      // The next life goes on where the last one stopped.
      yield* written({ path: file, maxBytes: 159, backupCount: 2 }, ["line 20 é", "line 21 é"])
      expect(messagesOf(`${file}.1`)).toEqual([...texts.slice(18), "line 20 é"])
      expect(messagesOf(file)).toEqual(["line 21 é"])
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.scoped("a line larger than a file has one of its own", () =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "tasks.log")
      const large = "x".repeat(500)
      yield* written({ path: file, maxBytes: 100 }, ["small", large, "last"])
      expect([`${file}.2`, `${file}.1`, file].map(messagesOf)).toEqual([["small"], [large], ["last"]])
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.scoped("maxBytes 0 and backupCount 0 never rotate", () =>
    Effect.gen(function*() {
      const made = yield* folder
      for (const options of [{ maxBytes: 0 }, { maxBytes: 10, backupCount: 0 }]) {
        const file = path.join(made, `${Object.keys(options).length}.log`)
        yield* written({ path: file, ...options }, ["one", "two"])
        expect(messagesOf(file)).toEqual(["one", "two"])
      }
      expect(fs.readdirSync(made)).toHaveLength(2)
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.scoped("what cannot be rotated grows, loses nothing, and is said once", () => {
    const { layer: logger, lines } = collectedLogs()
    return Effect.gen(function*() {
      const file = path.join(yield* folder, "tasks.log")
      // A file cannot take the place of a folder.
      fs.mkdirSync(`${file}.1`)
      fs.writeFileSync(path.join(`${file}.1`, "kept"), "")
      yield* written({ path: file, maxBytes: 60, backupCount: 1 }, ["one", "two", "three"])
      expect(messagesOf(file)).toEqual(["one", "two", "three"])
      expect(lines.filter(({ level }) => level === "Error").map(({ message }) => message)).toEqual([
        expect.stringMatching(/^cannot rotate the log file .*tasks\.log: E.*; it grows, the next try is in a minute$/)
      ])
      expect(yield* TaskObserver.failures(`file:${file}`)).toBe(1)
    }).pipe(Effect.provide(TaskflowTest.layer), Effect.provide(logger))
  })

  it.each([["maxBytes", { maxBytes: -1 }], ["backupCount", { backupCount: 1.5 }]])(
    "refuses a bad %s",
    async (name, bad) => {
      const exit = await Effect.runPromiseExit(
        written({ path: "x.log", ...bad }, []).pipe(Effect.provide(TaskflowTest.layer))
      )
      expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain(`FileObserver: ${name} is`)
    }
  )
})

const logrotate = spawnSync("logrotate", ["--version"]).error === undefined
if (!logrotate) console.warn("FileObserver: no logrotate here, its cases are skipped: apt-get install logrotate")

describe("watched", () => {
  /** An engine with a file that is followed, and a way to say something and see it in a file. */
  const following = (file: string) =>
    Effect.gen(function*() {
      const context = yield* Layer.build(
        Layer.merge(SayHandler, FileObserver.layer({ path: file, mode: "watched", maxBytes: 1 }))
      )
      return (text: string) =>
        Say.execute({ text }).pipe(
          Effect.provide(context),
          Effect.zipRight(until(() => exists(file) && read(file).includes(text)))
        )
    })

  it.scoped("goes on in the new file after a rename, a removal, and a truncation", () =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "tasks.log")
      const say = yield* following(file)
      yield* say("first")
      yield* say("second")
      fs.renameSync(file, `${file}.1`)
      yield* say("third")
      // Larger than the one before it: its size says nothing.
      fs.writeFileSync(`${file}.next`, `${"x".repeat(1_000)}\n`)
      fs.renameSync(`${file}.next`, file)
      yield* say("fourth")
      fs.rmSync(file)
      yield* say("fifth")
      fs.copyFileSync(file, `${file}.2`)
      fs.truncateSync(file)
      yield* say("sixth")
      expect([`${file}.1`, `${file}.2`, file].map(messagesOf)).toEqual([["first", "second"], ["fifth"], ["sixth"]])
      // No hole of zero bytes where the truncated file was.
      expect(read(file)).not.toContain("\u0000")
    }).pipe(Effect.provide(TaskflowTest.layer)))

  for (const way of ["create", "copytruncate"]) {
    it.scoped.skipIf(!logrotate)(`works with logrotate and ${way}`, () =>
      Effect.gen(function*() {
        const made = yield* folder
        const file = path.join(made, "tasks.log")
        const say = yield* following(file)
        // logrotate refuses folders that others may write to, and configurations that are.
        fs.chmodSync(made, 0o755)
        const config = path.join(made, "logrotate.conf")
        fs.writeFileSync(config, `${file} {\n  rotate 3\n  size 1\n  ${way}\n}\n`, { mode: 0o644 })
        const rotate = () =>
          execFileSync("logrotate", ["--force", "--state", path.join(made, "state"), config], { stdio: "pipe" })
        yield* say("first")
        rotate()
        yield* say("second")
        yield* say("third")
        rotate()
        yield* say("fourth")
        expect([`${file}.2`, `${file}.1`, file].map(messagesOf)).toEqual([["first"], ["second", "third"], ["fourth"]])
      }).pipe(Effect.provide(TaskflowTest.layer)))
  }
})

describe("a file that cannot be written", () => {
  const hasFull = exists("/dev/full")

  it.scoped.skipIf(!hasFull)("is said once and survived; what waited is written when there is room again", () => {
    const { layer: logger, lines } = collectedLogs()
    return Effect.gen(function*() {
      const made = yield* folder
      const file = path.join(made, "tasks.log")
      fs.symlinkSync("/dev/full", file)
      // The name of the observer is the path as given.
      const name = `file:${file}`
      const scope = yield* Scope.make()
      const engine = Layer.merge(SayHandler, FileObserver.layer({ path: file, mode: "watched", buffer: 2 }))
      const context = yield* Layer.buildWithScope(engine, scope)
      const say = (text: string) => Effect.provide(Say.execute({ text }), context)
      yield* say("one")
      yield* until(() => lines.some(({ level }) => level === "Error"))
      for (const text of ["two", "three", "four"]) yield* say(text)
      expect(yield* TaskObserver.dropped(name)).toBe(1)
      const manager = yield* TaskManager
      expect((yield* manager.stats()).counts).toMatchObject({ success: 4, failed: 0 })
      fs.rmSync(file)
      yield* TestClock.adjust("1 second")
      yield* until(() => lines.some(({ message }) => message.includes("written again")))
      yield* Scope.close(scope, Exit.void)
      expect(messagesOf(file)).toEqual(["one", "three", "four"])
      const ofObserver = lines.filter(({ message }) => message.includes("tasks.log"))
      expect(ofObserver.map(({ level, message }) => [level, message])).toEqual([
        [
          "Error",
          expect.stringMatching(/^cannot write the log file .*: ENOSPC.*; lines wait, and beyond the buffer are lost$/)
        ],
        ["Warning", expect.stringContaining(`observer ${name} missed events, 1 so far`)],
        ["Info", expect.stringMatching(/^the log file .* is written again, after \d+ failures$/)]
      ])
      expect(yield* TaskObserver.failures(name)).toBeGreaterThan(0)
    }).pipe(Effect.provide(TaskflowTest.layer), Effect.provide(logger))
  })

  it.scoped("at the end of the engine is tried once more at once", () => {
    const { layer: logger, lines } = collectedLogs()
    return Effect.gen(function*() {
      const file = path.join(yield* folder, "tasks.log")
      fs.mkdirSync(file)
      yield* Effect.gen(function*() {
        yield* Say.execute({ text: "one" })
        // By now it waits five seconds between two tries.
        yield* Effect.iterate(0, {
          while: (count) => count < 12,
          body: () =>
            TestClock.adjust("6 seconds").pipe(
              Effect.zipRight(until(() => true)),
              Effect.zipRight(TaskObserver.failures(`file:${file}`))
            )
        })
        fs.rmdirSync(file)
        // Virtual time stands still from here on.
      }).pipe(Effect.provide(Layer.merge(SayHandler, FileObserver.layer({ path: file }))))
      expect(messagesOf(file)).toEqual(["one"])
      expect(lines.filter(({ level }) => level === "Error")).toHaveLength(1)
    }).pipe(Effect.provide(TaskflowTest.layer), Effect.provide(logger))
  })

  it.scoped("at the end of the engine its lines are lost and counted", () => {
    const { layer: logger, lines } = collectedLogs()
    return Effect.gen(function*() {
      const made = yield* folder
      // A folder is where the file should be.
      const file = path.join(made, "tasks.log")
      fs.mkdirSync(file)
      const closing = yield* Effect.fork(written({ path: file }, ["one", "two"]))
      yield* until(() => lines.some(({ level }) => level === "Error"))
      yield* Effect.raceFirst(
        Fiber.join(closing),
        Effect.forever(Effect.zipRight(until(() => true), TestClock.adjust("1 second")))
      )
      expect(yield* TaskObserver.dropped(`file:${file}`)).toBe(2)
      expect(lines.filter(({ level }) => level === "Error").map(({ message }) => message)).toEqual([
        expect.stringMatching(/EISDIR/)
      ])
    }).pipe(Effect.provide(TaskflowTest.layer), Effect.provide(logger))
  })
})

describe("one file, one observer", () => {
  it.scoped("a second one is refused, by whatever name it calls the file; later it may", () =>
    Effect.gen(function*() {
      const made = yield* folder
      fs.symlinkSync(made, `${made}/link`)
      const first = path.join(made, "tasks.log")
      for (const second of [first, path.relative(process.cwd(), first), path.join(made, "link", "tasks.log")]) {
        const both = Layer.merge(FileObserver.layer({ path: first }), FileObserver.layer({ path: second }))
        const exit = yield* Effect.exit(Effect.scoped(Layer.build(both)))
        expect(Exit.isFailure(exit) && Chunk.toReadonlyArray(Cause.defects(exit.cause))).toMatchObject([
          {
            _tag: "TaskflowWiringError",
            message: expect.stringMatching(/^two observers write to .*tasks\.log: give each/)
          }
        ])
      }
      yield* written({ path: first }, ["free again"])
      expect(messagesOf(first)).toEqual(["free again"])
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("logFile of TaskflowLayer", () => {
  it.scoped("writes with the options of FileObserver, up to what the shutdown does to running tasks", () =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "tasks.log")
      const started = yield* Queue.unbounded<string>()
      const Long = Task.make("long")
      const handler = Long.toLayer(() =>
        Effect.zipRight(TaskLog.info("began"), Effect.zipRight(Queue.offer(started, "yes"), Effect.never))
      )
      const engine = TaskflowLayer({ announce: false, shutdownTimeout: 0, logFile: { path: file, lifecycle: true } })
      yield* Effect.zipRight(Long.enqueue(), Queue.take(started)).pipe(
        Effect.provide(handler.pipe(Layer.provideMerge(engine), Layer.provide(MemoryBackend.layer())))
      )
      expect(messagesOf(file)).toEqual(["-- RUNNING", "began", "-- INTERRUPTED"])
    }))
})

describe("a write that stops half-way", () => {
  /** A file of which `allowed` more bytes can be written. */
  const limited = (file: string) =>
    Effect.sync(() => {
      const disk = { allowed: 0 }
      const log = LogFile.make(
        { path: file, mode: "watched", maxBytes: 0, backupCount: 0 },
        () => Effect.void,
        async (name) => {
          const handle = await promises.open(name, "a")
          return new Proxy(handle, {
            get: (target, key) =>
              key === "write"
                ? (bytes: Buffer) => {
                  const some = bytes.subarray(0, disk.allowed)
                  disk.allowed -= some.length
                  return some.length === 0 ? Promise.reject(new Error("no space")) : target.write(some)
                }
                // safe: methods of the handle, called on the handle
                : (typeof target[key as "fd"] === "function" ? target[key as "stat"].bind(target) : target[key as "fd"])
          })
        }
      )
      return { disk, log }
    })

  it.scoped("goes on where it stopped", () =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "tasks.log")
      const { disk, log } = yield* limited(file)
      log.add(["one", "two", "three"])
      disk.allowed = 6
      expect(yield* Effect.flip(log.flush)).toEqual({ code: "", message: "no space" })
      expect([log.pending(), read(file)]).toEqual([2, "one\ntw"])
      disk.allowed = 100
      yield* log.flush
      expect([log.pending(), read(file)]).toEqual([0, "one\ntwo\nthree\n"])
      yield* log.close
    }))

  it.scoped("is written whole into the file that came meanwhile", () =>
    Effect.gen(function*() {
      const made = yield* folder
      for (const way of ["rename", "truncate"]) {
        const file = path.join(made, `${way}.log`)
        const { disk, log } = yield* limited(file)
        log.add(["one", "two"])
        disk.allowed = 6
        yield* Effect.flip(log.flush)
        fs.copyFileSync(file, `${file}.1`)
        if (way === "rename") fs.renameSync(file, `${file}.1`)
        else fs.truncateSync(file)
        disk.allowed = 100
        yield* log.flush
        expect([read(`${file}.1`), read(file)], way).toEqual(["one\ntw", "two\n"])
        yield* log.close
      }
    }))
})

describe("a file beyond maxBytes that is not rotated", () => {
  it.scoped.each([
    { why: "no old files are kept", backupCount: 0 },
    { why: "the rotation failed", backupCount: 1 }
  ])("takes many lines in one write: $why", ({ backupCount }) =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "tasks.log")
      fs.writeFileSync(file, "longer than that\n")
      // In the way of the rotation.
      fs.mkdirSync(`${file}.1`)
      let writes = 0
      const settings = { path: file, mode: "rotate", maxBytes: 10, backupCount } as const
      const log = LogFile.make(settings, () => Effect.void, async (name) => {
        const handle = await promises.open(name, "a")
        const write = handle.write.bind(handle)
        return Object.assign(handle, {
          write: (bytes: Buffer) => {
            writes += 1
            return write(bytes)
          }
        })
      })
      log.add(["one", "two", "three"])
      yield* log.flush
      yield* log.close
      expect([writes, read(file)]).toEqual([1, "longer than that\none\ntwo\nthree\n"])
    }))
})
