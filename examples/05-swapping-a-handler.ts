/**
 * How application code is tested: the same program, the engine of `effect-taskflow/testing`, a fake handler, virtual time.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/05-swapping-a-handler.ts
 */
import { Console, Context, Effect, Layer, Schema, TestClock, TestContext } from "effect"
import { Task, TaskManager } from "effect-taskflow"
import { MemoryObserver, TaskflowTest } from "effect-taskflow/testing"

class SmtpError extends Schema.TaggedError<SmtpError>()("SmtpError", { code: Schema.Number }) {}

const SendMail = Task.make("send_mail", {
  payload: { to: Schema.String },
  error: SmtpError,
  retry: { retries: 2, delay: "1 hour" }
})

class Smtp extends Context.Tag("Smtp")<Smtp, { readonly send: (to: string) => Effect.Effect<void, SmtpError> }>() {}

// What main provides. It needs Smtp; the code under test does not.
export const SendMailHandler = SendMail.toLayer(({ to }) => Effect.flatMap(Smtp, (smtp) => smtp.send(to)))

// The code under test: it only enqueues.
const signUp = (address: string) =>
  Effect.asVoid(SendMail.enqueue({ to: address }, { delay: "1 day", idempotencyKey: `welcome/${address}` }))

// 1. Without any handler: what was enqueued, typed.
const enqueued = Effect.gen(function*() {
  yield* signUp("ada@example.com")
  const [mail] = yield* TaskflowTest.enqueuedOf(SendMail)
  return { to: mail?.payload.to, status: mail?.record.status }
}).pipe(Effect.provide(TaskflowTest.layer))

// 2. With a fake: it fails twice, and two hours of back-off pass in no time.
const ran = Effect.suspend(() => {
  const attempts: Array<string> = []
  const Fake = SendMail.toLayer(({ to }) =>
    Effect.suspend(() => attempts.push(to) < 3 ? new SmtpError({ code: 421 }) : Effect.void)
  )
  return Effect.gen(function*() {
    const observer = yield* MemoryObserver.make({ lifecycle: "all" })
    yield* signUp("ada@example.com")
    yield* TestClock.adjust("23 hours")
    const beforeItsTime = attempts.length
    yield* TaskflowTest.drain
    const [record] = (yield* (yield* TaskManager).list()).items
    const steps = (yield* observer.lifecycleEvents).map(({ status }) => status)
    return { beforeItsTime, attempts: attempts.length, status: record?.status, steps }
  }).pipe(Effect.scoped, Effect.provide(Fake.pipe(Layer.provideMerge(TaskflowTest.layer))))
})

// `it.effect` of @effect/vitest gives every test this TestContext; a plain script provides it.
export const program = Effect.all({
  enqueued: Effect.provide(enqueued, TestContext.TestContext),
  ran: Effect.provide(ran, TestContext.TestContext)
})

if (process.argv[1] === import.meta.filename) {
  await Effect.runPromise(Effect.flatMap(program, Console.log))
}
