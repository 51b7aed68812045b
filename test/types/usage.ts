/**
 * The public surface as applications use it. Compiled with the tests, never run: what stands here must compile, and `is`
 * says of what type it is.
 */
import {
  type HttpApp,
  HttpLayerRouter,
  type HttpServer,
  type HttpServerRequest,
  HttpServerResponse
} from "@effect/platform"
import { Context, Effect, Layer, Option, Redacted, Schedule, Schema, type Scope } from "effect"
import {
  BackgroundTasks,
  type EnqueueError,
  type EnqueueResult,
  MemoryBackend,
  Task,
  type TaskArgumentError,
  type TaskBackendError,
  TaskContext,
  type TaskDefect,
  TaskflowLayer,
  type TaskHoldLimit,
  TaskManager,
  type TaskNotFound,
  TaskSchedule,
  type TaskScheduleError,
  type TaskScheduleInfo,
  type TaskStopped,
  type TaskTimeout
} from "effect-taskflow"
import { type Bounced, Charge, Either, Invoice, Nightly, Order, Resize, SendEmail, SmtpError, UserId } from "./tasks.js"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const is = <_ extends true>() => {}

class Smtp extends Context.Tag("Smtp")<Smtp, {
  readonly send: (to: string, template: string) => Effect.Effect<{ readonly messageId: string }, SmtpError>
}>() {}
const SmtpLive = Layer.succeed(Smtp, { send: () => Effect.succeed({ messageId: "m" }) })

// A handler: services, context, unrecoverable, snooze in one. What it requires appears on the layer, once.
export const SendEmailHandler = SendEmail.toLayer(({ address, template }) =>
  Effect.gen(function*() {
    const { attempt } = yield* TaskContext.current
    if (attempt > 2) yield* Task.snooze("1 minute")
    if (address === "") return yield* Task.unrecoverable(new SmtpError({ code: 550 }))
    return yield* (yield* Smtp).send(address, template)
  })
)
is<Equal<typeof SendEmailHandler, Layer.Layer<Task.Handler<"send_email">, never, TaskManager | Smtp>>>()

// A handler's own scope is closed by the engine, so it is not asked of main.
export const Scoped = Nightly.toLayer(() => Effect.acquireRelease(Effect.void, () => Effect.void))
is<Equal<typeof Scoped, Layer.Layer<Task.Handler<"nightly_report">, never, TaskManager>>>()

// Enqueueing requires TaskManager alone; what it gives and fails with is exact.
export const enqueued = SendEmail.enqueue({ address: "a", template: "b" }, { idempotencyKey: "k", tags: { a: "1" } })
is<Equal<typeof enqueued, Effect.Effect<EnqueueResult, EnqueueError, TaskManager>>>()
is<Equal<EnqueueResult["_tag"], "Enqueued" | "Deduplicated">>()

// Execute: the task's own error, what stopped it, what refused it. Nothing else.
const executed = SendEmail.execute({ address: "a", template: "b" })
is<Equal<Effect.Effect.Error<typeof executed>, SmtpError | TaskStopped | EnqueueError>>()
is<Equal<Effect.Effect.Success<typeof executed>, { readonly messageId: string }>>()
is<Equal<Effect.Effect.Context<typeof executed>, TaskManager>>()
is<Equal<Effect.Effect.Error<ReturnType<typeof SendEmail.execute>>, SmtpError | TaskStopped | EnqueueError>>()
export const night = Nightly.execute()
is<Equal<typeof night, Effect.Effect<void, TaskStopped | EnqueueError, TaskManager>>>()

// The typed way back by id.
export const awaited = SendEmail.awaitResult("id")
is<Equal<Effect.Effect.Error<typeof awaited>, SmtpError | TaskStopped | TaskNotFound | TaskBackendError>>()
is<Equal<Effect.Effect.Success<typeof awaited>, { readonly messageId: string }>>()
export const polled = Invoice.poll("id")
is<Equal<Effect.Effect.Success<typeof polled>, Option.Option<number>>>()

// What can be taken out of a definition.
is<Equal<Task.Error<typeof Resize>, SmtpError | Bounced>>()
is<Equal<Task.Payload<typeof SendEmail>, { readonly address: string; readonly template: string }>>()
is<Equal<Task.Success<typeof SendEmail>, { readonly messageId: string }>>()
is<Equal<Task.Success<typeof Nightly>, void>>()
is<Equal<Task.Error<typeof Nightly>, never>>()
is<Equal<Task.Input<typeof Nightly>, void>>()
is<Equal<Task.Payload<typeof Invoice>, Order>>()
is<Equal<Task.Input<typeof Either>, { readonly a: number } | string>>()
is<Equal<Task.Payload<typeof Resize>["width"], number>>()
is<Equal<Task.Input<typeof Resize>["width"], number | undefined>>()
is<Equal<(typeof SendEmail)["_tag"], "send_email">>()
is<Equal<(typeof Resize)["_tag"], "resize">>()

