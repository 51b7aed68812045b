/**
 * Every error that a call can meet, made to happen: its message says what happened, with which value, and what to do.
 * Those that need more than a call are in errorMessagesRare.test.ts, those of wiring and options in
 * errorMessagesWiring.test.ts, those of HTTP in http/errorMessages.test.ts.
 */
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Task, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { errorOf, expectSaid, secret } from "./support/errors.js"

const long = "x".repeat(10_000)

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.Number }) {}

const Send = Task.make("send_email", {
  payload: {
    address: Schema.String,
    password: Schema.optional(Schema.Redacted(Schema.String)),
    lines: Schema.optional(Schema.Array(Schema.Struct({ price: Schema.Number }))),
    labels: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String }))
  },
  success: Schema.Number
})
const Charge = Task.make("charge", {
  payload: { how: Schema.String },
  error: Declined,
  timeout: "250 millis",
  idempotencyKey: ({ how }) => how
})
const Lonely = Task.make("lonely")

const handlers = Layer.merge(
  Send.toLayer(({ address }) => Effect.succeed(address.length)),
  Charge.toLayer(({ how }) =>
    how === "declined"
      ? Effect.fail(new Declined({ code: 51 }))
      : how === "dies"
      ? Effect.die(new TypeError("card is not a function"))
      : how === "hangs"
      ? Effect.never
      : Effect.void
  )
)

interface Case {
  readonly name: string
  readonly error: Effect.Effect<Error, unknown, TaskManager>
  readonly tag: string
  readonly says: string | RegExp
}

const refused = (options: Task.EnqueueOptions) => errorOf(Send.enqueue({ address: "ada@example.com" }, options))
const payload = (given: unknown) => errorOf(Send.enqueue(given as { readonly address: string }))
const manager = <A, E>(ask: (manager: TaskManager["Type"]) => Effect.Effect<A, E>) =>
  errorOf(Effect.flatMap(TaskManager, ask))
const ended = (how: string) =>
  Effect.tap(Charge.enqueue({ how }), ({ taskId }) => Effect.flatMap(TaskManager, (m) => m.awaitResult(taskId)))

