import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer, Option, Schema, TestClock, Tracer } from "effect"
import {
  BackgroundTasks,
  MemoryBackend,
  Task,
  TaskBackend,
  TaskBackendError,
  TaskflowLayer,
  type TaskflowOptions,
  TaskManager,
  type TaskRecord
} from "effect-taskflow"
import { SqliteBackend } from "effect-taskflow/sqlite"
import { TaskflowTest } from "effect-taskflow/testing"
import * as TraceText from "../src/internal/traceText.js"
import { collectedLogs, gate, oneOf, sharedBackend } from "./support/engine.js"

class Broken extends Schema.TaggedError<Broken>()("Broken", { code: Schema.Number }) {}

const Mail = Task.make("mail", { payload: { to: Schema.String } })
const Flaky = Task.make("flaky", { error: Broken, retry: { retries: 2, delay: "1 second" } })

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"
const outer = Tracer.externalSpan({ traceId, spanId })

/** A tracer that keeps its spans. */
const recording = () => {
  const spans: Array<Tracer.Span> = []
  let made = 0
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      made += 1
      const attributes = new Map<string, unknown>()
      const span: Tracer.Span & { status: Tracer.SpanStatus } = {
        _tag: "Span",
        name,
        parent,
        context,
        links,
        kind,
        attributes,
        sampled: true,
        spanId: made.toString(16).padStart(16, "0"),
        traceId: Option.match(parent, {
          onNone: () => made.toString(16).padStart(32, "a"),
          onSome: (span) => span.traceId
        }),
        status: { _tag: "Started", startTime },
        end(endTime, exit) {
          this.status = { _tag: "Ended", startTime, endTime, exit }
        },
        attribute: (key, value) => {
          attributes.set(key, value)
        },
        event: () => {},
        addLinks: () => {}
      }
      spans.push(span)
      return span
    },
    context: (run) => run()
  })
  return {
    tracer,
    layer: Layer.setTracer(tracer),
    spans,
    named: (name: string) => spans.filter((span) => span.name === name)
  }
}

const parentOf = (span: Tracer.Span): string | undefined => Option.getOrUndefined(span.parent)?.spanId
const exitOf = (span: Tracer.Span): Exit.Exit<unknown, unknown> | undefined =>
  span.status._tag === "Ended" ? span.status.exit : undefined

const on = (options?: TaskflowOptions) => TaskflowTest.layerWith(options)
const inOuter = Effect.withParentSpan(outer)
const noop = Mail.toLayer(() => Effect.void)

const recordOf = (taskId: string): Effect.Effect<TaskRecord.TaskRecord, never, TaskManager> =>
  Effect.orDie(Effect.flatMap(TaskManager, ({ get }) => get(taskId)))

