import { describe, expect, it } from "@effect/vitest"
import { Option, Schema } from "effect"
import { InstanceId, TaskEvent, type TaskFailure } from "../src/TaskEvent.js"
import * as TaskId from "../src/TaskId.js"
import * as TaskRecord from "../src/TaskRecord.js"
import * as TaskStatus from "../src/TaskStatus.js"

const taskId = TaskId.deterministic().next(0)
const instance = InstanceId.make("i-1")
const common = { taskId, at: 50 }
const failure: TaskFailure = { kind: "error", name: "Boom", message: "boom", stack: "", error: null }

const events: { readonly [Tag in TaskEvent["_tag"]]: Extract<TaskEvent, { readonly _tag: Tag }> } = {
  Enqueued: {
    _tag: "Enqueued",
    ...common,
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
  },
  Started: { _tag: "Started", ...common, instance, claim: 1 },
  AttemptFailed: { _tag: "AttemptFailed", ...common, failure, nextAttemptAt: 60 },
  Snoozed: { _tag: "Snoozed", ...common, until: 60 },
  Succeeded: { _tag: "Succeeded", ...common, result: "1" },
  Failed: { _tag: "Failed", ...common, failure, stopReason: "retriesSpent" },
  CancelRequested: { _tag: "CancelRequested", ...common },
  Cancelled: { _tag: "Cancelled", ...common },
  Interrupted: { _tag: "Interrupted", ...common, stopReason: "shutdown" },
  Requeued: { _tag: "Requeued", ...common, stopReason: "shutdown" },
  Logged: {
    _tag: "Logged",
    ...common,
    line: { sequence: 1, claim: 1, attempt: 1, at: 50, level: "info", message: "m", annotations: null }
  },
  Progressed: { _tag: "Progressed", ...common, progress: { value: 0.5, message: null } }
}
const tags = Object.keys(events) as Array<TaskEvent["_tag"]>

/** Records of one status in every combination of what else decides whether an event is legal. */
const recordsIn = (status: TaskStatus.TaskStatus): ReadonlyArray<TaskRecord.TaskRecord> =>
  [null, instance].flatMap((owner) =>
    [null, 60].flatMap((nextAttemptAt) =>
      [false, true].map((cancelRequested) => ({
        ...TaskRecord.fromEnqueued(events.Enqueued),
        status,
        owner,
        nextAttemptAt,
        cancelRequested
      }))
    )
  )

describe("TaskStatus", () => {
  it("lists the six statuses as they are on the wire", () => {
    expect(TaskStatus.all).toEqual(["pending", "running", "success", "failed", "interrupted", "cancelled"])
  })

  it.each(
    [
      ["pending", false, false],
      ["running", false, false],
      ["success", true, false],
      ["failed", true, true],
      ["interrupted", true, true],
      ["cancelled", true, true]
    ] as const
  )("%s: terminal %s, retryable %s", (status, terminal, retryable) => {
    expect(TaskStatus.isTerminal(status)).toBe(terminal)
    expect(TaskStatus.isRetryable(status)).toBe(retryable)
  })

  describe("transitions", () => {
    it("has a row for every event", () => {
      expect(Object.keys(TaskStatus.transitions)).toHaveLength(TaskEvent.members.length)
      expect(Object.keys(TaskStatus.transitions).sort()).toEqual([...tags].sort())
    })

    it("lets nothing leave a terminal status and nothing enter without a move", () => {
      const left = Object.values(TaskStatus.transitions).flatMap((moves) => Object.keys(moves))
      expect(new Set(left)).toEqual(new Set(["pending", "running"]))
      expect(TaskStatus.transitions.Enqueued).toEqual({})
    })

    it("is the table of the design", () => {
      expect(TaskStatus.transitions.Started).toEqual({ pending: "running", running: "running" })
      expect(TaskStatus.transitions.Succeeded).toEqual({ running: "success" })
      expect(TaskStatus.transitions.Failed).toEqual({ running: "failed" })
      expect(TaskStatus.transitions.Cancelled).toEqual({ pending: "cancelled", running: "cancelled" })
      expect(TaskStatus.transitions.Interrupted).toEqual({ running: "interrupted" })
      expect(TaskStatus.transitions.Requeued).toEqual({ running: "pending" })
    })

    for (const tag of tags) {
      it.each(TaskStatus.all.map((status) => [status]))(
        `says of ${tag} from %s exactly what TaskRecord.apply does`,
        (status) => {
          const reached = new Set(
            recordsIn(status).flatMap((record) => Option.toArray(TaskRecord.apply(record, events[tag])))
              .map((record) => record.status)
          )
          const expected = TaskStatus.transitions[tag][status]
          expect([...reached]).toEqual(expected === undefined ? [] : [expected])
        }
      )
    }
  })

  it("is a schema of exactly these", () => {
    const is = Schema.is(TaskStatus.TaskStatus)
    expect(TaskStatus.all.every((status) => is(status))).toBe(true)
    expect(["Pending", "done", "", null].some((status) => is(status))).toBe(false)
  })
})