const cases: ReadonlyArray<Case> = [
  {
    name: "a payload that does not fit",
    error: payload({ address: 5 }),
    tag: "TaskArgumentError",
    says: "send_email: address: Expected string, actual 5"
  },
  {
    name: "a payload that does not fit, deep inside",
    error: payload({ address: "a", lines: [{ price: 1 }, { price: "free" }] }),
    tag: "TaskArgumentError",
    says: `send_email: lines[1].price: Expected number, actual "free"`
  },
  {
    name: "a payload that is none",
    error: payload(null),
    tag: "TaskArgumentError",
    says: "send_email: address: is missing"
  },
  {
    name: "a secret that does not fit, without the secret",
    error: payload({ address: "a", password: secret }),
    tag: "TaskArgumentError",
    says: "send_email: password: does not fit its schema; the value is not shown, it holds a secret"
  },
  {
    name: "a value as long as a book, cut",
    error: payload({ address: "a", labels: { [long]: 1 } }),
    tag: "TaskArgumentError",
    says: /^send_email: labels\.x{93}… \(cut, 10007 characters\): Expected string, actual 1$/
  },
  {
    name: "a payload that is too large",
    error: payload({ address: "x".repeat(1_048_577) }),
    tag: "TaskArgumentError",
    says:
      /^send_email: payload: 1048591 characters of JSON, the limit is 1048576: store it elsewhere and pass a reference$/
  },
  {
    name: "a delay that is no duration",
    error: refused({ delay: "5 parsecs" as never }),
    tag: "TaskArgumentError",
    says: `send_email: delay: "5 parsecs" is not a duration, as "5 minutes"`
  },
  {
    name: "a moment that is none",
    error: refused({ runAt: "tomorrow" }),
    tag: "TaskArgumentError",
    says: /^send_email: runAt: "tomorrow" is not a moment in time: a DateTime, .* as "2030-01-31T09:00:00Z"$/
  },
  {
    name: "a delay and a moment",
    error: refused({ delay: 1, runAt: 1 }),
    tag: "TaskArgumentError",
    says: "send_email: delay: delay and runAt are both given: choose one"
  },
  {
    name: "a priority that is none",
    error: refused({ priority: 1.5 }),
    tag: "TaskArgumentError",
    says: "send_email: priority: priority is 1.5: a whole number of 32 bits"
  },
  {
    name: "an idempotency key without a character",
    error: refused({ idempotencyKey: "" }),
    tag: "TaskArgumentError",
    says: "send_email: idempotencyKey: an idempotency key has 1 to 1,024 characters, this has 0"
  },
  {
    name: "a tag with a long name",
    error: refused({ tags: { [long]: "a" } }),
    tag: "TaskArgumentError",
    says: /^send_email: tags: "x{100}… \(cut, 10000 characters\)" is no name of a tag: 1 to 128 characters$/
  },
  {
    name: "a tag that is no text",
    error: refused({ tags: { retries: 3 as never } }),
    tag: "TaskArgumentError",
    says: "send_email: tags.retries: a tag is text, this is a number"
  },
  {
    name: "a pause of what cannot be a name",
    error: manager((m) => m.pause("a\nb")),
    tag: "TaskArgumentError",
    says: `"a\\nb" is no name of a task: has 1 to 200 characters and no control characters`
  },
  {
    name: "a task that is not there",
    error: manager((m) => m.get("x")),
    tag: "TaskNotFound",
    says: `there is no task "x": the id is wrong, or retention removed it`
  },
  {
    name: "an id as long as a book, cut",
    error: manager((m) => m.get(long)),
    tag: "TaskNotFound",
    says: /^there is no task "x{100}… \(cut, 10000 characters\)": the id is wrong, or retention removed it$/
  },
  {
    name: "a retry of a success",
    error: Effect.flatMap(ended("fine"), ({ taskId }) => manager((m) => m.retry(taskId))),
    tag: "TaskWrongStatus",
    says: /^task \S{36} is success: only failed, interrupted or cancelled tasks can be retried$/
  },
  {
    name: "a cancel of what failed",
    error: Effect.flatMap(ended("declined"), ({ taskId }) => manager((m) => m.cancel(taskId))),
    tag: "TaskWrongStatus",
    says: /^task \S{36} is failed: only pending or running tasks can be cancelled$/
  },
  {
    name: "a second retry",
    error: Effect.flatMap(
      ended("declined"),
      ({ taskId }) =>
        Effect.zipRight(Effect.flatMap(TaskManager, (m) => m.retry(taskId)), manager((m) => m.retry(taskId)))
    ),
    tag: "TaskAlreadyRetried",
    says: /^task \S{36} was already retried as \S{36}: look at that one$/
  },
  {
    name: "a retry while another one has the key",
    error: Effect.gen(function*() {
      const { taskId } = yield* ended("declined")
      yield* Charge.enqueue({ how: "hangs" }, { idempotencyKey: "declined" })
      return yield* manager((m) => m.retry(taskId))
    }),
    tag: "TaskKeyHeld",
    says: /^the idempotency key of task \S{36} is held by \S{36}: look at that one$/
  },
  {
    name: "a name that nobody has a handler for",
    error: manager((m) => m.enqueueJson("lonely\n", {})),
    tag: "TaskNotRegistered",
    says: `no live instance has a handler for "lonely\\n": add its toLayer(…) to Main, or ask where it runs`
  },
  {
    name: "waiting for what nobody runs",
    error: errorOf(Lonely.execute()),
    tag: "TaskflowWiringError",
    says: "task lonely has no handler here, so waiting for it would never end: provide its toLayer(…)"
  },
  {
    name: "what a handler threw",
    error: errorOf(Charge.execute({ how: "dies" })),
    tag: "TaskStopped",
    says: /^task charge \S{36}: card is not a function$/
  },
  {
    name: "what a handler failed with, as itself",
    error: errorOf(Charge.execute({ how: "declined" })),
    tag: "Declined",
    says: "{ \"code\": 51 }"
  },
  {
    name: "an attempt that took too long",
    error: Effect.gen(function*() {
      const waiting = yield* Effect.fork(errorOf(Charge.execute({ how: "hangs" })))
      yield* TaskflowTest.drain
      return yield* waiting
    }),
    tag: "TaskStopped",
    says: /^task charge \S{36}: the attempt ran longer than its timeout of 250 ms$/
  },
  {
    name: "what was cancelled",
    error: Effect.gen(function*() {
      const { taskId } = yield* Send.enqueue({ address: "a" }, { delay: "1 hour" })
      yield* Effect.flatMap(TaskManager, (m) => m.cancel(taskId))
      return yield* errorOf(Send.awaitResult(taskId))
    }),
    tag: "TaskStopped",
    says: /^task send_email \S{36}: it was cancelled$/
  },
  {
    name: "a schedule that is not there",
    error: manager((m) => m.schedules.trigger("nightly")),
    tag: "TaskScheduleNotFound",
    says: `there is no schedule "nightly", or it is retired: schedules.list tells the names`
  },
  {
    name: "a schedule whose cron expression is none",
    error: manager((m) => m.schedules.upsert(Lonely, { cron: "every night" })),
    tag: "TaskScheduleError",
    says: /^schedule "lonely" of task "lonely": cron is "every night": five fields \(minute hour day month weekday\)/
  },
  {
    name: "a schedule in a time zone that is none",
    error: manager((m) => m.schedules.upsert(Lonely, { cron: "0 3 * * *", timezone: "Rome" })),
    tag: "TaskScheduleError",
    says: `schedule "lonely" of task "lonely": timezone is "Rome": a name as "Europe/Rome", or an offset as "+02:00"`
  },
  {
    name: "a schedule with a name as long as a book, cut",
    error: manager((m) => m.schedules.upsert(Lonely, { every: "1 hour", name: long })),
    tag: "TaskScheduleError",
    says: /^schedule "x{100}… \(cut, 10000 characters\)" of task "lonely": the name has 1 to 200 characters/
  }
]

describe("an error of a call says what happened, with which value, and what to do", () => {
  for (const one of cases) {
    it.effect(one.name, () =>
      Effect.gen(function*() {
        expectSaid(yield* one.error, one)
      }).pipe(Effect.provide(Layer.provideMerge(handlers, TaskflowTest.layer))))
  }
})