// No payload, defaults, optional fields, a class, a brand, a union.
export const inputs = Effect.all([
  Nightly.enqueue(),
  Nightly.enqueue(undefined, { priority: 2 }),
  Resize.enqueue({ image: "x" }),
  Resize.enqueue({ image: "x", width: 3, note: undefined }),
  Invoice.enqueue(new Order({ id: UserId.make("u"), total: 1 })),
  Either.enqueue("s"),
  Either.enqueue({ a: 1 }),
  SendEmail.enqueueMany([{ address: "a", template: "t" }], (p, index) => ({ tags: { to: p.address, nr: `${index}` } })),
  SendEmail.enqueueMany(new Set([{ address: "a", template: "t" }]), { delay: "1 minute" })
])
is<Equal<Effect.Effect.Context<typeof inputs>, TaskManager>>()
is<Equal<Effect.Effect.Error<typeof inputs>, EnqueueError>>()

// A field with a default: inline without a callback, and beside one hoisted, piped, or in a Struct. Inline beside a callback
// is the spelling that TypeScript does not infer: mustNotCompile.test.ts has it.
export const withoutCallback = Task.make("spelling_1", {
  payload: { image: Schema.String, width: Schema.optionalWith(Schema.Number, { default: () => 640 }) }
})
const Width = Schema.optionalWith(Schema.Number, { default: () => 640 })
export const hoisted = Task.make("spelling_2", {
  payload: { image: Schema.String, width: Width },
  idempotencyKey: (p) => `${p.image}/${p.width.toFixed(0)}`
})
export const piped = Task.make("spelling_3", {
  payload: { image: Schema.String, width: Schema.Number.pipe(Schema.optionalWith({ default: () => 640 })) },
  idempotencyKey: (p) => `${p.image}/${p.width.toFixed(0)}`
})
export const asStruct = Task.make("spelling_4", {
  payload: Schema.Struct({ image: Schema.String, width: Width }),
  tags: (p) => ({ image: p.image, width: p.width.toFixed(0) })
})
type Image = { readonly image: string; readonly width: number }
type ImageInput = { readonly image: string; readonly width?: number }
is<Equal<Task.Payload<typeof withoutCallback>, Image>>()
is<Equal<Task.Payload<typeof hoisted>, Image>>()
is<Equal<Task.Payload<typeof piped>, Image>>()
is<Equal<Task.Payload<typeof asStruct>, Image>>()
is<Equal<Task.Input<typeof withoutCallback>, ImageInput>>()
is<Equal<Task.Input<typeof hoisted>, ImageInput>>()
is<Equal<Task.Input<typeof piped>, ImageInput>>()
is<Equal<Task.Input<typeof asStruct>, ImageInput>>()

// Retry sees the task's error, a timeout, a defect; a Schedule that fits any error fits.
is<Equal<Task.RetryInput<SmtpError>, SmtpError | TaskTimeout | TaskDefect>>()
export const bySchedule = Task.make("by_schedule", {
  payload: { id: UserId },
  error: SmtpError,
  retry: Schedule.exponential("1 second").pipe(
    Schedule.intersect(Schedule.recurs(5)),
    Schedule.whileInput((e: Task.RetryInput<SmtpError>) => e._tag === "SmtpError")
  )
})
export const byPlainSchedule = Task.make("by_plain_schedule", {
  error: SmtpError,
  retry: Schedule.exponential("1 second")
})
export const branded = Charge.enqueue({ id: UserId.make("u1") })

// Promises: the payload is inferred from `toLayer`; with `catch` the error is the task's.
export const promised = Invoice.toLayer(
  Task.fromPromise(async (order, signal) => (await fetch(`http://x/${order.id}`, { signal })).status)
)
is<Equal<typeof promised, Layer.Layer<Task.Handler<"invoice">, never, TaskManager>>>()
export const promisedTyped = Task.make("p", { payload: { url: Schema.String }, error: SmtpError }).toLayer(
  Task.fromPromise({
    try: async (p: { url: string }, signal) => {
      await fetch(p.url, { signal })
    },
    catch: () => new SmtpError({ code: 1 })
  })
)

