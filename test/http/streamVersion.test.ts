import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc, Option } from "effect"
import { versionOf } from "../../src/http/stream/version.js"
import type { TaskEvent } from "../../src/TaskEvent.js"
import * as TaskRecord from "../../src/TaskRecord.js"
import { accepted } from "./streamSupport.js"

const me = TaskRecord.InstanceId.make("me")

/** What a backend does with a record without an event: it is claimed, given back, and marked as retried. */
const moves = {
  claim: (record: TaskRecord.TaskRecord) =>
    record.owner === null && !TaskRecord.isDone(record) ? { ...record, owner: me, claim: record.claim + 1 } : record,
  giveBack: (record: TaskRecord.TaskRecord) =>
    record.owner !== null && !TaskRecord.isLive(record) ? { ...record, owner: null } : record,
  retried: (record: TaskRecord.TaskRecord) =>
    TaskRecord.isDone(record) && record.retriedAs === null ? { ...record, retriedAs: accepted(1).taskId } : record
}

const failure = { kind: "error", tag: null, message: "no", stack: null, error: null, fingerprint: "f" } as const
const tags = [
  "Started",
  "AttemptFailed",
  "Snoozed",
  "Succeeded",
  "Failed",
  "CancelRequested",
  "Cancelled",
  "Interrupted",
  "Requeued",
  "Progressed"
] as const

const eventOf = (tag: typeof tags[number], record: TaskRecord.TaskRecord): TaskEvent => {
  const { claim, owner, taskId } = record
  // safe: the fields of all these events together
  return {
    _tag: tag,
    taskId,
    at: 1,
    instance: me,
    claim: owner === null ? claim + 1 : claim,
    nextAttemptAt: 2,
    until: 2,
    failure,
    stopReason: "shutdown",
    result: "1",
    progress: { value: 0.5, message: null }
  } as unknown as TaskEvent
}

const step = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...tags) },
  { weight: 1, arbitrary: fc.constantFrom("Started" as const, "AttemptFailed" as const, "Requeued" as const) },
  { weight: 2, arbitrary: fc.constantFrom("claim" as const, "giveBack" as const, "retried" as const) }
)

const facts = ({ attempts, cancelRequested, claim, owner, retriedAs, status }: TaskRecord.TaskRecord) =>
  JSON.stringify({ attempts, cancelRequested, claim, owner, retriedAs, status })

describe("the version of a task", () => {
  it("grows whenever status, owner or attempt change, and never shrinks", () =>
    fc.assert(
      fc.property(fc.boolean(), fc.array(step, { minLength: 5, maxLength: 40 }), (owned, steps) => {
        let record: TaskRecord.TaskRecord = owned ? moves.claim(accepted(0)) : accepted(0)
        for (const one of steps) {
          const before = record
          record = one === "claim" || one === "giveBack" || one === "retried"
            ? moves[one](record)
            : Option.getOrElse(TaskRecord.apply(record, eventOf(one, record)), () => record)
          const [older, newer] = [versionOf(before), versionOf(record)]
          if (facts(before) === facts(record)) expect(newer).toBe(older)
          else expect(newer, `${facts(before)} then ${one} then ${facts(record)}`).toBeGreaterThan(older)
        }
      }),
      { numRuns: 500 }
    ))

  it("is a safe integer for claims and attempts beyond any use", () => {
    const record = { ...accepted(0), claim: 500_000_000, attempts: 2_000_000 }
    expect(Number.isSafeInteger(versionOf(record))).toBe(true)
    expect(versionOf({ ...record, claim: record.claim + 1 })).toBeGreaterThan(versionOf(record))
  })
})
