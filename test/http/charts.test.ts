import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema, TestClock } from "effect"
import { Layer, Logger } from "effect"
import { Task, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import * as Charts from "../../src/http/charts.js"
import { families } from "../../src/http/ownMetrics.js"
import { render } from "../../src/http/prometheus.js"
import { engine, wrappedBackend } from "../support/engine.js"
import { Fails, Flaky, Orphan, send, serve, tasks, Works } from "./support.js"

const { awaitStatus } = TaskflowTest
const open = TaskHttp.layer({ auth: TaskAuth.open })
const minute = 60_000

const Slow = Task.make("slow", { payload: { millis: Schema.Number } })
const slow = Layer.provideMerge(
  Layer.provide(Slow.toLayer(({ millis }) => Effect.sleep(millis)), Logger.remove(Logger.defaultLogger)),
  engine({ maxConcurrentTasks: 1 })
)

describe("GET /tasks/stats and /tasks/buckets", () => {
  it.scoped("sum up what ended in the window, with durations and waits", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_767_225_600_000)
      const base = yield* serve(open)
      const get = (path: string) =>
        Effect.map(send(base, "GET", path), ({ body, status }) => {
          expect(status, JSON.stringify(body)).toBe(200)
          return body
        })
      expect(yield* get("/tasks/stats")).toMatchObject({ ended: 0, successRate: null, throughput: 0 })
      const ids = [(yield* Slow.enqueue({ millis: 1_000 })).taskId, (yield* Slow.enqueue({ millis: 3_000 })).taskId]
      yield* TestClock.adjust("5 seconds")
      for (const id of ids) yield* awaitStatus(id, "success")
      yield* TestClock.adjust("10 minutes")
      const hour = yield* get("/tasks/stats?window=1h")
      expect(hour).toMatchObject({
        from: "2025-12-31T23:10:00.000Z",
        to: "2026-01-01T00:10:05.000Z",
        ended: 2,
        success: 2,
        failed: 0,
        successRate: 1,
        durations: { count: 2, average: 2_000, min: 1_000, max: 3_000 },
        // The second waited for the first.
        waits: { count: 2, average: 500, min: 0, max: 1_000 }
      })
      expect(hour.throughput).toBeCloseTo(2 / (60 + 5 / 60), 3)
      expect(hour.durations.p95).toBeGreaterThan(2_800)
      expect(yield* get("/tasks/stats?window=5m")).toMatchObject({ ended: 0 })
      expect(yield* get("/tasks/stats?window=1h&task=other")).toMatchObject({ ended: 0 })
      const series = yield* get("/tasks/buckets?window=1h&points=30")
      expect(series.width).toBe(2 * minute)
      expect(series.items).toHaveLength(31)
      expect(series.items.filter(({ success }: any) => success > 0)).toEqual([
        expect.objectContaining({
          at: "2026-01-01T00:00:00.000Z",
          success: 2,
          durations: expect.objectContaining({ count: 2 }),
          waits: expect.objectContaining({ max: 1_000 })
        })
      ])
      for (const query of ["window=all", "window=x", "window=0m", "points=0", "points=121", "points=1.5"]) {
        expect((yield* send(base, "GET", `/tasks/buckets?${query}`)).status, query).toBe(400)
      }
    }).pipe(Effect.provide(slow)))

  it.scoped("ask the backend once for all who look at the same", () => {
    let asked = 0
    const counting = wrappedBackend((backend) => ({
      rollups: (query) =>
        Effect.suspend(() => {
          asked += 1
          return backend.rollups(query)
        }),
      stats: (query) =>
        Effect.suspend(() => {
          asked += 1
          return backend.stats(query)
        }),
      count: (query, most) =>
        Effect.suspend(() => {
          asked += 1
          return backend.count(query, most)
        })
    }))
    return Effect.gen(function*() {
      const base = yield* serve(open)
      for (
        const path of ["/tasks/stats?window=1h", "/tasks/buckets", "/tasks/metrics", "/tasks/facets", "/tasks?limit=1"]
      ) {
        asked = 0
        yield* Effect.forEach(Array.from({ length: 20 }), () => send(base, "GET", path), { concurrency: 20 })
        expect(asked, path).toBeLessThanOrEqual(1)
      }
      asked = 0
      yield* TestClock.adjust("1 minute")
      yield* send(base, "GET", "/tasks/metrics")
      expect(asked).toBe(1)
    }).pipe(Effect.provide(tasks(counting)))
  })

  it("choose widths that people read, and never more points than asked for", () => {
    const hour = 60 * minute
    expect(Charts.widthOf(hour, 60)).toBe(minute)
    expect(Charts.widthOf(24 * hour, 60)).toBe(30 * minute)
    expect(Charts.widthOf(7 * 24 * hour, 60)).toBe(180 * minute)
    for (const window of [minute, 7 * minute, hour, 25 * hour, 3_650 * 24 * hour]) {
      for (const points of [1, 7, 60, 120]) {
        const width = Charts.widthOf(window, points)
        expect(width % minute).toBe(0)
        expect(window / width).toBeLessThanOrEqual(points)
      }
    }
  })
})