// Main: annotated, so that a missing layer is named in two lines.
const NightlyHandler = Nightly.toLayer(() => Effect.log("report"))
export const Main: Layer.Layer<never, TaskBackendError> = Layer.mergeAll(SendEmailHandler, NightlyHandler).pipe(
  Layer.provide(TaskflowLayer({ maxConcurrentTasks: 50 })),
  Layer.provide(MemoryBackend.layer()),
  Layer.provide(SmtpLive)
)
Effect.runFork(Layer.launch(Main))

// The same, with proof that every task has a handler.
const handled = Task.handled(SendEmail, Nightly)
is<Equal<typeof handled, Layer.Layer<never, never, Task.Handler<"send_email"> | Task.Handler<"nightly_report">>>>()
export const Main2: Layer.Layer<never, TaskBackendError> = handled.pipe(
  Layer.provide(Layer.mergeAll(SendEmailHandler, NightlyHandler)),
  Layer.provide(TaskflowLayer()),
  Layer.provide(MemoryBackend.layer({ maxRecords: 100 })),
  Layer.provide(SmtpLive)
)
Effect.runFork(Layer.launch(Main2))

// A handler that brings its own dependency.
export const selfContained = SendEmailHandler.pipe(Layer.provide(SmtpLive))
is<Equal<typeof selfContained, Layer.Layer<Task.Handler<"send_email">, never, TaskManager>>>()

// Generic helpers over Task.Any: requirements stay exact.
export const audited = <T extends Task.Any>(task: T, payload: Task.Input<T>) =>
  Effect.zipRight(Effect.log(`enqueue ${task._tag}`), Task.enqueue(task, payload))
export const auditedEmail = audited(SendEmail, { address: "a", template: "t" })
is<Equal<typeof auditedEmail, Effect.Effect<EnqueueResult, EnqueueError, TaskManager>>>()
export const auditedClass = audited(Resize, { image: "p" })
is<Equal<Effect.Effect.Context<typeof auditedClass>, TaskManager>>()
export const allTasks: ReadonlyArray<Task.Any> = [SendEmail, Resize, Nightly, Invoice, Either]
export const names = allTasks.map((task) => task._tag)
export const throughManager = Effect.flatMap(TaskManager, (manager) =>
  Effect.all([
    manager.enqueue(SendEmail, { address: "a", template: "t" }),
    manager.enqueue(Nightly, undefined),
    manager.enqueueMany(Resize, [{ image: "x" }])
  ]))
is<Equal<Effect.Effect.Context<typeof throughManager>, TaskManager>>()

// One-off effects keep what they require, but for what a task brings itself.
export const oneOff = Effect.flatMap(
  TaskManager,
  (manager) =>
    manager.run("one_off", Effect.flatMap(TaskContext.current, ({ taskId }) => Effect.map(Smtp, () => taskId)))
)
is<Equal<Effect.Effect.Context<typeof oneOff>, TaskManager | Smtp>>()

// Schemas with requirements: who encodes must have them.
class Key extends Context.Tag("Key")<Key, string>() {}
const Sealed = Schema.transformOrFail(Schema.String, Schema.String, {
  strict: true,
  decode: (s) => Effect.as(Key, s),
  encode: (s) => Effect.as(Key, s)
})
export const Secret = Task.make("secret", {
  payload: { token: Sealed, password: Schema.Redacted(Schema.String) },
  success: Sealed
})
export const sealed = Secret.enqueue({ token: "t", password: Redacted.make("p") })
is<Equal<Effect.Effect.Context<typeof sealed>, TaskManager | Key>>()
export const opened = Secret.awaitResult("id")
is<Equal<Effect.Effect.Context<typeof opened>, TaskManager | Key>>()
export const SecretHandler = Secret.toLayer(({ token }) => Effect.succeed(token))
is<Equal<typeof SecretHandler, Layer.Layer<Task.Handler<"secret">, never, TaskManager | Key>>>()

// Errors are caught by tag, all of them.
export const caught = executed.pipe(
  Effect.catchTags({
    SmtpError: (e) => Effect.succeed(e.code),
    TaskStopped: (stopped) => Effect.as(Effect.logWarning(stopped.reason), 0),
    TaskArgumentError: (e) => Effect.die(e),
    TaskBackendError: (e) => Effect.die(e),
    TaskKeyBusy: (e) => Effect.die(e),
    TaskWrongTransaction: (e) => Effect.die(e),
    TaskInTransaction: (e) => Effect.die(e)
  })
)
is<Equal<Effect.Effect.Error<typeof caught>, never>>()
is<
  Equal<TaskStopped["reason"], "cancelled" | "interrupted" | "timeout" | "defect" | "crashed" | "undecodable">
