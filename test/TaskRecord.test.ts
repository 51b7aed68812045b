import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, FastCheck as fc, Option, Schema } from "effect"
import {
  AttemptFailed,
  CancelRequested,
  Enqueued,
  InstanceId,
  Requeued,
  Snoozed,
  Started,
  TaskEvent,
  type TaskFailure
} from "../src/TaskEvent.js"
import * as TaskId from "../src/TaskId.js"
import * as TaskRecord from "../src/TaskRecord.js"

const ids = TaskId.deterministic()
const taskId = ids.next(0)
const foreignId = ids.next(0)

// Events as the schema allows them, all of one task.
const enqueued = Arbitrary.make(Enqueued).map((event): Enqueued => ({ ...event, taskId }))
const event = Arbitrary.make(TaskEvent).map((made): TaskEvent => ({ ...made, taskId }))
// More often than not those that keep a task alive, or most lives would be short.
const lively = Arbitrary.make(Schema.Union(Started, AttemptFailed, Snoozed, CancelRequested, Requeued))
  .map((made): TaskEvent => ({ ...made, taskId }))
const events = fc.array(fc.oneof({ weight: 3, arbitrary: lively }, event), { maxLength: 40 })

interface Step {
  readonly before: TaskRecord.TaskRecord
  readonly event: TaskEvent
  readonly after: Option.Option<TaskRecord.TaskRecord>
}

/** Applies what can be applied and tells of every event what became of it. */
const fold = (first: Enqueued, further: ReadonlyArray<TaskEvent>) => {
  let record = TaskRecord.fromEnqueued(first)
  const steps: Array<Step> = []
  for (const event of further) {
    const after = TaskRecord.apply(record, event)
    steps.push({ before: record, event, after })
    record = Option.getOrElse(after, () => record)
  }
  return { record, steps }
}

// The state machine in the words of the design, apart from the code: what a task is in, what may happen to it there.
type State =
  | "pending"
  | "live"
  | "live, cancel asked"
  | "waiting"
  | "pending, cancel asked"
  | "success"
  | "failed"
  | "interrupted"
  | "cancelled"
const model: { readonly [From in State]: { readonly [Tag in TaskEvent["_tag"]]?: State } } = {
  pending: { Started: "live", Cancelled: "cancelled" },
  live: {
    AttemptFailed: "waiting",
    Snoozed: "waiting",
    Succeeded: "success",
    Failed: "failed",
    CancelRequested: "live, cancel asked",
    Cancelled: "cancelled",
    Interrupted: "interrupted",
    Requeued: "pending",
    Logged: "live",
    Progressed: "live"
  },
  // No new attempt after a cancel: it ends here, or its end is left to whoever honours the cancel.
  "live, cancel asked": {
    Succeeded: "success",
    Failed: "failed",
    Cancelled: "cancelled",
    Interrupted: "interrupted",
    Requeued: "pending, cancel asked",
    Logged: "live, cancel asked",
    Progressed: "live, cancel asked"
  },
  waiting: { Started: "live", Cancelled: "cancelled" },
  "pending, cancel asked": { Cancelled: "cancelled" },
  success: {},
  failed: {},
  interrupted: {},
  cancelled: {}
}
const stateOf = (record: TaskRecord.TaskRecord): State => {
  if (record.status === "pending") return record.cancelRequested ? "pending, cancel asked" : "pending"
  if (record.status !== "running") return record.status
  if (record.nextAttemptAt !== null) return "waiting"
  return record.cancelRequested ? "live, cancel asked" : "live"
}

const failure: TaskFailure = { kind: "error", name: "SmtpError", message: "503", stack: "…", error: "{\"code\":503}" }
const instance = InstanceId.make("instance-1")
const other = InstanceId.make("instance-2")
const accepted: Enqueued = {
  _tag: "Enqueued",
  taskId,
  at: 1_000,
  taskName: "send_email",
  kind: "task",
  payload: "{\"address\":\"a@x\"}",
  priority: 8,
  tags: { userId: "u1" },
  idempotencyKey: "welcome-u1",
  keyTtl: 60_000,
  source: "manual",
  schedule: null,
  executor: "fiber",
  requeueOnInterrupt: true,
  maxCrashes: 3,
  definitionVersion: 2,
  runAt: 5_000,
  retryOf: foreignId,
  trace: "00-trace",
  owner: null
}

