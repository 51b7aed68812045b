import { describe, expect, it } from "@effect/vitest"
import { freshValues, fromLive, liveRow, liveValues } from "../../src/backend/sql/rows.js"
import { tables } from "../../src/backend/sql/schema.js"
import * as TaskId from "../../src/TaskId.js"
import { InstanceId, type TaskRecord } from "../../src/TaskRecord.js"

const ids = TaskId.deterministic()
const now = 5_000

const usual: TaskRecord = {
  taskId: ids.next(1_000),
  taskName: "mail é",
  kind: "task",
  payload: `{"to":"a\\u0000"}`,
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
  status: "pending",
  createdAt: 1_000,
  startedAt: null,
  instance: null,
  attemptStartedAt: null,
  endedAt: null,
  nextAttemptAt: null,
  claim: 0,
  attempts: 0,
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

/** What an unfinished record may have that most have not. */
const unusual: Partial<TaskRecord> = {
  kind: "effect",
  priority: -3,
  tags: Object.fromEntries([["customer", "c\ud800"], ["__proto__", "x"]]),
  idempotencyKey: "",
  keyTtl: 60_000,
  source: "scheduled",
  schedule: { name: "nightly", slot: 900 },
  executor: "thread",
  requeueOnInterrupt: true,
  maxCrashes: 0,
  definitionVersion: 0,
  runAt: 9_000,
  retryOf: ids.next(1_001),
  trace: "00-1-2-01",
  owner: InstanceId.make("0190a8c0-0000-7000-8000-000000000001"),
  status: "running",
  startedAt: 1_100,
  instance: InstanceId.make("0190a8c0-0000-7000-8000-000000000002"),
  attemptStartedAt: 1_150,
  nextAttemptAt: 1_300,
  claim: 4,
  attempts: 3,
  failures: 2,
  crashes: 1,
  cancelRequested: true,
  failure: { kind: "error", name: "Declined", message: "no", stack: "no at all", error: "{}" },
  progress: { value: 0.5, message: "half" },
  logLines: 7,
  logBytes: 70
}

const all = Object.keys(unusual).map((name) => ({ ...usual, [name]: unusual[name as keyof TaskRecord] })) // safe: its own names

describe("unfinished rows", () => {
  it("a record comes back as it was, whatever is unusual in it", () => {
    for (const record of [usual, ...all, { ...usual, ...unusual }]) {
      const row = Object.fromEntries(
        liveValues(liveRow(record, now)).map((value, at) => [
          tables.live.columns[at]!.name,
          value
        ])
      )
      expect(fromLive(row)).toEqual(record)
    }
  })

  it("the values of a new row are those of the row", () => {
    for (const record of [usual, ...all]) {
      for (const heldUntil of [undefined, 7_000]) {
        expect(freshValues(record, now, heldUntil)).toEqual(liveValues(liveRow(record, now, heldUntil)))
      }
    }
  })

  it("what a start changes is in no index and in no condition of one", () => {
    const changed = ["status", "active", "attempts", "started_at", "attempt_started_at", "instance"]
    for (const { allColumns = [], columns, name, until, where = "" } of tables.live.indexes) {
      if (until !== undefined) continue
      const words = new Set([...columns, ...allColumns, where].join(" ").split(/\W+/))
      expect([name, changed.filter((column) => words.has(column))]).toEqual([name, []])
    }
  })

  it("facts of before, which said everything, are read too", () => {
    const facts = JSON.stringify({
      name: "mail é",
      kind: "task",
      payload: usual.payload,
      tags: [],
      key: null,
      keyTtl: null,
      executor: "fiber",
      requeue: false,
      maxCrashes: 3,
      runAt: null,
      retryOf: null,
      trace: null
    })
    const row = { ...liveRow(usual, now), facts }
    expect(fromLive({ ...row })).toEqual(usual)
  })
})