describe("an enqueue and its attempts", () => {
  it.effect("are a span each, in the trace of whoever enqueued", () => {
    const tracer = recording()
    return Effect.gen(function*() {
      const { taskId } = yield* Mail.enqueue({ to: "ada" }).pipe(Effect.withSpan("request", { parent: outer }))
      yield* TaskflowTest.drain
      const [request] = tracer.named("request")
      const [sent] = tracer.named("task.enqueue mail")
      const [ran] = tracer.named("task.run mail")
      expect(parentOf(sent!)).toBe(request!.spanId)
      expect(parentOf(ran!)).toBe(sent!.spanId)
      expect(new Set([request, sent, ran].map((span) => span!.traceId))).toEqual(new Set([traceId]))
      expect([sent!.kind, ran!.kind]).toEqual(["producer", "consumer"])
      const { instance } = yield* TaskManager
      expect(Object.fromEntries(sent!.attributes)).toEqual({
        "messaging.system": "effect-taskflow",
        "messaging.operation.name": "task.enqueue",
        "messaging.operation.type": "send",
        "messaging.destination.name": "mail",
        "messaging.client.id": instance,
        "messaging.message.id": taskId,
        "taskflow.deduplicated": false
      })
      expect(Object.fromEntries(ran!.attributes)).toEqual({
        "messaging.system": "effect-taskflow",
        "messaging.operation.name": "task.run",
        "messaging.operation.type": "process",
        "messaging.destination.name": "mail",
        "messaging.client.id": instance,
        "messaging.message.id": taskId,
        "taskflow.attempt": 1,
        "taskflow.claim": 1,
        "taskflow.source": "manual",
        "taskflow.outcome": "success"
      })
      expect(exitOf(ran!)).toEqual(Exit.void)
      expect((yield* recordOf(taskId)).trace).toBe(`00-${traceId}-${sent!.spanId}-01`)
    }).pipe(Effect.provide(Layer.provideMerge(noop, on())), Effect.provide(tracer.layer))
  })

  it.effect("that are retried are siblings, each with what became of it", () => {
    const tracer = recording()
    const handler = Flaky.toLayer(() => new Broken({ code: 503 }))
    return Effect.gen(function*() {
      yield* inOuter(Flaky.enqueue())
      yield* TaskflowTest.drain
      const [sent] = tracer.named("task.enqueue flaky")
      const runs = tracer.named("task.run flaky")
      expect(runs.map(parentOf)).toEqual([sent!.spanId, sent!.spanId, sent!.spanId])
      expect(runs.map(({ attributes }) => attributes.get("taskflow.attempt"))).toEqual([1, 2, 3])
      expect(runs.map(({ attributes }) => attributes.get("taskflow.outcome"))).toEqual([
        "retrying",
        "retrying",
        "failed"
      ])
      for (const run of runs) {
        expect(run.attributes.get("error.type")).toBe("Broken")
        expect(Exit.causeOption(exitOf(run)!).pipe(Option.flatMap(Cause.failureOption), Option.getOrThrow))
          .toEqual(new Broken({ code: 503 }))
      }
    }).pipe(Effect.provide(Layer.provideMerge(handler, on())), Effect.provide(tracer.layer))
  })

  it.effect("a timeout is an error, a snooze, a cancel and a defect say what they are", () => {
    const tracer = recording()
    const Slow = Task.make("slow", { timeout: "1 second" })
    const Later = Task.make("later")
    const Endless = Task.make("endless")
    const Odd = Task.make("odd")
    let snoozed = false
    const handlers = Layer.mergeAll(
      Slow.toLayer(() => Effect.never),
      Later.toLayer(() =>
        Effect.suspend(() => {
          if (snoozed) return Effect.void
          snoozed = true
          return Task.snooze("1 minute")
        })
      ),
      Endless.toLayer(() => Effect.never),
      Odd.toLayer(() =>
        Effect.sync(() => {
          throw new TypeError("odd")
        })
      )
    )
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      yield* Slow.enqueue()
      yield* Later.enqueue()
      yield* Odd.enqueue()
      const { taskId } = yield* Endless.enqueue()
      yield* TaskflowTest.awaitStatus(taskId, "running")
      yield* manager.cancel(taskId)
      yield* TaskflowTest.drain
      const told = tracer.spans.filter(({ name }) => name.startsWith("task.run")).map((span) => [
        span.name,
        span.attributes.get("taskflow.outcome"),
        span.attributes.get("error.type"),
        Exit.isSuccess(exitOf(span)!)
      ])
      expect(told.sort()).toEqual([
        ["task.run endless", "cancelled", undefined, true],
        ["task.run later", "snoozed", undefined, true],
        ["task.run later", "success", undefined, true],
        ["task.run odd", "failed", "TypeError", false],
        ["task.run slow", "failed", "TaskTimeout", false]
      ])
    }).pipe(Effect.provide(Layer.provideMerge(handlers, on())), Effect.provide(tracer.layer))
  })

  it.effect("what does not fit its definition is an error of that name, as it is stored", () => {
    const tracer = recording()
    const Before = Task.make("changes", { payload: { a: Schema.String } })
    const After = Task.make("changes", { payload: { b: Schema.String } })
    return Effect.gen(function*() {
      const backend = Layer.succeed(TaskBackend, yield* MemoryBackend.make())
      const engine = Layer.provide(TaskflowLayer({ announce: false, shutdownTimeout: 0 }), backend)
      yield* Effect.provide(Before.enqueue({ a: "zqpayloadqz" }), engine)
      yield* Effect.provide(
        Effect.gen(function*() {
          const { items: [waiting] } = yield* (yield* TaskManager).list()
          yield* Effect.flip(After.awaitResult(waiting!.taskId))
        }),
        Layer.provideMerge(After.toLayer(() => Effect.void), engine)
      )
      const [run] = tracer.named("task.run changes")
      expect(run!.attributes.get("error.type")).toBe("UndecodablePayload")
      const error = Exit.causeOption(exitOf(run!)!).pipe(Option.flatMap(Cause.failureOption), Option.getOrThrow)
      expect((error as Error).name).toBe("UndecodablePayload")
    }).pipe(Effect.provide(tracer.layer))
  })

  it.effect("what the backend refuses for good has failed, whatever the handler made of it", () => {
    const tracer = recording()
    return Effect.gen(function*() {
      const backend = yield* MemoryBackend.make()
      const cause = Object.assign(new Error("too large"), { permanent: true })
      const refusing: TaskBackend["Type"] = {
        ...backend,
        write: (batch) =>
          batch.changes.some((change) => change._tag === "Finish" && change.record.status === "success")
            ? Effect.fail(new TaskBackendError({ method: "write", cause }))
            : backend.write(batch)
      }
      const engine = Layer.provide(TaskflowLayer({ announce: false }), Layer.succeed(TaskBackend, refusing))
      yield* Effect.gen(function*() {
        const { taskId } = yield* Mail.enqueue({ to: "ada" })
        yield* Effect.flip(Mail.awaitResult(taskId))
        expect((yield* recordOf(taskId)).failure!.name).toBe("NotStored")
      }).pipe(Effect.provide(Layer.provideMerge(noop, engine)))
      const [run] = tracer.named("task.run mail")
      expect(run!.attributes.get("taskflow.outcome")).toBe("failed")
      expect(run!.attributes.get("error.type")).toBe("NotStored")
    }).pipe(Effect.provide(tracer.layer))
  })

  it.effect("the handler's own spans are children of the attempt's", () => {
    const tracer = recording()
    const handler = Mail.toLayer(() => Effect.withSpan(Effect.void, "smtp"))
    return Effect.gen(function*() {
      yield* inOuter(Mail.enqueue({ to: "ada" }))
      yield* TaskflowTest.drain
      expect(parentOf(tracer.named("smtp")[0]!)).toBe(tracer.named("task.run mail")[0]!.spanId)
    }).pipe(Effect.provide(Layer.provideMerge(handler, on())), Effect.provide(tracer.layer))
  })

  it.effect("a link instead of a child begins a trace of its own", () => {
    const tracer = recording()
    return Effect.gen(function*() {
      yield* inOuter(Mail.enqueue({ to: "ada" }))
      yield* TaskflowTest.drain
      const [sent] = tracer.named("task.enqueue mail")
      const [ran] = tracer.named("task.run mail")
      expect(parentOf(ran!)).toBeUndefined()
      expect(ran!.traceId).not.toBe(traceId)
      expect(ran!.links.map(({ span }) => [span.traceId, span.spanId])).toEqual([[traceId, sent!.spanId]])
    }).pipe(
      Effect.provide(Layer.provideMerge(noop, on({ tracing: { parent: "link" } }))),
      Effect.provide(tracer.layer)
    )
  })

  it.effect("every way in stores the trace", () => {
    const tracer = recording()
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const background = yield* BackgroundTasks
      const many = yield* inOuter(Mail.enqueueMany([{ to: "ada" }, { to: "grace" }]))
      const one = yield* inOuter(manager.enqueueJson("mail", { to: "ada" }))
      const added = yield* inOuter(background.add(Mail, { to: "ada" }))
      const held = yield* inOuter(manager.holding.enqueue(Mail, { to: "ada" }, {}, () => {}))
      const fleeting = yield* inOuter(Mail.enqueue({ to: "ada" }, { persist: false }))
      const effect = yield* inOuter(manager.run("report", Effect.withSpan(Effect.void, "inside")))
      const ids = [...many, one, added, held, fleeting, effect].map(({ taskId }) => taskId)
      const traces = yield* Effect.forEach(ids, recordOf)
      const read = traces.map(({ trace }) => TraceText.read(trace))
      expect(read.map((trace) => trace?.traceId)).toEqual(ids.map(() => traceId))
      // Of many one span tells.
      expect(read[0]).toEqual(read[1])
      const sent = tracer.named("task.enqueue mail")
      expect(sent).toHaveLength(5)
      expect(sent[0]!.attributes.get("messaging.batch.message_count")).toBe(2)
      yield* manager.awaitResult(effect.taskId)
      expect(parentOf(tracer.named("inside")[0]!)).toBe(tracer.named("task.run report")[0]!.spanId)
      expect(parentOf(tracer.named("task.run report")[0]!)).toBe(tracer.named("task.enqueue report")[0]!.spanId)
    }).pipe(
      Effect.provide(BackgroundTasks.layerEager.pipe(Layer.provideMerge(noop), Layer.provideMerge(on()))),
      Effect.provide(tracer.layer)
    )
  })

  it.effect("a retry by hand is in the trace of who asked, and linked to the one before", () => {
    const tracer = recording()
    const handler = Mail.toLayer(() => Effect.die("no"))
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* inOuter(Mail.enqueue({ to: "ada" }))
      yield* TaskflowTest.drain
      const again = yield* manager.retry(taskId).pipe(Effect.withSpan("operator"))
      const [operator] = tracer.named("operator")
      const [first, second] = tracer.named("task.enqueue mail")
      const trace = TraceText.read((yield* recordOf(again)).trace)
      expect(trace).toMatchObject({ traceId: operator!.traceId, spanId: second!.spanId })
      expect(second!.links.map(({ span }) => span.spanId)).toEqual([first!.spanId])
      expect(second!.attributes.get("messaging.message.id")).toBe(again)
    }).pipe(Effect.provide(Layer.provideMerge(handler, on())), Effect.provide(tracer.layer))
  })
})