const Later = Task.make("later", { error: Schema.String, retry: { retries: 1, delay: "1 hour" } })
const later = (backend?: Parameters<typeof engine>[1]) =>
  Layer.provideMerge(
    Layer.provide(Later.toLayer(() => Effect.fail("not now")), Logger.remove(Logger.defaultLogger)),
    engine({}, backend)
  )

describe("GET /tasks/overview", () => {
  it.scoped("sets a window beside the one before it, names what fails, and tells what waits", () =>
    Effect.gen(function*() {
      // Three quarters of a minute past a full hour.
      const start = 1_767_225_600_000 + 45_000
      yield* TestClock.setTime(start)
      const base = yield* serve(open)
      const get = (window: string) =>
        Effect.map(send(base, "GET", `/tasks/overview?window=${window}`), ({ body, status }) => {
          expect(status, JSON.stringify(body)).toBe(200)
          return body
        })
      expect(yield* get("1h")).toMatchObject({
        current: { ended: 0, successRate: null },
        tasks: [],
        names: 0,
        attention: 0,
        waiting: null,
        late: []
      })
      yield* awaitStatus((yield* Works.enqueue({ n: 1 })).taskId, "success")
      yield* awaitStatus((yield* Fails.enqueue()).taskId, "failed")
      yield* TestClock.adjust("1 hour")
      for (const n of [2, 3]) yield* awaitStatus((yield* Works.enqueue({ n })).taskId, "success")
      const orphan = yield* Orphan.enqueue({ note: "nobody takes it" })
      yield* Orphan.enqueue({ note: "not yet" }, { delay: "1 day" })
      yield* TestClock.adjust("10 seconds")
      const hour = yield* get("1h")
      expect(hour).toMatchObject({
        width: minute,
        current: {
          ended: 2,
          success: 2,
          successRate: 1,
          to: "2026-01-01T01:00:55.000Z",
          from: "2026-01-01T00:01:00.000Z"
        },
        previous: {
          ended: 2,
          failed: 1,
          successRate: 0.5,
          from: "2025-12-31T23:01:00.000Z",
          to: "2026-01-01T00:01:00.000Z"
        },
        names: 1,
        pending: 2,
        running: 0,
        retrying: 0,
        attention: 1,
        waiting: { taskId: orphan.taskId, taskName: "orphan", since: "2026-01-01T01:00:45.000Z" }
      })
      expect(hour.items).toHaveLength(60)
      expect(hour.items.at(-1)).toMatchObject({ at: "2026-01-01T01:00:00.000Z", success: 2 })
      expect(hour.tasks).toMatchObject([{ taskName: "works", success: 2, failed: 0, durations: { count: 2 } }])
      expect(hour.tasks[0].ended.slice(-2)).toEqual([0, 2])
      for (
        const [window, slots, width] of [["15m", 15, minute], ["24h", 24, 60 * minute], [
          "7d",
          84,
          120 * minute
        ]] as const
      ) {
        const { current, items, width: told } = yield* get(window)
        expect([items.length, told, current.ended], window).toEqual([slots, width, window === "15m" ? 2 : 4])
      }
      const [first, second] = (yield* get("24h")).tasks
      expect(first).toMatchObject({ taskName: "fails", failed: 1 })
      expect(first.bad).toEqual(first.ended)
      expect(second).toMatchObject({ taskName: "works", success: 3 })
      expect((yield* send(base, "GET", "/tasks/overview?window=2h")).status).toBe(400)
    }).pipe(Effect.provide(tasks())))

  it.scoped("asks the backend once for all who look at the same time", () => {
    let asked = 0
    return Effect.gen(function*() {
      const base = yield* serve(open)
      const look = send(base, "GET", "/tasks/overview")
      yield* look
      const once = asked
      yield* Effect.all(Array.from({ length: 10 }, () => look), { concurrency: 10 })
      expect(asked).toBe(once)
      yield* TestClock.adjust("3 seconds")
      yield* look
      expect(asked).toBe(2 * once)
    }).pipe(Effect.provide(engine(
      {},
      wrappedBackend(({ rollups }) => ({
        rollups: (query) => {
          asked += 1
          return rollups(query)
        }
      }))
    )))
  })
})

