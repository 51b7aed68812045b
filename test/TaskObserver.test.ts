import { describe, expect, it } from "@effect/vitest"
import {
  Cause,
  Chunk,
  Context,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Metric,
  Queue,
  Schema,
  Scope,
  Stream,
  TestClock
} from "effect"
import { Task, TaskLog, TaskManager, TaskObserver } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { collectedLogs, engine, gate } from "./support/engine.js"

class Flaky extends Schema.TaggedError<Flaky>()("Flaky", { run: Schema.Number }) {
  override get message() {
    return `run ${this.run}`
  }
}

const Quiet = Task.make("quiet")
const QuietHandler = Quiet.toLayer(() => Effect.void)

const Noisy = Task.make("noisy", { payload: { text: Schema.String } })
const NoisyHandler = Noisy.toLayer(({ text }) => TaskLog.info(text))

type Facts = TaskObserver.ObservedEvent

/** An observer that hands everything on, and the events it was told. */
const told = (options: Omit<TaskObserver.ObserverOptions, "name"> = {}) =>
  Effect.map(Queue.unbounded<Facts>(), (queue) => ({
    queue,
    take: (count: number) => Effect.map(Queue.takeN(queue, count), Chunk.toReadonlyArray),
    layer: TaskObserver.make({
      name: "told",
      ...options,
      run: (events) => Stream.runForEach(events, (event) => Queue.offer(queue, event))
    })
  }))

const words = (events: ReadonlyArray<Facts>) =>
  events.map((event) => event._tag === "LogEvent" ? event.message : event.status)