describe("whether there are spans", () => {
  const facts = (options: TaskflowOptions, within: boolean) =>
    Effect.gen(function*() {
      const spans: Array<string> = []
      const handler = Mail.toLayer(() =>
        Effect.map(Effect.option(Effect.currentSpan), (span) => {
          spans.push(Option.match(span, { onNone: () => "none", onSome: ({ name }) => name }))
        })
      )
      const trace = yield* Effect.gen(function*() {
        const { taskId } = yield* within ? inOuter(Mail.enqueue({ to: "ada" })) : Mail.enqueue({ to: "ada" })
        yield* TaskflowTest.drain
        return (yield* recordOf(taskId)).trace
      }).pipe(Effect.provide(Layer.provideMerge(handler, on(options))))
      return { trace, spans }
    })

  it.effect("auto: none without a tracer and without a parent", () =>
    Effect.gen(function*() {
      expect(yield* facts({}, false)).toEqual({ trace: null, spans: ["none"] })
    }))

  it.effect("auto: with a parent and no tracer the trace goes on", () =>
    Effect.gen(function*() {
      const { spans, trace } = yield* facts({}, true)
      // Nobody would see a span of the enqueue.
      expect(trace).toBe(`00-${traceId}-${spanId}-01`)
      expect(spans).toEqual(["task.run mail"])
    }))

  it.effect("on: also without either", () =>
    Effect.gen(function*() {
      const { spans, trace } = yield* facts({ tracing: { mode: "on" } }, false)
      expect(TraceText.read(trace)).not.toBeNull()
      expect(spans).toEqual(["task.run mail"])
    }))

  it.effect("off: none with both, and nothing is stored", () => {
    const tracer = recording()
    return Effect.gen(function*() {
      expect(yield* facts({ tracing: { mode: "off" } }, true)).toEqual({ trace: null, spans: ["none"] })
      expect(tracer.spans).toEqual([])
    }).pipe(Effect.provide(tracer.layer))
  })

  it.effect("a handler is never in the span that its layer was built in", () => {
    let seen: Option.Option<Tracer.AnySpan> | undefined
    const handler = Mail.toLayer(() =>
      Effect.map(Effect.option(Effect.currentParentSpan), (span) => {
        seen = span
      })
    )
    const built = Layer.provideMerge(handler, on()).pipe(Layer.withSpan("start-up"))
    return Effect.gen(function*() {
      yield* Mail.enqueue({ to: "ada" })
      yield* TaskflowTest.drain
      expect(seen).toEqual(Option.none())
    }).pipe(Effect.provide(built))
  })

  it.effect("a tracer that throws costs its span, not the task", () => {
    const broken = (when: "span" | "attribute" | "end") => {
      const fine = recording()
      const explode = (): never => {
        throw new Error("broken")
      }
      const tracer = Tracer.make({
        span: (...args) => {
          const span = fine.tracer.span(...args)
          if (!span.name.startsWith("task.run")) return span
          return when === "span" ? explode() : { ...span, [when]: explode }
        },
        context: (run) => run()
      })
      return Effect.gen(function*() {
        const { taskId } = yield* Mail.enqueue({ to: "ada" })
        yield* TaskflowTest.drain
        expect((yield* recordOf(taskId)).status, when).toBe("success")
      }).pipe(Effect.provide(Layer.provideMerge(noop, on())), Effect.provide(Layer.setTracer(tracer)))
    }
    return Effect.forEach(["span", "attribute", "end"] as const, broken)
  })
})

