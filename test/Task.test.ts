import { describe, expect, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer, Option, Redacted, Schema } from "effect"
import { Task, TaskContext, TaskManager, TaskStopped } from "effect-taskflow"
import { MemoryObserver, TaskflowTest } from "effect-taskflow/testing"
import { collectedLogs, engine } from "./support/engine.js"

class SmtpError extends Schema.TaggedError<SmtpError>()("SmtpError", { code: Schema.Number }) {}

const SendEmail = Task.make("send_email", {
  payload: { address: Schema.String, template: Schema.String.pipe(Schema.optionalWith({ default: () => "welcome" })) },
  success: Schema.Struct({ messageId: Schema.String, at: Schema.Date }),
  error: SmtpError,
  idempotencyKey: (p) => `${p.address}/${p.template}`,
  tags: ({ template }) => ({ template, kind: "mail" })
})

const handled = SendEmail.toLayer(({ address, template }) =>
  address === "bounce"
    ? new SmtpError({ code: 550 })
    : Effect.succeed({ messageId: `${address}:${template}`, at: new Date(7) })
)

const withHandler = handled.pipe(Layer.provideMerge(TaskflowTest.layer))

describe("enqueue", () => {
  it.effect("answers Enqueued once committed, and the first id as Deduplicated for the same key", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const first = yield* SendEmail.enqueue({ address: "a" })
      const second = yield* SendEmail.enqueue({ address: "a", template: "welcome" })
      expect(first._tag).toBe("Enqueued")
      expect(second).toEqual({ _tag: "Deduplicated", taskId: first.taskId })
      expect((yield* manager.list()).items).toHaveLength(1)
    }).pipe(Effect.provide(withHandler)))

  it.effect("a call's options win over the definition's; tags are merged", () =>
    Effect.gen(function*() {
      const { taskId } = yield* SendEmail.enqueue({ address: "a" }, {
        priority: 7,
        idempotencyKey: "mine",
        tags: { kind: "x", user: "u" }
      })
      const record = yield* (yield* TaskManager).get(taskId)
      expect(record.priority).toBe(7)
      expect(record.idempotencyKey).toBe("mine")
      expect(record.tags).toEqual({ template: "welcome", kind: "x", user: "u" })
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("a payload that does not fit is refused with its path, and nothing is enqueued", () =>
    Effect.gen(function*() {
      // @ts-expect-error the payload is wrong on purpose: callers without types meet the same check
      const error = yield* SendEmail.enqueue({ address: 1 }).pipe(Effect.flip)
      expect(error).toMatchObject({ _tag: "TaskArgumentError", task: "send_email", path: "address" })
      expect(error.message).toContain("Expected string, actual 1")
      expect((yield* (yield* TaskManager).list()).items).toEqual([])
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("a payload over the limit is refused with both sizes", () =>
    Effect.gen(function*() {
      const error = yield* SendEmail.enqueue({ address: "x".repeat(2_000) }).pipe(Effect.flip)
      expect(error).toMatchObject({ _tag: "TaskArgumentError", path: "" })
      expect(error.message).toContain("limit is 1000")
    }).pipe(Effect.provide(TaskflowTest.layerWith({ maxPayloadSize: 1_000 }))))

  it.effect("enqueueMany: options by payload, results in order, one bad payload refuses all", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const results = yield* SendEmail.enqueueMany(
        [{ address: "a" }, { address: "b" }, { address: "a" }],
        (payload, index) => ({ tags: { index: `${index}${payload.address}` } })
      )
      expect(results.map(({ _tag }) => _tag)).toEqual(["Enqueued", "Enqueued", "Deduplicated"])
      expect(results[2]!.taskId).toBe(results[0]!.taskId)
      expect((yield* manager.get(results[1]!.taskId)).tags).toMatchObject({ index: "1b" })
      // @ts-expect-error the payload is wrong on purpose
      const error = yield* SendEmail.enqueueMany([{ address: "c" }, { address: null }]).pipe(Effect.flip)
      expect(error).toMatchObject({ _tag: "TaskArgumentError", path: "address" })
      expect((yield* manager.list()).items).toHaveLength(2)
      expect(yield* SendEmail.enqueueMany([])).toEqual([])
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("every spelling of a payload works: none, class, union, brand, the class form of a task", () =>
    Effect.gen(function*() {
      class Order extends Schema.Class<Order>("Order")({ id: Schema.String, at: Schema.optional(Schema.Date) }) {}
      const Nightly = Task.make("nightly")
      const Invoice = Task.make("invoice", { payload: Order, success: Schema.Boolean })
      const Either = Task.make("either", { payload: Schema.Union(Schema.Struct({ a: Schema.Number }), Schema.String) })
      class Resize extends Task.make("resize", {
        payload: { width: Schema.optionalWith(Schema.Number, { default: () => 640 }) }
      }) {}
      const seen: Array<unknown> = []
      const handlers = Layer.mergeAll(
        Nightly.toLayer((payload) => Effect.sync(() => seen.push(payload))),
        Invoice.toLayer((order) => Effect.succeed(order instanceof Order && order.at?.getTime() === 5)),
        Either.toLayer((payload) => Effect.sync(() => seen.push(payload))),
        Resize.toLayer(({ width }) => Effect.sync(() => seen.push(width)))
      )
      yield* Effect.gen(function*() {
        yield* Nightly.execute()
        yield* Either.execute("s")
        yield* Either.execute({ a: 1 })
        yield* Resize.execute({})
        expect(yield* Invoice.execute(new Order({ id: "u", at: new Date(5) }))).toBe(true)
        expect(yield* Invoice.execute({ id: "u", at: new Date(5) } as Order)).toBe(true)
      }).pipe(Effect.provide(handlers))
      expect(seen).toEqual([{}, "s", { a: 1 }, 640])
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("schemas with requirements: enqueue and the handler's layer ask for them", () =>
    Effect.gen(function*() {
      class Key extends Context.Tag("Key")<Key, string>() {}
      const Sealed = Schema.transformOrFail(Schema.String, Schema.String, {
        strict: true,
        decode: (text) => Effect.map(Key, (key) => text.slice(key.length)),
        encode: (text) => Effect.map(Key, (key) => key + text)
      })
      const Secret = Task.make("secret", { payload: { token: Sealed }, success: Schema.String })
      const layer = Secret.toLayer(({ token }) => Effect.succeed(token)).pipe(
        Layer.provideMerge(Layer.succeed(Key, "k:"))
      )
      const { record, result } = yield* Effect.gen(function*() {
        const { taskId } = yield* Secret.enqueue({ token: "t" })
        return { result: yield* Secret.awaitResult(taskId), record: yield* (yield* TaskManager).get(taskId) }
      }).pipe(Effect.provide(layer))
      expect(result).toBe("t")
      expect(record.payload).toBe(`{"token":"k:t"}`)
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("execute", () => {
  it.effect("gives the decoded result, or the task's own typed error", () =>
    Effect.gen(function*() {
      const sent = yield* SendEmail.execute({ address: "a" })
      expect(sent).toEqual({ messageId: "a:welcome", at: new Date(7) })
      const error = yield* SendEmail.execute({ address: "bounce" }).pipe(Effect.flip)
      expect(error).toBeInstanceOf(SmtpError)
      expect(error).toMatchObject({ code: 550 })
    }).pipe(Effect.provide(withHandler)))

  it.effect("what ends without a value of its own is TaskStopped with the reason", () =>
    Effect.gen(function*() {
      const Die = Task.make("die", { timeout: "1 second" })
      const layer = Die.toLayer(() => Effect.dieMessage("broken"))
      const error = yield* Effect.flip(Effect.provide(Die.execute(), layer))
      expect(error).toBeInstanceOf(TaskStopped)
      expect(error).toMatchObject({ reason: "defect", message: expect.stringContaining("broken") })
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("inside a handler it gives its slot back: one slot is enough for a chain of tasks", () =>
    Effect.gen(function*() {
      const Sum = Task.make("sum", { payload: { n: Schema.Number }, success: Schema.Number, concurrency: 1 })
      const layer = Sum.toLayer(({ n }) =>
        n === 0 ? Effect.succeed(0) : Effect.map(Effect.orDie(Sum.execute({ n: n - 1 })), (rest) => rest + n)
      )
      expect(yield* Effect.provide(Sum.execute({ n: 20 }), layer)).toBe(210)
    }).pipe(Effect.provide(engine({ maxConcurrentTasks: 1 }))))

  it.effect("a parent that awaits several children at once has its slot back when all are done", () =>
    Effect.gen(function*() {
      const Child = Task.make("child", { payload: { n: Schema.Number }, success: Schema.Number })
      const Parent = Task.make("parent", { success: Schema.Number })
      const layer = Layer.merge(
        Child.toLayer(({ n }) => Effect.succeed(n)),
        Parent.toLayer(() =>
          Effect.forEach([1, 2, 3, 4], (n) => Effect.orDie(Child.execute({ n })), { concurrency: "unbounded" }).pipe(
            Effect.map((all) => all.reduce((a, b) => a + b))
          )
        )
      )
      const total = Effect.forEach([1, 2, 3], () => Parent.execute(), { concurrency: "unbounded" })
      expect(yield* Effect.provide(total, layer)).toEqual([10, 10, 10])
    }).pipe(Effect.provide(engine({ maxConcurrentTasks: 1 }))))

  it.effect("awaitResult and poll find the value again; another task's id is not found", () =>
    Effect.gen(function*() {
      const Other = Task.make("other", { success: Schema.Number })
      const { taskId } = yield* SendEmail.enqueue({ address: "a" }, { delay: "1 minute" })
      expect(yield* SendEmail.poll(taskId)).toEqual(Option.none())
      yield* TaskflowTest.drain
      expect(yield* SendEmail.poll(taskId)).toEqual(Option.some({ messageId: "a:welcome", at: new Date(7) }))
      expect((yield* SendEmail.awaitResult(taskId)).messageId).toBe("a:welcome")
      expect(yield* Effect.flip(Other.awaitResult(taskId))).toMatchObject({ _tag: "TaskNotFound" })
      expect(yield* Effect.flip(SendEmail.poll("nonsense"))).toMatchObject({ _tag: "TaskNotFound", taskId: "nonsense" })
    }).pipe(Effect.provide(withHandler)))
})

describe("results", () => {
  it.effect("without a success schema nothing is stored, whatever the handler returns", () =>
    Effect.gen(function*() {
      const Quiet = Task.make("quiet")
      // An Effect<bigint> passes where an Effect<void> is asked for.
      const layer = Quiet.toLayer(() => Effect.succeed(10n as unknown as void))
      const { taskId } = yield* Effect.provide(
        Effect.tap(Quiet.enqueue(), ({ taskId }) => Quiet.awaitResult(taskId)),
        layer
      )
      expect(yield* (yield* TaskManager).get(taskId)).toMatchObject({ status: "success", result: null })
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("a result that does not fit fails the attempt and names the path", () =>
    Effect.gen(function*() {
      const Typed = Task.make("typed", { success: Schema.Struct({ n: Schema.Number }) })
      const layer = Typed.toLayer(() => Effect.succeed({ n: Number.NaN }))
      const error = yield* Effect.flip(Effect.provide(Typed.execute(), layer))
      expect(error).toMatchObject({ reason: "defect", message: expect.stringMatching(/success schema at n: NaN/) })
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("definitions", () => {
  it("a schema that JSON would change is refused with the path", () => {
    const define = () =>
      Task.make("bad", { payload: { a: Schema.Array(Schema.Struct({ b: Schema.Uint8ArrayFromSelf })) } })
    expect(define).toThrow(/payload\.a\[\]\.b: Declaration \(Uint8ArrayFromSelf\)/)
    expect(() => Task.make("bad", { success: Schema.BigIntFromSelf })).toThrow(/success/)
    expect(() =>
      Task.make("bad", {
        error: Schema.Struct({ m: Schema.ReadonlyMapFromSelf({ key: Schema.String, value: Schema.String }) })
      })
    )
      .toThrow(/error\.m/)
  })

  it("requeueOnInterrupt defaults to true exactly when retry is given", () => {
    expect(Task.make("a").definition.requeueOnInterrupt).toBe(false)
    expect(Task.make("b", { retry: { retries: 1 } }).definition.requeueOnInterrupt).toBe(true)
    expect(Task.make("c", { retry: { retries: 1 }, requeueOnInterrupt: false }).definition.requeueOnInterrupt).toBe(
      false
    )
  })

  it.effect("a bare number as delay is warned about when the handler's layer is built", () => {
    const logs = collectedLogs()
    const Hammer = Task.make("hammer", { retry: { retries: 1, delay: 1 } })
    return Effect.gen(function*() {
      yield* Effect.provide(Effect.void, Hammer.toLayer(() => Effect.void))
      expect(logs.lines).toContainEqual(
        expect.objectContaining({ level: "Warning", message: expect.stringContaining("bare number 1, which is 1 ms") })
      )
    }).pipe(Effect.provide(TaskflowTest.layer), Effect.provide(logs.layer))
  })

  it.effect("a redacted path is never shown by an argument error", () =>
    Effect.gen(function*() {
      const Login = Task.make("login", {
        payload: { user: Schema.String, password: Schema.Redacted(Schema.String.pipe(Schema.minLength(20))) }
      })
      const error = yield* Effect.flip(Login.enqueue({ user: "u", password: Redacted.make("hunter2") }))
      expect(error).toMatchObject({ _tag: "TaskArgumentError", path: "password" })
      expect(Cause.pretty(Cause.fail(error)) + JSON.stringify(error)).not.toContain("hunter2")
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("unrecoverable", () => {
  const Charge = Task.make("charge", { error: SmtpError, retry: { retries: 5 } })

  it.effect("ends the retries with the same typed error", () =>
    Effect.gen(function*() {
      let runs = 0
      const layer = Charge.toLayer(() =>
        Effect.gen(function*() {
          runs += 1
          return yield* Task.unrecoverable(new SmtpError({ code: 550 }))
        })
      )
      expect(yield* Effect.flip(Effect.provide(Charge.execute(), layer))).toMatchObject({ code: 550 })
      expect(runs).toBe(1)
      const { items: [record] } = yield* (yield* TaskManager).list()
      expect(record).toMatchObject({ status: "failed", stopReason: "unrecoverable" })
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("marks that one error: another failure of the attempt is retried", () =>
    Effect.gen(function*() {
      let runs = 0
      const layer = Charge.toLayer(() =>
        Effect.gen(function*() {
          runs += 1
          yield* Effect.ignore(Task.unrecoverable(new SmtpError({ code: 1 })))
          return yield* new SmtpError({ code: 1 })
        })
      )
      yield* Effect.flip(Effect.provide(Charge.execute(), layer))
      expect(runs).toBe(6)
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("snooze", () => {
  it.effect("runs again after the time, consumes no retry, and neither retry nor catchAll sees it", () =>
    Effect.gen(function*() {
      let runs = 0
      let caught = 0
      const Poll = Task.make("poll", { success: Schema.Number })
      const layer = Poll.toLayer(() =>
        Effect.gen(function*() {
          runs += 1
          if (runs < 4) yield* Task.snooze("1 minute")
          return (yield* TaskContext.current).attempt
        }).pipe(
          Effect.catchAll(() => Effect.sync(() => caught += 1)),
          Effect.retry({ times: 3 }),
          Effect.uninterruptible
        )
      )
      yield* Effect.gen(function*() {
        const observer = yield* MemoryObserver.make({ lifecycle: "all" })
        const { taskId } = yield* Poll.enqueue()
        yield* TaskflowTest.drain
        expect(yield* Poll.awaitResult(taskId)).toBe(0)
        const record = yield* (yield* TaskManager).get(taskId)
        expect(record).toMatchObject({ attempts: 4, failures: 0, status: "success" })
        expect(record.endedAt! - record.startedAt!).toBe(180_000)
        expect((yield* observer.lifecycleEvents).at(-1)).toMatchObject({ status: "success", retriesUsed: 0 })
      }).pipe(Effect.scoped, Effect.provide(layer))
      expect({ runs, caught }).toEqual({ runs: 4, caught: 0 })
    }).pipe(Effect.provide(TaskflowTest.layer)))
})

describe("fromPromise", () => {
  it.effect("a rejection of a plain function is a defect; with catch it is the typed error", () =>
    Effect.gen(function*() {
      const Plain = Task.make("plain", { payload: { n: Schema.Number }, success: Schema.Number })
      const Typed = Task.make("typed", { error: SmtpError })
      const layer = Layer.merge(
        Plain.toLayer(Task.fromPromise(async ({ n }) => {
          if (n === 0) throw new RangeError("zero")
          return n + 1
        })),
        Typed.toLayer(
          Task.fromPromise({ try: () => Promise.reject(new Error("x")), catch: () => new SmtpError({ code: 9 }) })
        )
      )
      yield* Effect.gen(function*() {
        expect(yield* Plain.execute({ n: 1 })).toBe(2)
        expect(yield* Effect.flip(Plain.execute({ n: 0 }))).toMatchObject({
          reason: "defect",
          message: expect.stringContaining("zero")
        })
        expect(yield* Effect.flip(Typed.execute())).toMatchObject({ _tag: "SmtpError", code: 9 })
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layer)))

  it.effect("its signal aborts on cancel, and so does TaskContext's", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const reasons: Array<unknown> = []
      const Hang = Task.make("hang")
      const layer = Hang.toLayer(() =>
        Effect.flatMap(TaskContext.current, ({ signal: own }) =>
          Task.fromPromise((_: void, signal) =>
            new Promise<void>(() => {
              signal.addEventListener("abort", () =>
                reasons.push("promise"))
              own.addEventListener("abort", () => reasons.push(own.reason))
            })
          )(undefined))
      )
      yield* Effect.gen(function*() {
        const { taskId } = yield* Hang.enqueue()
        yield* TaskflowTest.awaitStatus(taskId, "running")
        yield* Effect.yieldNow()
        const exit = yield* Effect.zipRight(manager.cancel(taskId), Effect.exit(Hang.awaitResult(taskId)))
        expect(Exit.isFailure(exit)).toBe(true)
        expect(reasons.sort()).toEqual(["cancel", "promise"])
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layer)))
})
