import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import { Task, type TaskRecord } from "effect-taskflow"
import * as TaskRedaction from "../../src/http/TaskRedaction.js"
import * as TaskView from "../../src/http/TaskView.js"
import type { AttemptEntry } from "../../src/TaskBackend.js"
import { fromEnqueued } from "../../src/TaskRecord.js"

const taskId = "01890a5d-ac96-774b-bcce-b302099a8057" as TaskRecord.TaskRecord["taskId"]
const redaction = TaskRedaction.make()
const plain = { payload: true, logs: true, redaction }
const instance = "here" as NonNullable<TaskRecord.TaskRecord["owner"]>

const record = (change: Partial<TaskRecord.TaskRecord> = {}): TaskRecord.TaskRecord => ({
  ...fromEnqueued({
    _tag: "Enqueued",
    taskId,
    at: 0,
    taskName: "t",
    kind: "task",
    payload: "{}",
    priority: 0,
    tags: {},
    idempotencyKey: null,
    keyTtl: null,
    source: "manual",
    schedule: null,
    executor: "fiber",
    requeueOnInterrupt: false,
    maxCrashes: 3,
    definitionVersion: 1,
    runAt: null,
    retryOf: null,
    trace: null,
    owner: null
  }),
  ...change
})

const failure = {
  kind: "error",
  name: "E",
  message: "broke",
  stack: "E: broke\n  at x",
  error: "{\"secret\":1}"
} as const

describe("summary", () => {
  it("gives times as ISO in UTC, durations in milliseconds, and nulls for what is not known", () => {
    expect(TaskView.summary(record(), redaction)).toMatchObject({
      createdAt: "1970-01-01T00:00:00.000Z",
      startedAt: null,
      duration: null
    })
    expect(TaskView.summary(record({ status: "success", startedAt: 1_000, endedAt: 2_500 }), redaction)).toMatchObject({
      startedAt: "1970-01-01T00:00:01.000Z",
      endedAt: "1970-01-01T00:00:02.500Z",
      duration: 1_500
    })
  })

  it("shows the message of a failure, cut, and neither its stack nor the error's stored fields", () => {
    const shown = TaskView.summary(record({ status: "failed", failure, failures: 3 }), redaction)
    expect(shown).toMatchObject({ error: "broke", retriesUsed: 2 })
    expect(shown).not.toHaveProperty("stacktrace")
    expect(JSON.stringify(shown)).not.toContain("secret")
    const long = TaskView.summary(record({ failure: { ...failure, message: "x".repeat(9_999) } }), redaction)
    expect(long.error).toBe(`${"x".repeat(499)}…`)
  })

  it("shows the schedule and its slot", () => {
    const schedule = { name: "nightly", slot: 3_600_000 }
    expect(TaskView.summary(record({ schedule, source: "scheduled" }), redaction)).toMatchObject({
      schedule: { name: "nightly", slot: "1970-01-01T01:00:00.000Z" }
    })
  })

  it("of a failure of several parts the task by itself has the parts, secrets replaced", () => {
    const part = {
      depth: 1,
      kind: "error",
      name: "E",
      message: "password=hunter22 no",
      stack: "    at x token=abcdef here"
    } as const
    const cause = {
      parts: [{ depth: 0, kind: "parallel", name: "", message: "", stack: "" } as const, part],
      omitted: 3
    }
    const shown = TaskView.detail(record({ status: "failed", failure: { ...failure, cause } }), undefined, plain)
    expect(shown.cause).toEqual({
      parts: [cause.parts[0], { ...part, message: "password=<redacted> no", stack: "    at x token=<redacted> here" }],
      omitted: 3
    })
    expect(TaskView.detail(record({ status: "failed", failure }), undefined, plain).cause).toBe(null)
    expect(TaskView.summary(record({ failure: { ...failure, cause } }), redaction)).not.toHaveProperty("cause")
  })

  it("survives moments no Date can hold", () => {
    for (const runAt of [Number.MAX_VALUE, Number.POSITIVE_INFINITY]) {
      expect(TaskView.summary(record({ runAt }), redaction).runAt).toBe("+275760-09-13T00:00:00.000Z")
    }
  })
})