describe("GET /tasks/facets and totals", () => {
  it.scopedLive("count what a filter shows by status, and say where they stop", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      for (let n = 0; n < 3; n += 1) yield* awaitStatus((yield* Works.enqueue({ n })).taskId, "success")
      yield* awaitStatus((yield* Fails.enqueue()).taskId, "failed")
      yield* awaitStatus((yield* Flaky.enqueue()).taskId, "failed")
      yield* Orphan.enqueueMany(Array.from({ length: 4 }, (_, n) => ({ note: String(n) })))
      const facets = (query: string) => Effect.map(send(base, "GET", `/tasks/facets?${query}`), ({ body }) => body)
      const none = { pending: 0, running: 0, retrying: 0, success: 0, failed: 0, interrupted: 0, cancelled: 0 }
      expect(yield* facets("")).toEqual({
        ...none,
        ...{ pending: 4, success: 3, failed: 2 },
        ...{ atLeast: [], complete: true, applied: { q: "" } }
      })
      expect(yield* facets("task=works&tag=parity:even")).toMatchObject({ ...none, success: 2 })
      expect(yield* facets("q=attempts:%3E1")).toMatchObject({ ...none, failed: 1, complete: true })
      expect(yield* facets("q=task:works,orphan")).toMatchObject({ ...none, pending: 4, success: 3 })
      expect((yield* send(base, "GET", "/tasks/facets?q=nope:1")).body._tag).toBe("TaskFilterError")
      const page = (query: string) =>
        Effect.map(send(base, "GET", `/tasks?${query}`), ({ body }) => [body.total, body.totalIsFloor, body.complete])
      expect(yield* page("limit=2")).toEqual([9, false, true])
      expect(yield* page("limit=2&status=failed,success")).toEqual([5, false, true])
      expect(yield* page("limit=2&status=failed&q=status:success")).toEqual([0, false, true])
      expect(yield* page("q=attempts:%3E1")).toEqual([1, false, true])
      expect(yield* page("limit=1&q=attempts:%3E0")).toEqual([1, true, true])
    }).pipe(Effect.provide(tasks())))

  it.scoped("tell those that wait for their next attempt, whether the backend counts them or rows have to be looked at", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const { taskId } = yield* Later.enqueue()
      yield* TestClock.adjust("1 second")
      expect((yield* TaskManager.pipe(Effect.flatMap((manager) => manager.get(taskId)))).nextAttemptAt).not.toBeNull()
      for (const query of ["", "task=later", "q=attempts:1", "q=status:running,failed"]) {
        const { body } = yield* send(base, "GET", `/tasks/facets?${query}`)
        expect(body, query).toMatchObject({ running: 1, retrying: 1, atLeast: [] })
      }
      expect((yield* send(base, "GET", "/tasks/facets?status=pending")).body.retrying).toBe(0)
    }).pipe(
      Effect.provide(later(wrappedBackend(({ count }) => ({
        // As a backend that does not tell.
        count: (query, most) =>
          Effect.map(
            count(query, most),
            ({ capped, counts, retrying }) =>
              query.taskName === undefined ? { capped, counts } : { capped, counts, retrying }
          )
      }))))
    ))

  it.scopedLive("say that there are more than ten thousand, and do not count them", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      yield* Orphan.enqueueMany(Array.from({ length: 10_050 }, (_, n) => ({ note: String(n) })))
      const { body } = yield* send(base, "GET", "/tasks?limit=1")
      expect([body.total, body.totalIsFloor]).toEqual([10_000, true])
      const facets = yield* send(base, "GET", "/tasks/facets")
      expect(facets.body).toMatchObject({ pending: 10_000, atLeast: ["pending"], complete: true })
      const scanned = yield* send(base, "GET", "/tasks?q=nowhere")
      expect(scanned.body).toMatchObject({ items: [], complete: false, totalIsFloor: true })
      expect(scanned.body.nextCursor).not.toBe(null)
    }).pipe(Effect.provide(engine({}, wrappedBackend(() => ({}), { maxLive: 20_000 })))))
})