const started = (at: number, claim = 1, owner = instance): TaskEvent => ({
  _tag: "Started",
  taskId,
  at,
  instance: owner,
  claim
})
const attemptFailed = (at: number, nextAttemptAt: number): TaskEvent => ({
  _tag: "AttemptFailed",
  taskId,
  at,
  failure,
  nextAttemptAt
})
const logged = (message: string, annotations: string | null): TaskEvent => ({
  _tag: "Logged",
  taskId,
  at: 1,
  line: { sequence: 1, claim: 1, attempt: 1, at: 1, level: "info", message, annotations }
})
const cancelRequested: TaskEvent = { _tag: "CancelRequested", taskId, at: 1_500 }
const cancelled: TaskEvent = { _tag: "Cancelled", taskId, at: 1_600 }
const succeeded: TaskEvent = { _tag: "Succeeded", taskId, at: 1_700, result: "7" }
const failed: TaskEvent = { _tag: "Failed", taskId, at: 1_700, failure, stopReason: "retriesSpent" }
const requeued: TaskEvent = { _tag: "Requeued", taskId, at: 1_800, stopReason: "shutdown" }
const interrupted: TaskEvent = { _tag: "Interrupted", taskId, at: 1_800, stopReason: "lostLease" }
const snoozed: TaskEvent = { _tag: "Snoozed", taskId, at: 1_400, until: 9_000 }

/** The record after events that must all be legal. */
const after = (...further: ReadonlyArray<TaskEvent>) => {
  const { record, steps } = fold(accepted, further)
  expect(steps.filter((step) => Option.isNone(step.after)).map((step) => step.event._tag)).toEqual([])
  return record
}