describe("a trace outlives its process", () => {
  const temporary = Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-taskflow-tracing-"))),
    (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
  )

  it.scopedLive("a run after a restart is a child of the enqueue before it", () =>
    Effect.gen(function*() {
      const filename = path.join(yield* temporary, "tasks.db")
      const life = (tracer: ReturnType<typeof recording>) =>
        TaskflowLayer({ announce: false }).pipe(
          Layer.provide(SqliteBackend.layer({ filename })),
          Layer.provide(tracer.layer)
        )
      const before = recording()
      const { taskId } = yield* inOuter(Mail.enqueue({ to: "ada" })).pipe(
        Effect.provide(life(before)),
        Effect.provide(before.layer)
      )
      const after = recording()
      const handler = noop.pipe(Layer.provide(after.layer), Layer.provideMerge(life(after)))
      const ended = yield* Effect.flatMap(TaskManager, (manager) => manager.awaitResult(taskId)).pipe(
        Effect.provide(handler)
      )
      const [sent] = before.named("task.enqueue mail")
      const [ran] = after.named("task.run mail")
      expect([ran!.traceId, parentOf(ran!)]).toEqual([traceId, sent!.spanId])
      expect(ended.trace).toBe(`00-${traceId}-${sent!.spanId}-01`)
    }))

  /** What the second of two instances makes of a task of the first, when the row says `stored`. */
  const elsewhere = (stored: (trace: string | null) => string | null, enqueue = inOuter) =>
    Effect.gen(function*() {
      const tracer = recording()
      const backend = yield* sharedBackend
      const changed = (record: TaskRecord.TaskRecord) => ({ ...record, trace: stored(record.trace) })
      const claim: TaskBackend["Type"]["claim"] = (request) =>
        Effect.map(backend.claim(request), (claimed) => ({
          ...claimed,
          started: claimed.started.map(changed),
          pending: claimed.pending.map(changed)
        }))
      const options = { poll: { min: "10 millis", max: "10 millis" } } as const
      const web = yield* oneOf(backend, Layer.empty, options)
      yield* oneOf({ ...backend, claim }, noop.pipe(Layer.provide(tracer.layer)), options)
      const record = yield* Effect.gen(function*() {
        const { taskId } = yield* enqueue(Mail.enqueue({ to: "ada" }))
        return yield* (yield* TaskManager).awaitResult(taskId)
      }).pipe(Effect.provide(web.context))
      expect(record.status).toBe("success")
      const [ran] = tracer.named("task.run mail")
      return { ran: ran!, trace: record.trace }
    })

  it.scopedLive("a run on another instance is a child too", () =>
    Effect.gen(function*() {
      const { ran, trace } = yield* elsewhere((text) => text)
      expect(ran.traceId).toBe(traceId)
      expect(parentOf(ran)).toBe(TraceText.read(trace)!.spanId)
    }))

  it.scoped("an attempt that ends when its instance was declared dead is lost, whatever it made of itself", () =>
    Effect.gen(function*() {
      const tracer = recording()
      const backend = yield* sharedBackend
      const release = yield* gate
      const waits = Mail.toLayer(() => release.wait).pipe(Layer.provide(tracer.layer))
      const silent = yield* oneOf(backend, waits)
      yield* Effect.provide(Mail.enqueue({ to: "ada" }), silent.context)
      yield* oneOf(backend, Layer.empty)
      yield* TestClock.adjust("1 second")
      yield* silent.cut
      yield* TestClock.adjust("45 seconds")
      yield* silent.mend
      yield* TestClock.adjust("15 seconds")
      const [run] = tracer.named("task.run mail")
      expect(run!.status._tag).toBe("Started")
      yield* release.open
      yield* TestClock.adjust("1 second")
      expect(run!.attributes.get("taskflow.outcome")).toBe("lost")
      expect(exitOf(run!)).toEqual(Exit.void)
    }).pipe(Effect.provide(collectedLogs().layer)))

  it.scopedLive("the state that other systems put into the trace comes along", () =>
    Effect.gen(function*() {
      const { ran } = yield* elsewhere(() => `00-${traceId}-${spanId}-00 rojo=00f067aa0ba902b7,congo=t61rcWkgMzE`)
      const parent = Option.getOrThrow(ran.parent)
      expect([parent.spanId, parent._tag === "ExternalSpan" && parent.sampled]).toEqual([spanId, false])
      // And on to what the handler enqueues.
      expect(TraceText.write(parent)).toBe(`00-${traceId}-${spanId}-00 rojo=00f067aa0ba902b7,congo=t61rcWkgMzE`)
      expect(TraceText.write(ran)).toBe(`00-${traceId}-${ran.spanId}-01 rojo=00f067aa0ba902b7,congo=t61rcWkgMzE`)
    }))

  it.scopedLive("text that is no trace is no parent", () =>
    Effect.gen(function*() {
      for (
        const text of [
          "",
          "gibberish",
          "x".repeat(1_000_000),
          `00-${"0".repeat(32)}-${spanId}-01`,
          `00-${traceId}-${"0".repeat(16)}-01`,
          `00-${traceId.toUpperCase()}-${spanId}-01`,
          `01-${traceId}-${spanId}-01`,
          `00-${traceId}-${spanId}-01\r\nx: y`,
          `00-${traceId}-${spanId}-01 a=${"b".repeat(1_000)}`
        ]
      ) {
        const { ran } = yield* elsewhere(() => text)
        expect([parentOf(ran), ran.links], text.slice(0, 100)).toEqual([undefined, []])
      }
    }))
})