>()

// exactOptionalPropertyTypes: an undefined that a caller holds must pass, everywhere.
declare const maybe: { readonly [Key in "key"]?: string }
declare const maybeNumber: number | undefined
export const passed = SendEmail.enqueue({ address: "a", template: "b" }, {
  idempotencyKey: maybe.key,
  priority: maybeNumber,
  delay: maybeNumber,
  tags: undefined,
  runAt: undefined,
  eager: undefined
})
export const passedToMake = Task.make("passed", {
  payload: undefined,
  success: undefined,
  error: undefined,
  retry: undefined,
  timeout: maybeNumber,
  priority: maybeNumber,
  concurrency: maybeNumber,
  requeueOnInterrupt: undefined,
  idempotencyKey: undefined,
  keyTtl: maybeNumber,
  tags: undefined,
  version: maybeNumber
})
export const passedToLayer = TaskflowLayer({ maxConcurrentTasks: maybeNumber })
export const passedToBackend = MemoryBackend.layer({ maxRecords: maybeNumber, maxLive: maybeNumber })

// From any code path, in a task or not.
export const here = Effect.map(TaskContext.currentOption, Option.map((current) => current.taskId))
is<Equal<Effect.Effect.Context<typeof here>, never>>()

// A route that adds background tasks: the middleware gives the service and asks for the engine.
export const added = Effect.flatMap(BackgroundTasks, ({ add }) => add(SendEmail, { address: "a", template: "b" }))
is<Equal<typeof added, Effect.Effect<EnqueueResult, EnqueueError | TaskHoldLimit, BackgroundTasks>>>()
const Signup = HttpLayerRouter.add("POST", "/signup", Effect.as(Effect.orDie(added), HttpServerResponse.empty()))
export const Served = HttpLayerRouter.serve(Signup.pipe(Layer.provide(BackgroundTasks.middleware.layer)))
is<Equal<Layer.Layer.Context<typeof Served>, TaskManager | HttpServer.HttpServer>>()
declare const app: HttpApp.Default<never, BackgroundTasks | Smtp>
export const within = BackgroundTasks.provide(app)
is<
  Equal<
    Exclude<Effect.Effect.Context<typeof within>, Scope.Scope>,
    TaskManager | Smtp | HttpServerRequest.HttpServerRequest
  >
>()

// Schedules: with or without a payload, of the code and made at run time. What the payload needs is asked of who makes one.
export const Schedules = Layer.mergeAll(
  TaskSchedule.layer(Nightly, { cron: "0 3 * * *", timezone: "Europe/Rome", misfire: "once", maxCatchUp: maybeNumber }),
  TaskSchedule.layer(SendEmail, { every: "1 hour", payload: { address: "ops@x", template: "digest" } }),
  TaskSchedule.layer(Resize, { every: 500, payload: { image: "cat.png" }, name: undefined, tags: undefined })
)
is<Equal<typeof Schedules, Layer.Layer<never, never, TaskManager>>>()
export const secretly = TaskSchedule.layer(Secret, {
  every: "1 hour",
  payload: { token: "t", password: Redacted.make("p") }
})
is<Equal<Layer.Layer.Context<typeof secretly>, TaskManager | Key>>()
export const made = Effect.flatMap(
  TaskManager,
  ({ schedules }) => schedules.upsert(Nightly, { cron: "0 3 * * *", name: "mine" })
)
is<
  Equal<
    typeof made,
    Effect.Effect<TaskScheduleInfo, TaskScheduleError | TaskArgumentError | TaskBackendError, TaskManager>
  >
>()

// In workers: what the handler needs is what its layer gives, and nothing without one.
declare const SmtpAndQuiet: Layer.Layer<Smtp, string>
export const inWorker = Task.worker(
  SendEmail,
  ({ template }) => Effect.flatMap(Smtp, (smtp) => smtp.send("a", template)),
  {
    layer: Layer.merge(SmtpAndQuiet, Layer.empty)
  }
)
is<Equal<typeof inWorker, Task.Worker<"send_email">>>()
export const alone = Task.worker(
  Resize,
  ({ width }) => Effect.zipRight(TaskContext, Effect.addFinalizer(() => Effect.log(width)))
)
is<Equal<typeof alone, Task.Worker<"resize">>>()
export const elsewhere = Resize.toLayer(Task.module(new URL("file:///app/resize.worker.js"), { export: undefined }))
is<Equal<typeof elsewhere, Layer.Layer<Task.Handler<"resize">, never, TaskManager>>>()