describe("TaskRecord", () => {
  describe("fromEnqueued", () => {
    it.prop("is pending, holds every fact of the event, and is a TaskRecord", [enqueued], ([first]) => {
      const record = TaskRecord.fromEnqueued(first)
      const { _tag, at, ...facts } = first
      expect(record).toMatchObject({ ...facts, status: "pending", createdAt: at })
      expect(record).toMatchObject({ attempts: 0, failures: 0, crashes: 0, cancelRequested: false })
      expect(Schema.is(TaskRecord.TaskRecord)(record)).toBe(true)
    })

    it("counts a window's hold as the first claim", () => {
      expect(TaskRecord.fromEnqueued({ ...accepted, owner: null })).toMatchObject({ owner: null, claim: 0 })
      expect(TaskRecord.fromEnqueued({ ...accepted, owner: instance })).toMatchObject({ owner: instance, claim: 1 })
    })
  })

  describe("apply", () => {
    it.prop(
      "accepts exactly what the state machine allows, and goes where it says",
      [enqueued, events],
      ([first, all]) => {
        for (const { after, before, event } of fold(first, all).steps) {
          const expected = model[stateOf(before)][event._tag]
          expect(Option.getOrUndefined(Option.map(after, stateOf))).toBe(expected)
        }
      },
      { fastCheck: { numRuns: 300 } }
    )

    it.prop("never leaves a terminal status", [enqueued, events, events], ([first, before, later]) => {
      // Whatever came before, these ends one after the other end it.
      const { record } = fold(first, [...before, started(1), succeeded, failed, cancelled])
      expect(TaskRecord.isDone(record)).toBe(true)
      for (const event of later) expect(TaskRecord.apply(record, event)).toEqual(Option.none())
    })

    it.prop("replayed over the accepted events gives the identical record", [enqueued, events], ([first, all]) => {
      const { record, steps } = fold(first, all)
      const kept = steps.filter((step) => Option.isSome(step.after)).map((step) => step.event)
      const replayed = fold(first, kept)
      expect(replayed.record).toStrictEqual(record)
      expect(replayed.steps.every((step) => Option.isSome(step.after))).toBe(true)
    })

    it.prop("changes no record in place and always gives a TaskRecord", [enqueued, events], ([first, all]) => {
      let record = Object.freeze(TaskRecord.fromEnqueued(Object.freeze(first)))
      for (const event of all) {
        record = Object.freeze(Option.getOrElse(TaskRecord.apply(record, Object.freeze(event)), () => record))
      }
      expect(Schema.is(TaskRecord.TaskRecord)(record)).toBe(true)
    })

    it.prop("refuses the events of another task", [enqueued, events, event], ([first, all, last]) => {
      const { record } = fold(first, all)
      expect(TaskRecord.apply(record, { ...last, taskId: foreignId })).toEqual(Option.none())
    })

    it.prop("never lets a counter fall, but for crashes, which only go back to 0", [
      enqueued,
      events,
      fc.nat({ max: 5 })
    ], ([first, all, crashes]) => {
      let record: TaskRecord.TaskRecord = { ...TaskRecord.fromEnqueued(first), crashes }
      for (const event of all) {
        const next = Option.getOrElse(TaskRecord.apply(record, event), () => record)
        expect(next.attempts - record.attempts).toBe(event._tag === "Started" && next !== record ? 1 : 0)
        const failing = event._tag === "AttemptFailed" || event._tag === "Failed"
        expect(next.failures - record.failures).toBe(failing && next !== record ? 1 : 0)
        expect(next.logLines).toBeGreaterThanOrEqual(record.logLines)
        expect(next.logBytes).toBeGreaterThanOrEqual(record.logBytes)
        if (next.crashes !== record.crashes) expect(next.crashes).toBe(0)
        record = next
      }
    })

    it.prop("gives an owner exactly to what runs, and an end to what ended", [enqueued, events], ([first, all]) => {
      const { record, steps } = fold({ ...first, owner: null }, all)
      expect(record.owner !== null).toBe(TaskRecord.isLive(record))
      const end = steps.filter((step) => Option.isSome(step.after)).at(-1)?.event.at
      expect(record.endedAt).toBe(TaskRecord.isDone(record) ? end : null)
      expect(record.startedAt !== null).toBe(record.attempts > 0)
    })
  })

  describe("a life", () => {
    it("start: the attempt is counted, owner and claim are the starter's, waits end", () => {
      expect(after(started(2_000, 4))).toStrictEqual({
        ...TaskRecord.fromEnqueued(accepted),
        status: "running",
        owner: instance,
        instance,
        claim: 4,
        attempts: 1,
        startedAt: 2_000,
        attemptStartedAt: 2_000
      })
    })

    it("a failed attempt waits without an owner; the next start keeps the first start's time", () => {
      const waiting = after(started(2_000), attemptFailed(2_100, 3_100))
      expect(waiting).toMatchObject({
        status: "running",
        owner: null,
        instance,
        nextAttemptAt: 3_100,
        failures: 1,
        attempts: 1,
        failure,
        endedAt: null
      })
      expect(TaskRecord.dueAt(waiting)).toBe(3_100)
      const again = after(started(2_000), attemptFailed(2_100, 3_100), started(3_200, 2, other))
      expect(again).toMatchObject({
        owner: other,
        instance: other,
        claim: 2,
        attempts: 2,
        startedAt: 2_000,
        attemptStartedAt: 3_200,
        nextAttemptAt: null,
        failure
      })
    })

    it("a snooze waits like a failed attempt and counts as none", () => {
      const snoozing = after(started(2_000), snoozed)
      expect(snoozing).toMatchObject({ status: "running", owner: null, nextAttemptAt: 9_000, failures: 0, attempts: 1 })
      expect(TaskRecord.retriesUsed(snoozing)).toBe(0)
    })

    it("crashes in a row are forgotten once an attempt came back", () => {
      const crashed = { ...after(started(2_000)), crashes: 2 }
      for (const event of [attemptFailed(2_100, 3_100), snoozed]) {
        expect(Option.getOrThrow(TaskRecord.apply(crashed, event)).crashes).toBe(0)
      }
      expect(Option.getOrThrow(TaskRecord.apply(crashed, requeued)).crashes).toBe(2)
    })

    it("a success keeps its result and drops the failure before it", () => {
      expect(after(started(2_000), attemptFailed(2_100, 3_100), started(3_200), succeeded)).toMatchObject({
        status: "success",
        result: "7",
        failure: null,
        stopReason: null,
        endedAt: 1_700,
        owner: null,
        nextAttemptAt: null,
        failures: 1,
        attempts: 2
      })
    })

    it("a failure keeps why, and counts", () => {
      expect(after(started(2_000), failed)).toMatchObject({
        status: "failed",
        failure,
        stopReason: "retriesSpent",
        failures: 1,
        endedAt: 1_700,
        owner: null
      })
    })

    it("an interruption keeps its reason and consumes nothing", () => {
      expect(after(started(2_000), interrupted)).toMatchObject({
        status: "interrupted",
        stopReason: "lostLease",
        failures: 0,
        endedAt: 1_800,
        owner: null
      })
    })

    it("a requeued task is pending again, the same record, no retry consumed", () => {
      const back = after(started(2_000), requeued)
      expect(back).toMatchObject({ status: "pending", owner: null, failures: 0, attempts: 1, endedAt: null })
      expect(TaskRecord.retriesUsed(back)).toBe(0)
      expect(after(started(2_000), requeued, started(2_500, 2))).toMatchObject({ attempts: 2, startedAt: 2_000 })
    })

    it("a cancel takes a pending or waiting task at once", () => {
      for (const path of [[], [started(2_000), attemptFailed(2_100, 3_100)], [started(2_000), snoozed]]) {
        expect(after(...path, cancelled)).toMatchObject({
          status: "cancelled",
          stopReason: "cancel",
          endedAt: 1_600,
          owner: null,
          nextAttemptAt: null
        })
      }
    })

    it("a cancel asked of a running task lets a success win, and no further attempt begin", () => {
      const asked = after(started(2_000), cancelRequested)
      expect(asked).toMatchObject({ status: "running", cancelRequested: true, owner: instance })
      expect(Option.map(TaskRecord.apply(asked, succeeded), (record) => record.status)).toEqual(Option.some("success"))
      for (const refused of [attemptFailed(2_100, 3_100), snoozed, cancelRequested, started(2_200)]) {
        expect(TaskRecord.apply(asked, refused)).toEqual(Option.none())
      }
    })

    it("a cancel asked of a task that went back to pending still keeps it from starting", () => {
      const back = after(started(2_000), cancelRequested, requeued)
      expect(back).toMatchObject({ status: "pending", cancelRequested: true })
      expect(TaskRecord.apply(back, started(2_100))).toEqual(Option.none())
      expect(Option.map(TaskRecord.apply(back, cancelled), (record) => record.status)).toEqual(Option.some("cancelled"))
    })

    it("a success after a cancel is None", () => {
      expect(TaskRecord.apply(after(cancelled), succeeded)).toEqual(Option.none())
      expect(TaskRecord.apply(after(started(2_000), cancelRequested, cancelled), succeeded)).toEqual(Option.none())
    })

    it("a second start of a live attempt is None", () => {
      expect(TaskRecord.apply(after(started(2_000)), started(2_001, 2, other))).toEqual(Option.none())
    })

    it("log lines are counted with their annotations, progress is the last one said", () => {
      const progressed: TaskEvent = { _tag: "Progressed", taskId, at: 1, progress: { value: 0.4, message: "page 41" } }
      expect(after(started(2_000), logged("hello", null), logged("ab", "{\"a\":1}"), progressed)).toMatchObject({
        logLines: 2,
        logBytes: 5 + 2 + 7,
        progress: { value: 0.4, message: "page 41" }
      })
    })
  })

  describe("questions", () => {
    it.prop("isWaiting, isLive, isDone and pending exclude each other", [enqueued, events], ([first, all]) => {
      const { record } = fold(first, all)
      const answers = [
        record.status === "pending",
        TaskRecord.isWaiting(record),
        TaskRecord.isLive(record),
        TaskRecord.isDone(record)
      ]
      expect(answers.filter((answer) => answer)).toHaveLength(1)
    })

    it("dueAt is the next attempt's time, else when the task may start, else null", () => {
      expect(TaskRecord.dueAt(after())).toBe(5_000)
      expect(TaskRecord.dueAt({ ...after(), runAt: null })).toBeNull()
      expect(TaskRecord.dueAt(after(started(5_000), attemptFailed(5_100, 6_000)))).toBe(6_000)
    })

    it("retriesUsed is the zero-based index of the attempt that runs or ended the task", () => {
      const retry = [attemptFailed(2_100, 3_100), started(3_100)]
      expect(TaskRecord.retriesUsed(after())).toBe(0)
      expect(TaskRecord.retriesUsed(after(started(1)))).toBe(0)
      expect(TaskRecord.retriesUsed(after(started(1), ...retry))).toBe(1)
      expect(TaskRecord.retriesUsed(after(started(1), ...retry, ...retry))).toBe(2)
      expect(TaskRecord.retriesUsed(after(started(1), ...retry, ...retry, succeeded))).toBe(2)
      expect(TaskRecord.retriesUsed(after(started(1), failed))).toBe(0)
      expect(TaskRecord.retriesUsed(after(started(1), ...retry, failed))).toBe(1)
      expect(TaskRecord.retriesUsed(after(started(1), ...retry, snoozed, started(9_000), requeued))).toBe(1)
      expect(TaskRecord.retriesUsed(after(started(1), ...retry, interrupted))).toBe(1)
      // Failed by the reaper, before any attempt of its own failed.
      expect(TaskRecord.retriesUsed({ ...after(started(1), failed), failures: 0 })).toBe(0)
    })

    it("durationOf is from the first start to the end, never negative", () => {
      expect(TaskRecord.durationOf(after())).toBeNull()
      expect(TaskRecord.durationOf(after(started(1_000)))).toBeNull()
      expect(TaskRecord.durationOf(after(started(1_000), attemptFailed(1_100, 1_200), started(1_300), succeeded)))
        .toBe(700)
      expect(TaskRecord.durationOf(after(started(2_000), succeeded))).toBe(0)
      expect(TaskRecord.durationOf(after(cancelled))).toBeNull()
    })
  })
})
