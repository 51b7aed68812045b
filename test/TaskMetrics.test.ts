import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Metric, MetricLabel, Schedule, Schema, TestClock } from "effect"
import { Task, TaskManager, TaskMetrics } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { count } from "../src/internal/counts.js"
import { TaskBackendError } from "../src/TaskError.js"
import { engine, gate, oneOf, sharedBackend, wrappedBackend } from "./support/engine.js"

// Metrics are of the process: names of each test's own, and differences.
const of = (labels: Record<string, string>) =>
  Object.entries(labels).map(([name, value]) => MetricLabel.make(name, value))
const counted = (metric: Metric.Metric.Counter<number>, labels: Record<string, string> = {}): number =>
  metric.unsafeValue(of(labels)).count
const told = (metric: Metric.Metric.Histogram<number>, labels: Record<string, string> = {}) => {
  const { count, max, sum } = metric.unsafeValue(of(labels))
  return { count, sum, max }
}
const level = (metric: Metric.Metric.Gauge<number>, labels: Record<string, string> = {}): number =>
  metric.unsafeValue(of(labels)).value

describe("TaskMetrics", () => {
  it.effect("counts enqueues, starts and ends, with waits and durations in seconds", () => {
    const Metered = Task.make("metered", {
      payload: { ok: Schema.Boolean },
      retry: { retries: 1, delay: "10 seconds" }
    })
    const handler = Metered.toLayer(({ ok }) => ok ? Effect.sleep("2 seconds") : Effect.die("no"))
    return Effect.gen(function*() {
      yield* Metered.enqueue({ ok: true }, { delay: "1 minute" })
      yield* Metered.enqueue({ ok: false })
      yield* Metered.enqueue({ ok: true }, { idempotencyKey: "k" })
      yield* Metered.enqueue({ ok: true }, { idempotencyKey: "k" })
      const { taskId } = yield* Metered.enqueue({ ok: true }, { delay: "1 hour" })
      yield* (yield* TaskManager).cancel(taskId)
      yield* TaskflowTest.drain
      const task = "metered"
      expect(counted(TaskMetrics.enqueued, { task })).toBe(4)
      expect(counted(TaskMetrics.started, { task })).toBe(4)
      const ends = (["success", "failed", "cancelled", "interrupted"] as const)
        .map((status) => counted(TaskMetrics.finished, { task, status }))
      expect(ends).toEqual([2, 1, 1, 0])
      expect(told(TaskMetrics.duration, { task })).toEqual({ count: 3, sum: 14, max: 10 })
      // A slot was free for each when it was due.
      expect(told(TaskMetrics.wait, { task })).toMatchObject({ count: 3, sum: 0 })
      // What an exporter of Effect's metrics sees.
      const names = new Set((yield* Metric.snapshot).map(({ metricKey }) => metricKey.name))
      expect([...names]).toEqual(expect.arrayContaining(["taskflow_finished_total", "taskflow_wait_seconds"]))
    }).pipe(Effect.provide(Layer.provideMerge(handler, TaskflowTest.layer)))
  })

  it.effect("tells how much runs and how much is held ready, and comes back to nothing", () => {
    const Gated = Task.make("gated")
    return Effect.gen(function*() {
      const { open, wait } = yield* gate
      const depth = level(TaskMetrics.queueDepth)
      yield* Effect.gen(function*() {
        const sent = yield* Gated.enqueueMany([undefined, undefined, undefined])
        yield* TaskflowTest.awaitStatus(sent[0]!.taskId, "running")
        expect(level(TaskMetrics.running, { task: "gated" })).toBe(1)
        expect(level(TaskMetrics.queueDepth)).toBe(depth + 2)
        yield* open
        yield* TaskflowTest.drain
        expect(level(TaskMetrics.running, { task: "gated" })).toBe(0)
        expect(level(TaskMetrics.queueDepth)).toBe(depth)
      }).pipe(Effect.provide(Layer.provideMerge(Gated.toLayer(() => wait), engine({ maxConcurrentTasks: 1 }))))
    })
  })

  it.effect("an engine that closes takes what it held out of the gauges", () => {
    const Kept = Task.make("kept")
    return Effect.gen(function*() {
      const depth = level(TaskMetrics.queueDepth)
      yield* Effect.gen(function*() {
        const sent = yield* Kept.enqueueMany([undefined, undefined, undefined])
        yield* TaskflowTest.awaitStatus(sent[0]!.taskId, "running")
        expect(level(TaskMetrics.queueDepth)).toBe(depth + 2)
      }).pipe(Effect.provide(Layer.provideMerge(Kept.toLayer(() => Effect.never), engine({ maxConcurrentTasks: 1 }))))
      expect(level(TaskMetrics.queueDepth)).toBe(depth)
      expect(level(TaskMetrics.running, { task: "kept" })).toBe(0)
    })
  })

  it.effect("tells of commits: how large, how long, how many failed", () => {
    const Written = Task.make("written")
    let failures = 1
    const backend = wrappedBackend((memory) => ({
      write: (batch) =>
        Effect.suspend(() => {
          failures -= 1
          return failures >= 0
            ? Effect.fail(new TaskBackendError({ method: "write", cause: new Error("away") }))
            : memory.write(batch)
        })
    }))
    return Effect.gen(function*() {
      const before = [
        told(TaskMetrics.batchSize),
        told(TaskMetrics.commitTime),
        counted(TaskMetrics.commitFailures)
      ] as const
      const sent = yield* Effect.fork(Written.enqueueMany(Array.from({ length: 30 }, () => undefined)))
      yield* TestClock.adjust("10 seconds")
      yield* sent
      const after = [
        told(TaskMetrics.batchSize),
        told(TaskMetrics.commitTime),
        counted(TaskMetrics.commitFailures)
      ] as const
      expect(after[0].count - before[0].count).toBe(1)
      expect(after[0].sum - before[0].sum).toBe(30)
      expect(after[1].count - before[1].count).toBe(2)
      expect(after[2] - before[2]).toBe(1)
    }).pipe(Effect.provide(engine({}, backend)))
  })

  it.scoped("counts the heartbeats that renewed a lease", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const before = counted(TaskMetrics.leaseRenewals)
      const { close } = yield* oneOf(backend, Layer.empty, { lease: "30 seconds", heartbeatInterval: "10 seconds" })
      yield* TestClock.adjust("1 minute")
      expect(counted(TaskMetrics.leaseRenewals) - before).toBeGreaterThanOrEqual(6)
      yield* close
      // Nobody else can hold what a process has in memory alone.
      const alone = counted(TaskMetrics.leaseRenewals)
      yield* Effect.provide(TestClock.adjust("1 minute"), engine())
      expect(counted(TaskMetrics.leaseRenewals)).toBe(alone)
    }))

  it.effect("counts what an observer threw or missed", () => {
    const Watched = Task.make("watched")
    return Effect.gen(function*() {
      const before = counted(TaskMetrics.eventsDropped)
      const manager = yield* TaskManager
      manager.tap(({ _tag }) => {
        if (_tag === "Enqueued") throw new Error("no")
      })
      yield* Watched.enqueue()
      expect(counted(TaskMetrics.eventsDropped) - before).toBe(1)
      expect(yield* manager.eventsDropped).toBe(1)
    }).pipe(Effect.provide(engine()))
  })

  it.live("measures the event loop", () => {
    const before = told(TaskMetrics.loopLag).count
    return Effect.suspend(() => told(TaskMetrics.loopLag).count > before ? Effect.void : Effect.fail("not yet")).pipe(
      Effect.retry(Schedule.spaced("20 millis")),
      Effect.provide(engine())
    )
  })

  it("names a thousand tasks and counts all others together", () => {
    const before = counted(TaskMetrics.enqueued, { task: "other" })
    for (let index = 0; index < 1_200; index += 1) count.enqueued(`name-${index}`)
    const more = counted(TaskMetrics.enqueued, { task: "other" }) - before
    expect(more).toBeGreaterThanOrEqual(200)
    expect(counted(TaskMetrics.enqueued, { task: "name-0" })).toBe(1)
  })
})