describe("TaskObserver.make", () => {
  it.effect("tells every fact of log lines and steps", () =>
    Effect.gen(function*() {
      const observer = yield* told({ lifecycle: "all" })
      let run = 0
      const Mail = Task.make("mail", {
        payload: { address: Schema.String },
        error: Flaky,
        retry: { retries: 2, delay: "1 second" },
        tags: { team: "growth" }
      })
      const handler = Mail.toLayer(({ address }) =>
        Effect.gen(function*() {
          run += 1
          yield* TaskLog.warning(`mail to ${address}`, { run })
          yield* TestClock.adjust("250 millis")
          if (run < 2) return yield* new Flaky({ run })
        })
      )
      yield* Effect.gen(function*() {
        const { taskId } = yield* Mail.enqueue({ address: "ada" })
        yield* TaskflowTest.drain
        const common = { taskId, taskName: "mail", tags: { team: "growth" } }
        const at = (millis: number) => ({ timestamp: new Date(millis) })
        const step = { _tag: "LifecycleEvent", ...common, duration: null, error: null, stacktrace: null }
        const line = { _tag: "LogEvent", ...common, level: "warning", message: "mail to ada" }
        expect(yield* observer.take(7)).toEqual([
          { ...step, status: "pending", ...at(0), attempt: 0, retriesUsed: 0 },
          { ...step, status: "running", ...at(0), attempt: 0, retriesUsed: 0 },
          { ...line, ...at(0), attempt: 0, extra: { run: 1 } },
          {
            ...step,
            status: "retrying",
            ...at(250),
            attempt: 0,
            retriesUsed: 1,
            error: "run 1",
            stacktrace: expect.stringContaining("Flaky: run 1")
          },
          { ...line, message: "--- Retry 1 ---", level: "info", ...at(1_250), attempt: 1, extra: {} },
          { ...line, ...at(1_250), attempt: 1, extra: { run: 2 } },
          { ...step, status: "success", ...at(1_500), attempt: 1, retriesUsed: 1, duration: 1_500 }
        ])
      }).pipe(Effect.provide(Layer.merge(handler, observer.layer)))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("by default a plain run is running, success; without steps only lines", () =>
    Effect.gen(function*() {
      const steps = yield* told()
      const lines = yield* told({ lifecycle: false })
      yield* Noisy.execute({ text: "hello" }).pipe(
        Effect.provide(Layer.mergeAll(NoisyHandler, steps.layer, lines.layer))
      )
      expect(words(yield* steps.take(3))).toEqual(["running", "hello", "success"])
      expect(words(Chunk.toReadonlyArray(yield* Queue.takeAll(lines.queue)))).toEqual(["hello"])
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("minLevel is for lines and, by their severity, for steps", () =>
    Effect.gen(function*() {
      const Levels = Task.make("levels", { error: Flaky, retry: { retries: 1, delay: "1 second" } })
      const handler = Levels.toLayer(() =>
        Effect.all([TaskLog.debug("d"), TaskLog.info("i"), TaskLog.warning("w"), TaskLog.error("e")]).pipe(
          Effect.zipRight(new Flaky({ run: 1 }))
        )
      )
      const seen = (minLevel: TaskObserver.ObserverOptions["minLevel"]) =>
        Effect.gen(function*() {
          const observer = yield* told({ minLevel, lifecycle: "all" })
          yield* Effect.zipRight(Levels.enqueue(), TaskflowTest.drain).pipe(
            Effect.provide(Layer.merge(handler, observer.layer))
          )
          return words(Chunk.toReadonlyArray(yield* Queue.takeAll(observer.queue)))
        })
      const all = [
        "pending",
        "running",
        "d",
        "i",
        "w",
        "e",
        "retrying",
        "--- Retry 1 ---",
        "d",
        "i",
        "w",
        "e",
        "failed"
      ]
      expect(yield* seen("debug")).toEqual(all)
      expect(yield* seen(undefined)).toEqual(all.filter((word) => word !== "d"))
      expect(yield* seen("warning")).toEqual(["w", "e", "retrying", "w", "e", "failed"])
      expect(yield* seen("error")).toEqual(["e", "e", "failed"])
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("tells of a task that is cancelled while it waits, and of one that is cut short", () =>
    Effect.gen(function*() {
      const observer = yield* told({ lifecycle: "all" })
      const Long = Task.make("long", { requeueOnInterrupt: true })
      yield* Effect.gen(function*() {
        const { taskId } = yield* Quiet.enqueue(undefined, { delay: "1 hour" })
        yield* (yield* TaskManager).cancel(taskId)
        expect(yield* observer.take(2)).toMatchObject([
          { taskId, status: "pending" },
          { taskId, status: "cancelled", duration: null }
        ])
        yield* Long.enqueue().pipe(
          Effect.zipRight(observer.take(2)),
          Effect.provide(Long.toLayer(() => Effect.never))
        )
        expect(words(yield* observer.take(1))).toEqual(["requeued"])
      }).pipe(Effect.provide(Layer.merge(QuietHandler, observer.layer)))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("a run that fails is counted, logged, and started again with what came meanwhile", () => {
    const { layer: logger, lines } = collectedLogs()
    return Effect.gen(function*() {
      const seen = yield* Queue.unbounded<string>()
      const closed: Array<string> = []
      let runs = 0
      const observer = TaskObserver.make({
        name: "restarted",
        lifecycle: false,
        run: (events) =>
          Effect.zipRight(
            Effect.addFinalizer(() => Effect.sync(() => closed.push(`run ${runs}`))),
            Effect.suspend(() => {
              runs += 1
              return Stream.runForEach(events, (event) => {
                const [word] = words([event])
                return word === "bad" ? Effect.fail("bad event") : Queue.offer(seen, `${runs}: ${word}`)
              })
            })
          )
      })
      yield* Effect.gen(function*() {
        for (const text of ["one", "bad", "two"]) yield* Noisy.execute({ text })
        expect(yield* Queue.take(seen)).toBe("1: one")
        // Not at once.
        yield* TestClock.adjust("30 millis")
        expect(runs).toBe(1)
        yield* TestClock.adjust("30 millis")
        expect(yield* Queue.take(seen)).toBe("2: two")
        for (const text of ["bad", "three"]) yield* Noisy.execute({ text })
        yield* TestClock.adjust("200 millis")
        expect(yield* Queue.take(seen)).toBe("3: three")
        expect(closed).toEqual(["run 1", "run 2"])
        expect(yield* TaskObserver.failures("restarted")).toBe(2)
        expect(yield* TaskObserver.dropped("restarted")).toBe(0)
      }).pipe(Effect.provide(Layer.merge(NoisyHandler, observer)))
      // Said once in a minute.
      expect(lines.filter(({ level }) => level === "Error")).toMatchObject([
        { level: "Error", message: "observer restarted failed (1 so far)" }
      ])
    }).pipe(Effect.provide(TaskflowTest.layer), Effect.provide(logger))
  })

  it.effect("a run that throws instead of failing is started again too", () =>
    Effect.gen(function*() {
      const seen = yield* Queue.unbounded<string>()
      let runs = 0
      const observer = TaskObserver.make({
        name: "thrower",
        run: (events) => {
          runs += 1
          if (runs === 1) throw new Error("not yet")
          return Stream.runForEach(events, (event) => Queue.offerAll(seen, words([event])))
        }
      })
      yield* Effect.gen(function*() {
        yield* Quiet.execute()
        yield* TestClock.adjust("60 millis")
        expect(Chunk.toReadonlyArray(yield* Queue.takeN(seen, 2))).toEqual(["running", "success"])
      }).pipe(Effect.provide(Layer.merge(QuietHandler, observer)), Effect.provide(collectedLogs().layer))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("a run that returns ends its observer, and no other", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const once = TaskObserver.make({
        name: "once",
        run: (events) =>
          Stream.runForEach(Stream.take(events, 1), (event) => Effect.sync(() => seen.push(...words([event]))))
      })
      const observer = yield* told()
      yield* Effect.gen(function*() {
        yield* Quiet.execute()
        yield* Quiet.execute()
        expect(words(yield* observer.take(4))).toEqual(["running", "success", "running", "success"])
      }).pipe(Effect.provide(Layer.mergeAll(QuietHandler, once, observer.layer)))
      expect(seen).toEqual(["running"])
      expect(yield* TaskObserver.dropped("once")).toBe(0)
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("one that hangs delays no task and no other observer; what it misses is counted and said", () => {
    const { layer: logger, lines } = collectedLogs()
    return Effect.gen(function*() {
      const stuck = TaskObserver.make({
        name: "stuck",
        buffer: 10,
        run: (events) => Stream.runForEach(events, () => Effect.never)
      })
      const observer = yield* told()
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.mergeAll(QuietHandler, stuck, observer.layer), scope)
      // Virtual time stands still: nothing of this can have waited.
      yield* Effect.forEach(Array.from({ length: 50 }), () => Quiet.execute()).pipe(Effect.provide(context))
      expect(yield* observer.take(100)).toHaveLength(100)
      // One is in its hands, ten wait.
      expect(yield* TaskObserver.dropped("stuck")).toBe(89)
      const counter = Metric.counter("taskflow_observer_dropped_total", {
        description: "Events an observer missed: it was slow, or could not use them.",
        incremental: true
      })
      expect(yield* Metric.value(Metric.tagged(counter, "observer", "stuck"))).toMatchObject({ count: 89 })
      // It may not hold up a shutdown either.
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("4 seconds")
      expect(yield* Fiber.poll(closing)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      expect(yield* TaskObserver.dropped("stuck")).toBe(99)
      expect(lines.map(({ level, message }) => [level, message])).toEqual([
        ["Warning", "observer stuck missed events, 1 so far: it is slow or could not use them, and at most 10 wait"],
        ["Warning", "observer stuck did not end in 5 seconds, with 10 events not taken"]
      ])
    }).pipe(Effect.provide(TaskflowTest.layer), Effect.provide(logger))
  })

  it.effect("hears of what a shutdown does to running tasks, beside the handlers or around them", () =>
    Effect.gen(function*() {
      const Long = Task.make("long")
      const stopped = (
        place: (
          handler: Layer.Layer<never, never, TaskManager>,
          observer: Layer.Layer<never, never, TaskManager>
        ) => Layer.Layer<never, never, TaskManager>
      ) =>
        Effect.gen(function*() {
          const observer = yield* told()
          const started = yield* Deferred.make<void>()
          const handler = Layer.discard(
            Long.toLayer(() => Effect.zipRight(Deferred.succeed(started, undefined), Effect.never))
          )
          yield* Long.enqueue().pipe(
            Effect.zipRight(Deferred.await(started)),
            Effect.provide(place(handler, observer.layer).pipe(Layer.provideMerge(engine())))
          )
          return words(Chunk.toReadonlyArray(yield* Queue.takeAll(observer.queue)))
        })
      expect(yield* stopped((handler, observer) => Layer.mergeAll(handler, observer))).toEqual([
        "running",
        "interrupted"
      ])
      expect(yield* stopped((handler, observer) => Layer.mergeAll(observer, Layer.mergeAll(Layer.empty, handler))))
        .toEqual([
          "running",
          "interrupted"
        ])
      expect(yield* stopped((handler, observer) => handler.pipe(Layer.provideMerge(observer)))).toEqual([
        "running",
        "interrupted"
      ])
    }))

  it.effect("waits for what may finish during a shutdown", () =>
    Effect.gen(function*() {
      const observer = yield* told()
      const started = yield* Deferred.make<void>()
      const Slow = Task.make("slow")
      const handler = Slow.toLayer(() =>
        Effect.zipRight(Deferred.succeed(started, undefined), Effect.sleep("5 seconds"))
      )
      const run = yield* Effect.fork(
        Effect.zipRight(Slow.enqueue(), Deferred.await(started)).pipe(
          Effect.provide(
            Layer.merge(handler, observer.layer).pipe(Layer.provideMerge(engine({ shutdownTimeout: "10 seconds" })))
          )
        )
      )
      yield* Deferred.await(started)
      // Until the scope is closing, in a turn of the event loop of its own.
      yield* Effect.iterate(0, {
        while: (turns) => turns < 20,
        body: (turns) => Effect.async<number>((resume) => void setImmediate(() => resume(Effect.succeed(turns + 1))))
      })
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(run)
      expect(words(Chunk.toReadonlyArray(yield* Queue.takeAll(observer.queue)))).toEqual(["running", "success"])
    }))

  it.effect("refuses a buffer of nothing", () =>
    Effect.gen(function*() {
      const layer = TaskObserver.make({ name: "x", buffer: 0, run: Stream.runDrain })
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(layer)))
      expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain(
        "RangeError: observer x: buffer is 0: a whole number from 1"
      )
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("TaskObserver.callbacks", () => {
  it.effect("calls the four hooks in the order of events, with the services of its layer", () =>
    Effect.gen(function*() {
      class Chat extends Context.Tag("Chat")<Chat, { readonly say: (text: string) => Effect.Effect<void> }>() {}
      const said: Array<string> = []
      const chat = Layer.scoped(
        Chat,
        Effect.acquireRelease(
          Effect.succeed({ say: (text: string) => Effect.sync(() => said.push(text)) }),
          () => Effect.sync(() => said.push("chat is closed"))
        )
      )
      const observer = TaskObserver.callbacks({
        name: "four",
        startup: Effect.flatMap(Chat, ({ say }) => say("startup")),
        onLog: ({ message }) => Effect.flatMap(Chat, ({ say }) => say(message)),
        onLifecycle: ({ status }) => Effect.flatMap(Chat, ({ say }) => say(status)),
        close: Effect.flatMap(Chat, ({ say }) => say("close"))
      })
      yield* Noisy.execute({ text: "hello" }).pipe(
        Effect.provide(Layer.merge(NoisyHandler, Layer.provide(observer, chat)))
      )
      expect(said).toEqual(["startup", "running", "hello", "success", "close", "chat is closed"])
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("one that throws or fails is counted and logged, and the next event follows", () => {
    const { layer: logger, lines } = collectedLogs()
    return Effect.gen(function*() {
      const seen: Array<string> = []
      const observer = TaskObserver.callbacks({
        name: "throwing",
        onLog: ({ message }) => {
          seen.push(message)
          if (message === "throw") throw new Error("thrown")
          return message === "fail" ? Effect.fail("failed") : Effect.void
        }
      })
      yield* Effect.forEach(["throw", "fail", "fine"], (text) => Noisy.execute({ text })).pipe(
        Effect.provide(Layer.merge(NoisyHandler, observer))
      )
      expect(seen).toEqual(["throw", "fail", "fine"])
      expect(yield* TaskObserver.failures("throwing")).toBe(2)
      expect(lines.filter(({ level }) => level === "Error").map(({ message }) => message)).toEqual([
        "observer throwing failed (1 so far)"
      ])
    }).pipe(Effect.provide(TaskflowTest.layer), Effect.provide(logger))
  })

  it.effect("startup is tried again until it succeeds once; events wait for it", () =>
    Effect.gen(function*() {
      const seen = yield* Queue.unbounded<string>()
      let starts = 0
      const observer = TaskObserver.callbacks({
        name: "late",
        startup: Effect.suspend(() => (starts += 1) < 3 ? Effect.fail("not yet") : Effect.void),
        onLifecycle: ({ status }) => Queue.offer(seen, status)
      })
      yield* Effect.gen(function*() {
        yield* Quiet.execute()
        yield* TestClock.adjust("60 millis")
        expect([starts, yield* Queue.size(seen)]).toEqual([2, 0])
        yield* TestClock.adjust("200 millis")
        expect(Chunk.toReadonlyArray(yield* Queue.takeN(seen, 2))).toEqual(["running", "success"])
        expect(starts).toBe(3)
      }).pipe(Effect.provide(Layer.merge(QuietHandler, observer)), Effect.provide(collectedLogs().layer))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("without onLifecycle no step is waited for, without onLog no line", () =>
    Effect.gen(function*() {
      const { open, wait } = yield* gate
      const observer = TaskObserver.callbacks({
        name: "steps",
        buffer: 2,
        startup: wait,
        onLifecycle: () => Effect.void
      })
      const lines = TaskObserver.callbacks({ name: "lines", buffer: 1, startup: wait, onLog: () => Effect.void })
      yield* Effect.gen(function*() {
        yield* Noisy.execute({ text: "hello" })
        yield* open
      }).pipe(Effect.provide(Layer.mergeAll(NoisyHandler, observer, lines)))
      expect([yield* TaskObserver.dropped("steps"), yield* TaskObserver.dropped("lines")]).toEqual([0, 0])
    }).pipe(Effect.provide(TaskflowTest.layer)))
})
