/**
 * The load of `leak.ts`: every kind of task at a steady pace, people who cancel and retry, schedules, observers, subscribers
 * that come and go. What is unique in it (ids, keys, values of tags, names of schedules, numbers in messages) is so on purpose:
 * whoever keeps such a thing for longer than its task leaks. What the library keeps for longer comes in a fixed number of kinds.
 */
import { Duration, Effect, Layer, Metric, MetricState, Random, Schedule, Stream } from "effect"
import {
  type EnqueueError,
  type EnqueueResult,
  Task,
  TaskContext,
  TaskLog,
  TaskManager,
  TaskObserver,
  TaskProgress,
  TaskSchedule
} from "effect-taskflow"
import * as Tasks from "./leakTasks.js"

/** What came and went since the start. */
export const counts = {
  answered: 0,
  enqueued: 0,
  deduplicated: 0,
  cancelled: 0,
  retried: 0,
  refused: 0,
  observed: 0,
  events: 0
}

/** How many times the steady pace it is now: how often tasks, visits and requests come. */
export const pace = { times: 1 }

/** `what`, again and again, `millis` at the steady pace between one and the next. */
export const every = <R>(millis: number, what: Effect.Effect<unknown, unknown, R>): Effect.Effect<never, never, R> =>
  Effect.forever(Effect.zipRight(Effect.ignoreLogged(what), Effect.suspend(() => Effect.sleep(millis / pace.times))))

const moduleUrl = new URL("./leakWorker.js", import.meta.url)

const talk = (n: number) =>
  Effect.gen(function*() {
    for (let line = 1; line <= 4; line += 1) {
      yield* Effect.annotateLogs(Effect.logDebug(`line ${line} of task ${n}`), { [`field${n % 50}`]: n })
      yield* TaskProgress.set(line / 4, `step ${line} of ${n}`)
    }
    yield* TaskLog.info("done", { n })
    return `result of ${n}`
  })

export const handlers = Layer.mergeAll(
  Tasks.Plain.toLayer(() => Effect.void),
  Tasks.Flaky.toLayer(({ n }) =>
    Effect.flatMap(TaskContext.current, ({ attempt }) => attempt < 2 ? Effect.fail(`not yet ${n}`) : Effect.void)
  ),
  Tasks.Broken.toLayer(({ text }) => Effect.die(new Error(text))),
  Tasks.Talking.toLayer(({ n }) => talk(n)),
  Tasks.Endless.toLayer(() => Effect.never),
  Tasks.Late.toLayer(() => Effect.sleep("1 hour")),
  Tasks.Snoozing.toLayer(() =>
    Effect.flatMap(TaskContext.current, ({ fence }) => fence === 1 ? Task.snooze("200 millis") : Effect.void)
  ),
  Tasks.Keyed.toLayer(() => Effect.void),
  Tasks.Large.toLayer(({ text }) => Effect.succeed(text)),
  Tasks.Ticking.toLayer(() => Effect.void),
  Tasks.Computing.toLayer(Task.module(moduleUrl))
)

const observer = (name: string) =>
  TaskObserver.callbacks({
    name,
    minLevel: "debug",
    lifecycle: "all",
    onLog: () => Effect.sync(() => counts.observed += 1),
    onLifecycle: () => Effect.sync(() => counts.observed += 1)
  })

/** Stays for the whole run. */
export const companions = Layer.mergeAll(
  observer("leak"),
  TaskSchedule.layer(Tasks.Ticking, { name: "leak.second", every: "1 second", payload: { n: 0 } }),
  TaskSchedule.layer(Tasks.Ticking, { name: "leak.minute", cron: "* * * * *", payload: { n: 1 } })
)

// Messages that differ in numbers alone are one group of errors: a hundred, which are there soon.
const letters = (n: number) => String.fromCharCode(97 + Math.floor(n / 10), 97 + n % 10)

const text = (n: number, length: number) => `${n.toString(36)} `.repeat(length).slice(0, length)

type Asked = Effect.Effect<EnqueueResult | null, EnqueueError, TaskManager>

const enqueueOne = (n: number): Asked => {
  switch (n % 20) {
    case 0:
      return Tasks.Flaky.enqueue({ n })
    case 1:
      return Tasks.Broken.enqueue({ n, text: `part ${letters(n % 100)} broke at ${n}` })
    case 2:
    case 3:
      return Tasks.Talking.enqueue({ n })
    case 4:
      return Effect.flatMap(Tasks.Endless.enqueue({ n }, { tags: { user: `u${n}` } }), cancelSoon)
    case 5:
      return Tasks.Late.enqueue({ n })
    case 6:
      return Tasks.Snoozing.enqueue({ n })
    case 7:
    case 8:
      return Tasks.Keyed.enqueue({ n }, { idempotencyKey: `key-${n - n % 20}` })
    case 9:
      return Tasks.Large.enqueue({ n, text: text(n, 4_000) }, { tags: { order: `o${n}`, [`name${n % 500}`]: "x" } })
    case 10:
      return Tasks.Plain.enqueue({ n }, { delay: Duration.millis(n % 5_000), priority: n % 7 })
    case 11:
      return Effect.as(Effect.ignore(Tasks.Talking.execute({ n })), null)
    case 12:
      return Tasks.Plain.enqueue({ n }, { persist: false })
    case 13:
      return Effect.as(Tasks.Plain.enqueueMany([{ n }, { n: n + 0.5 }]), null)
    default:
      return Tasks.Plain.enqueue({ n }, { tags: { user: `u${n}` } })
  }
}

