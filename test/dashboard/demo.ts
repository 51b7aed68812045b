/**
 * A dashboard that looks the same every time: its clock stands still where the demo puts it, its ids repeat, and what differs
 * between machines and processes is replaced in the answers.
 */
import * as path from "node:path"
import { Clock, Effect, Layer, Logger, LogLevel, Redacted, Schedule, Schema } from "effect"
import { Task, TaskContext, TaskLog, TaskManager, TaskProgress, TaskSchedule } from "effect-taskflow"
import { TaskAuth } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import type { Page } from "playwright-core"
import { engine } from "../support/engine.js"
import { openAs, serve, type Served } from "./support.js"

/** When every picture is taken. */
export const moment = Date.parse("2026-03-02T09:30:00Z")

/** When its first run is enqueued. */
const beginning = moment - 58 * 60_000

const hand = { at: beginning }
const pass = (millis: number) => Effect.sync(() => void (hand.at += millis))

// Sleeps are real: only what the time is said to be is ours.
const clock = (() => {
  const real = Clock.make()
  const now = Effect.sync(() => hand.at)
  const ours: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    sleep: (duration) => real.sleep(duration),
    unsafeCurrentTimeMillis: () => hand.at,
    currentTimeMillis: now,
    unsafeCurrentTimeNanos: () => BigInt(hand.at) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(hand.at) * 1_000_000n)
  }
  return ours
})()

class Declined extends Schema.TaggedError<Declined>()("CardDeclined", { message: Schema.String }) {}
class Unreachable extends Schema.TaggedError<Unreachable>()("MailServerUnreachable", { message: Schema.String }) {}

const Mail = Task.make("send_email", {
  payload: { to: Schema.String, millis: Schema.Number },
  success: Schema.Struct({ messageId: Schema.String }),
  error: Unreachable,
  retry: { retries: 1, delay: 0 },
  priority: 8
})
const Charge = Task.make("charge_payment", {
  payload: { order: Schema.String, amount: Schema.Number },
  error: Declined,
  retry: { retries: 2, delay: 0 },
  tags: ({ order }) => ({ order })
})
const Report = Task.make("monthly_report", { payload: { month: Schema.String } })
const Index = Task.make("rebuild_index", { payload: { shard: Schema.Number } })

const handlers = Layer.mergeAll(
  Mail.toLayer(({ millis, to }) =>
    Effect.gen(function*() {
      yield* Effect.log("connecting to mx.example.com:25")
      yield* pass(millis)
      if (to.startsWith("nobody")) {
        return yield* new Unreachable({ message: "connect ETIMEDOUT 10.0.0.25:25" })
      }
      if (millis > 1_000) yield* TaskLog.warning("slow answer", { code: 451 })
      return { messageId: `<${to}>` }
    })
  ),
  Charge.toLayer(({ amount, order }) =>
    Effect.gen(function*() {
      const { attempt } = yield* TaskContext
      yield* TaskLog.info("charging", { order, amount })
      yield* pass(700 + 400 * attempt)
      if (amount > 100) yield* Effect.fail(new Declined({ message: `the bank declined ${order}: insufficient funds` }))
    })
  ),
  Report.toLayer(({ month }) =>
    Effect.zipRight(
      Effect.log("reading orders"),
      Effect.zipRight(TaskProgress.set(0.4, `page 4 of 10 of ${month}`), Effect.never)
    )
  )
)

const schedules = Layer.mergeAll(
  TaskSchedule.layer(Mail, {
    name: "nightly_digest",
    cron: "0 3 * * *",
    timezone: "Europe/Rome",
    payload: { to: "all@example.com", millis: 900 }
  }),
  TaskSchedule.layer(Index, { name: "reindex", every: "6 hours", payload: { shard: 1 } })
)

const quiet = Logger.minimumLogLevel(LogLevel.None)

/** The engine with its tasks and schedules, in the demo's time. */
export const application: Layer.Layer<TaskManager> = Layer.provideMerge(
  Layer.provide(Layer.provideMerge(schedules, handlers), Logger.remove(Logger.defaultLogger)),
  engine({ maxConcurrentTasks: 4 })
).pipe(Layer.provide(quiet), Layer.provide(Layer.setClock(clock)))