describe("detail", () => {
  const encoded = (task: Task.Any, payload: unknown) => Effect.runSync(task.definition.payload.encode(payload))
  const shown = (task: Task.Any, change: Partial<TaskRecord.TaskRecord>) =>
    TaskView.detail(record(change), task.definition, plain)

  const Secrets = Task.make("t", {
    payload: {
      user: Schema.String,
      token: Schema.Redacted(Schema.String),
      list: Schema.Array(Schema.Struct({ key: Schema.Redacted(Schema.String), id: Schema.Number })),
      config: Schema.parseJson(Schema.Struct({ password: Schema.Redacted(Schema.String) }))
    }
  })
  const payload = encoded(Secrets, {
    user: "ada",
    token: Redacted.make("s1-secret"),
    list: [{ key: Redacted.make("s2-secret"), id: 1 }],
    config: { password: Redacted.make("s3-secret") }
  })

  it("shows the trace that the task was enqueued in, and no other text that may be stored there", () => {
    const trace = (text: string | null) => shown(Secrets, { payload, trace: text }).trace
    expect(trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 vendor=secret")).toEqual({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      sampled: true
    })
    expect([trace(null), trace("<script>"), trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331")])
      .toEqual([null, null, null])
  })

  it("replaces every secret, at any depth, also inside JSON text", () => {
    expect(payload).toContain("s3-secret")
    expect(shown(Secrets, { payload }).payload).toEqual({
      user: "ada",
      token: "<redacted>",
      list: [{ key: "<redacted>", id: 1 }],
      config: "<redacted>"
    })
  })

  it("says what is hidden, and leaves out what is not there", () => {
    const Sum = Task.make("t", { success: Schema.Number })
    const done = record({ status: "success", result: "3" })
    const hidden = (visible: Partial<TaskView.Visible>, change = done) =>
      TaskView.detail(change, Sum.definition, { ...plain, ...visible }).hidden
    expect(hidden({})).toEqual([])
    expect(hidden({ payload: false })).toEqual(["payload", "result"])
    expect(hidden({ payload: false, logs: false })).toEqual(["payload", "result", "logs"])
    expect(hidden({ payload: false }, record())).toEqual(["payload"])
    expect(hidden({ logs: false })).toEqual(["logs"])
  })

  it("hides everything without a definition, of another version, and of an effect", () => {
    expect(TaskView.detail(record({ payload }), undefined, plain)).not.toHaveProperty("payload")
    for (const change of [{ definitionVersion: 2 }, { definitionVersion: 0 }, { kind: "effect" }] as const) {
      expect(shown(Secrets, { payload, ...change })).not.toHaveProperty("payload")
    }
  })

  it("shows a result only where the definition declares one, and null for what is no JSON", () => {
    const Sum = Task.make("t", { success: Schema.Number })
    expect(shown(Sum, { status: "success", result: "3" })).toMatchObject({ payload: {}, result: 3 })
    expect(shown(Sum, { status: "running" })).not.toHaveProperty("result")
    expect(shown(Secrets, { payload, result: "3" })).not.toHaveProperty("result")
    expect(shown(Sum, { payload: "{", result: "[" })).toMatchObject({ payload: null, result: null })
  })
})

describe("attempts", () => {
  const entry = (attempt: number, outcome: AttemptEntry["outcome"]): AttemptEntry => ({
    claim: attempt,
    attempt,
    instance,
    startedAt: attempt * 1_000,
    endedAt: attempt * 1_000 + 400,
    outcome,
    failure: outcome === "failed" ? failure : null
  })
  const outcomes = (change: Partial<TaskRecord.TaskRecord>, ledger: ReadonlyArray<AttemptEntry>) =>
    TaskView.attempts(record(change), ledger, redaction).map(({ attempt, outcome }) => `${attempt} ${outcome}`)

  it("adds the attempt that only the record tells of", () => {
    expect(outcomes({}, [])).toEqual([])
    expect(outcomes({ status: "running", attempts: 1, owner: instance }, [])).toEqual(["1 running"])
    expect(outcomes({ status: "failed", attempts: 2, failure }, [entry(1, "failed")])).toEqual(["1 failed", "2 failed"])
    expect(outcomes({ status: "success", attempts: 2 }, [entry(1, "failed")])).toEqual(["1 failed", "2 success"])
  })

  it("adds none that the ledger has, and none while the task waits", () => {
    expect(outcomes({ status: "running", attempts: 1, nextAttemptAt: 5 }, [entry(1, "failed")])).toEqual(["1 failed"])
    expect(outcomes({ status: "cancelled", attempts: 1 }, [entry(1, "failed")])).toEqual(["1 failed"])
    expect(outcomes({ status: "pending", attempts: 1 }, [entry(1, "requeued")])).toEqual(["1 requeued"])
    // The record was read before its attempt was entered in the ledger.
    expect(outcomes({ status: "running", attempts: 1, owner: instance }, [entry(1, "snoozed")])).toEqual(["1 snoozed"])
  })
})

describe("log lines", () => {
  const line = {
    sequence: 1,
    claim: 1,
    attempt: 1,
    at: 1_767_225_600_999,
    level: "info",
    message: "a\nb",
    annotations: null
  } as const

  it("as text are `YYYY-MM-DDTHH:MM:SS message` in UTC", () => {
    expect(TaskView.logText(line, "t", redaction)).toBe("2026-01-01T00:00:00 a\nb")
  })

  it("as data carry their annotations, whatever was stored", () => {
    expect(TaskView.logLine({ ...line, annotations: "{\"n\":1}" }, "t", redaction).annotations).toEqual({ n: 1 })
    for (const annotations of [null, "", "3", "null", "{"]) {
      expect(TaskView.logLine({ ...line, annotations }, "t", redaction).annotations).toEqual({})
    }
  })
})

describe("metrics", () => {
  it("rates successes among what ended, not among all", () => {
    const stats = {
      counts: { pending: 10, running: 5, success: 6, failed: 1, interrupted: 1, cancelled: 2 },
      durations: { count: 7, sum: 700, min: 1, max: 500, p50: 90, p95: 400, p99: 480 }
    }
    expect(TaskView.metrics(stats)).toEqual({
      ...stats.counts,
      total: 25,
      successRate: 0.6,
      averageDuration: 100,
      minDuration: 1,
      maxDuration: 500,
      p50Duration: 90,
      p95Duration: 400,
      p99Duration: 480
    })
  })
})