describe("the stored text", () => {
  const withState = (state: string) =>
    Tracer.externalSpan({
      traceId,
      spanId,
      context: Context.make(
        Context.GenericTag<"OtelTraceState", { readonly serialize: () => string }>(
          "@effect/opentelemetry/Tracer/OtelTraceState"
        ),
        { serialize: () => state }
      )
    })
  const parent = `00-${traceId}-${spanId}-01`

  it("is bounded: of a state that is too long the last members go, whole ones", () => {
    const member = (name: string) => `${name}=${"v".repeat(197)}`
    const all = ["aa", "bb", "cc", "dd"].map(member)
    expect(TraceText.write(withState(all.join(",")))).toBe(`${parent} ${all.slice(0, 2).join(",")}`)
    expect(TraceText.write(withState(Array.from({ length: 40 }, (_, index) => `k${index}=v`).join(","))))
      .toBe(`${parent} ${Array.from({ length: 32 }, (_, index) => `k${index}=v`).join(",")}`)
  })

  it("has of a state only what the specification allows", () => {
    expect(TraceText.write(withState("a=1, b@c=2 ,=3,D=4,e=\n,f=\u00e9"))).toBe(`${parent} a=1,b@c=2`)
    expect(TraceText.write(withState("\u0000"))).toBe(parent)
    expect(TraceText.read(`${parent} a=1,\u0000=2`)).toEqual({ traceId, spanId, sampled: true, state: "a=1" })
  })

  it("is none for the span of a disabled tracer", () => {
    expect(TraceText.write(Tracer.externalSpan({ traceId: "noop", spanId: "noop" }))).toBeNull()
  })
})