describe("GET /tasks/suggest", () => {
  it.scopedLive("offers keys, names of tasks, and tags that were seen, none that are secret", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      yield* Works.enqueue({ n: 1 }, { tags: { tenant: "acme", apiKey: "tag-secret" } })
      const suggest = (text: string) =>
        Effect.map(
          send(base, "GET", `/tasks/suggest?text=${encodeURIComponent(text)}`),
          ({ body }) => body.items.map(({ insert }: any) => insert)
        )
      expect(yield* suggest("sta")).toContain("status:")
      expect(yield* suggest("task:w")).toEqual(["works"])
      const tags = yield* suggest("tag:")
      expect(JSON.stringify(tags)).toContain("tenant")
      expect(JSON.stringify(tags)).not.toMatch(/apiKey|tag-secret/)
      expect((yield* send(base, "GET", "/tasks/suggest")).status).toBe(400)
    }).pipe(Effect.provide(tasks())))
})

describe("GET /tasks/metrics/prometheus", () => {
  it.scopedLive("tells counters and gauges of the fleet, with names that cannot break the format", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      for (let n = 0; n < 3; n += 1) yield* awaitStatus((yield* Works.enqueue({ n })).taskId, "success")
      yield* awaitStatus((yield* Fails.enqueue()).taskId, "failed")
      yield* Orphan.enqueue({ note: "x" })
      const { headers, status, text } = yield* send(base, "GET", "/tasks/metrics/prometheus")
      expect(status).toBe(200)
      expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8")
      for (
        const line of [
          "# TYPE taskflow_tasks_ended_total counter",
          "taskflow_tasks_ended_total{task=\"works\",status=\"success\"} 3",
          "taskflow_tasks_ended_total{task=\"fails\",status=\"failed\"} 1",
          "taskflow_tasks_pending{task=\"orphan\"} 1",
          "taskflow_task_duration_seconds_count{task=\"works\"} 3",
          "taskflow_task_wait_seconds_count{task=\"fails\"} 1",
          "taskflow_instances 1",
          "# TYPE taskflow_journal_commit_seconds histogram",
          "# TYPE taskflow_lease_renewals_total counter"
        ]
      ) expect(text.split("\n"), line).toContain(line)
      const { instance } = yield* TaskManager
      const valueOf = (sample: string) =>
        Number(text.split("\n").find((line) => line.startsWith(`${sample} `))!.split(" ")[1])
      const labels = `instance="${instance}"`
      const commits = valueOf(`taskflow_journal_batch_changes_count{${labels}}`)
      expect(commits).toBeGreaterThan(0)
      expect(valueOf(`taskflow_journal_batch_changes_bucket{${labels},le="+Inf"}`)).toBe(commits)
      expect(valueOf(`taskflow_journal_batch_changes_bucket{${labels},le="10000"}`)).toBe(commits)
      expect(valueOf(`taskflow_events_dropped_total{${labels}}`)).toBe(0)
    }).pipe(Effect.provide(tasks())))

  it("escapes what labels may not hold", () => {
    const text = render({
      now: 0,
      instances: [],
      own: families("i-1"),
      ended: [],
      unfinished: { tasks: [{ taskName: "a\"b\\c\nd", pending: 1, running: 0 }], capped: false }
    })
    expect(text).toContain("taskflow_tasks_pending{task=\"a\\\"b\\\\c\\nd\"} 1\n")
    for (const line of text.trimEnd().split("\n")) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="([^"\\\n]|\\["\\n])*",?)*\})? \S+)$/)
    }
  })
})
