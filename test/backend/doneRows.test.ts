import { describe, expect, it } from "@effect/vitest"
import { doneRow, fromDone } from "../../src/backend/sql/doneRows.js"
import { tables } from "../../src/backend/sql/schema.js"
import * as TaskId from "../../src/TaskId.js"
import { InstanceId, type TaskRecord } from "../../src/TaskRecord.js"

const ids = TaskId.deterministic()

/** All that a record can say, each other than most records have it. */
const unusual: TaskRecord = {
  taskId: ids.next(1_000),
  taskName: "mail",
  kind: "effect",
  payload: `{"to":"a"}`,
  priority: -3,
  tags: Object.fromEntries([["customer", "c1"], ["__proto__", "x"]]),
  idempotencyKey: "",
  keyTtl: 60_000,
  source: "scheduled",
  schedule: { name: "nightly", slot: 900 },
  executor: "thread",
  requeueOnInterrupt: true,
  maxCrashes: 0,
  definitionVersion: 0,
  runAt: 0,
  retryOf: ids.next(1_001),
  trace: "00-1-2-01",
  owner: InstanceId.make("0190a8c0-0000-7000-8000-000000000001"),
  status: "failed",
  createdAt: 1_000,
  startedAt: 1_100,
  instance: InstanceId.make("0190a8c0-0000-7000-8000-000000000002"),
  attemptStartedAt: 1_150,
  endedAt: 1_200,
  nextAttemptAt: 1_300,
  claim: 4,
  attempts: 3,
  failures: 2,
  crashes: 1,
  cancelRequested: true,
  result: "",
  failure: { kind: "error", name: "Declined", message: "no", stack: "no at all", error: "{}" },
  stopReason: "cancel",
  progress: { value: 0.5, message: "half" },
  logLines: 7,
  logBytes: 70,
  retriedAs: ids.next(1_002)
}

/** And as most have it. */
const usual: TaskRecord = {
  ...unusual,
  kind: "task",
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
  owner: null,
  status: "success",
  nextAttemptAt: null,
  failures: 0,
  crashes: 0,
  cancelRequested: false,
  result: null,
  failure: null,
  stopReason: null,
  progress: null,
  logLines: 0,
  logBytes: 0,
  retriedAs: null
}

const written = (record: TaskRecord) =>
  Object.fromEntries(doneRow(record).map((value, at) => [tables.done.columns[at]!.name, value]))

describe("finished rows", () => {
  it("a record comes back as it was, whatever is unusual in it", () => {
    for (const name of Object.keys(unusual) as Array<keyof TaskRecord>) { // safe: its own names
      const record = { ...usual, [name]: unusual[name] }
      expect(fromDone(written(record)), name).toEqual(record)
    }
    expect(Object.entries(fromDone(written(unusual)).tags)).toEqual(Object.entries(unusual.tags))
  })

  it("what is usual takes no space", () => {
    const { record } = written(usual)
    for (const name of ["priority", "result", "failure", "logLines", "retriedAs"]) expect(record).not.toContain(name)
  })
})