export interface Demo {
  readonly served: Served
  readonly failed: string
  readonly running: string
}

/** Runs of all kinds, one after the other, and a server that shows them. It is `moment` then. */
export const demo = Effect.gen(function*() {
  hand.at = beginning
  const manager = yield* TaskManager
  // They are told in the background, and say since when they are.
  yield* Effect.repeat(manager.schedules.list(), {
    until: ({ items }) => items.length === 2,
    schedule: Schedule.spaced("10 millis")
  })
  const ended = (taskId: string, status: "success" | "failed") =>
    TaskflowTest.awaitStatus(taskId as Parameters<typeof TaskflowTest.awaitStatus>[0], status) // safe: of a handle
  let mails = 0
  for (let n = 0; n < 50; n += 1) {
    for (let many = 2 + (n * 5) % 4; many > 0; many -= 1) {
      mails += 1
      const isLost = mails % 31 === 7
      const mail = yield* Mail.enqueue({
        to: isLost ? "nobody@nowhere.example" : `user${mails}@example.com`,
        millis: 80 + (mails * 137) % 1_400
      })
      yield* ended(mail.taskId, isLost ? "failed" : "success")
    }
    if (n % 3 === 0) {
      const { taskId } = yield* Charge.enqueue({ order: `A-${1_000 + n}`, amount: 40 })
      yield* ended(taskId, "success")
    }
    yield* Effect.sync(() => void (hand.at = beginning + (n + 1) * 61_000))
  }
  let failed = ""
  for (const order of ["A-1043", "A-1047", "A-1051"]) {
    const { taskId } = yield* Charge.enqueue({ order, amount: 129 })
    yield* ended(taskId, "failed")
    yield* pass(47_000)
    failed = taskId
  }
  const cancelled = yield* Report.enqueue({ month: "2026-01" })
  yield* TaskflowTest.awaitStatus(cancelled.taskId, "running")
  yield* pass(20_000)
  yield* manager.cancel(cancelled.taskId)
  yield* TaskflowTest.awaitStatus(cancelled.taskId, "cancelled")
  const running = yield* Report.enqueue({ month: "2026-02" })
  yield* TaskflowTest.awaitStatus(running.taskId, "running")
  yield* Effect.sync(() => void (hand.at = moment - 90_000))
  yield* Index.enqueue({ shard: 1 })
  yield* Index.enqueue({ shard: 2 }, { delay: "20 minutes" })
  yield* manager.pause("monthly_report")
  yield* Effect.sync(() => void (hand.at = moment))
  const served = yield* serve({
    auth: TaskAuth.users({
      users: [{ username: "ada", password: Redacted.make("correct horse") }]
    }),
    dashboard: { title: "Acme orders", environment: "production" }
  })
  const answer: Demo = { served, failed, running: running.taskId }
  return answer
}).pipe(Effect.withClock(clock))

// What a process and a machine say of themselves.
const ownWords = {
  host: "web-1",
  pid: 4_711,
  beatAt: new Date(moment - 2_000).toISOString(),
  versions: { app: "2.3.1", taskflow: "0.1.0" },
  slots: { max: 4, active: 1 },
  waiting: 2,
  lag: 1.4,
  memory: { rss: 212_000_000, heapUsed: 84_000_000, heapLimit: 4_300_000_000 },
  tasks: ["charge_payment", "monthly_report", "send_email"]
}

const root = path.resolve(import.meta.dirname, "../..")

/** Stops the browser's clock too, and logs in. */
export const enter = async (page: Page, { served }: Demo): Promise<void> => {
  await page.clock.setFixedTime(moment)
  await page.route(/\/tasks\/instances$/, async (route) => {
    const response = await route.fetch()
    const { items } = (await response.json()) as { readonly items: ReadonlyArray<object> } // safe: what the API answers
    await route.fulfill({ response, json: { items: items.map((one) => ({ ...one, ...ownWords })) } })
  })
  // Stacks name the files of whoever runs it.
  await page.route(/\/tasks\/(errors|[\da-f-]{36})/, async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, body: (await response.text()).replaceAll(root, "/app") })
  })
  await openAs(page, served, "ada", "runs")
}