const cancelSoon = ({ taskId }: { readonly taskId: string }) =>
  Effect.flatMap(TaskManager, (manager) =>
    Effect.sleep("300 millis").pipe(
      // Or it has a slot for ever: a busy machine that failed to cancel a hundred of them ran nothing any more.
      Effect.zipRight(Effect.retry(manager.cancel(taskId), Schedule.spaced("1 second"))),
      Effect.tap(() => Effect.sync(() => counts.cancelled += 1)),
      Effect.ignore,
      Effect.as(null)
    ))

const enqueueing = (n: number) =>
  enqueueOne(n).pipe(
    Effect.tap((answer) =>
      Effect.sync(() => answer?._tag === "Deduplicated" ? counts.deduplicated += 1 : counts.enqueued += 1)
    ),
    Effect.catchAll(() => Effect.sync(() => counts.refused += 1)),
    Effect.ensuring(Effect.sync(() => counts.answered += 1))
  )

const tick = 20

/** What the counters of this name come to. */
export const counted = (name: string): Effect.Effect<number> =>
  Effect.map(Metric.snapshot, (metrics) =>
    metrics.reduce(
      (sum, { metricKey, metricState }) =>
        metricKey.name === name && MetricState.isCounterState(metricState) ? sum + Number(metricState.count) : sum,
      0
    ))

// A machine that cannot keep up gets less: what piles up grows, and says nothing about leaks.
let tooMuch = false
const mostUnfinished = 500
const looking = Effect.zipWith(
  counted("taskflow_enqueued_total"),
  counted("taskflow_finished_total"),
  (enqueued, finished) => {
    tooMuch = enqueued - finished > mostUnfinished
  }
)

/** `perSecond` tasks a second, however long each takes, as long as they end. */
const steady = (perSecond: number) =>
  Effect.suspend(() => {
    let at = performance.now()
    let due = 0
    let sent = 0
    return Effect.forever(Effect.suspend(() => {
      const now = performance.now()
      const most = perSecond * pace.times
      // What a stalled process missed is not made up for: the pace is steady, not the sum.
      due = tooMuch || sent - counts.answered > most
        ? 0
        : Math.min(due + (now - at) / 1_000 * most, Math.max(2, Math.ceil(most / 5)))
      at = now
      const next = Array.from({ length: Math.floor(due) }, (_, index) => sent + index)
      due -= next.length
      sent += next.length
      return Effect.zipRight(
        Effect.forEach(next, (n) => Effect.forkScoped(enqueueing(n)), { discard: true }),
        Effect.sleep(tick)
      )
    }))
  })

// What has no end is left in the middle.
const visits = Effect.gen(function*() {
  const manager = yield* TaskManager
  const reading = Stream.merge(
    Stream.tap(manager.events, () => Effect.sync(() => counts.events += 1)),
    manager.changes()
  )
  yield* Effect.raceFirst(Stream.runDrain(reading), Effect.sleep("3 seconds"))
})

const retries = Effect.gen(function*() {
  const manager = yield* TaskManager
  const { items } = yield* manager.list({ status: ["failed"], limit: 3 })
  for (const { taskId } of items) {
    yield* Effect.ignore(manager.retry(taskId))
    counts.retried += 1
  }
})

const schedules = Effect.gen(function*() {
  const { schedules } = yield* TaskManager
  const name = `leak.made.${yield* Random.nextIntBetween(0, 1_000_000_000)}`
  yield* schedules.upsert(Tasks.Ticking, { name, every: "500 millis", payload: { n: 2 } })
  yield* Effect.sleep("2 seconds")
  yield* schedules.pause(name)
  yield* schedules.resume(name)
  yield* schedules.trigger(name)
  yield* schedules.remove(name)
})

const pauses = Effect.gen(function*() {
  const manager = yield* TaskManager
  yield* manager.pause("leak.snoozing", { by: "leak" })
  yield* Effect.sleep("500 millis")
  yield* manager.resume("leak.snoozing")
})

const passing = Effect.zipRight(Layer.build(observer("leak.passing")), Effect.sleep("2 seconds")).pipe(Effect.scoped)

/** Runs until it is interrupted. */
export const load = (perSecond: number): Effect.Effect<never, never, TaskManager> =>
  Effect.all([
    Effect.scoped(steady(perSecond)),
    every(1_000, looking),
    every(5_000, Tasks.Computing.enqueue({ n: 1 })),
    every(1_000, visits),
    every(2_000, retries),
    every(3_000, schedules),
    every(15_000, pauses),
    every(2_000, passing)
  ], { concurrency: "unbounded" }).pipe(Effect.zipRight(Effect.never))
