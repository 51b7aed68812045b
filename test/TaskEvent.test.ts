import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Either, FastCheck as fc, Schema } from "effect"
import { InstanceId, LogLevel, StopReason, TaskEvent, TaskFailure } from "../src/TaskEvent.js"
import * as TaskId from "../src/TaskId.js"

const Json = Schema.parseJson(TaskEvent)
const taskId = TaskId.deterministic().next(0)

// JSON has no NaN, no infinity and no negative zero; the engine makes none of them.
const finite = (value: unknown): unknown => {
  if (typeof value === "number") return Number.isFinite(value) ? value + 0 : 0
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(finite)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, finite(inner)]))
}
const event = Arbitrary.make(TaskEvent).map((made) => Schema.decodeUnknownSync(TaskEvent)(finite(made)))

const tagOf = (member: (typeof TaskEvent.members)[number]): string =>
  fc.sample(Arbitrary.make<TaskEvent, any, never>(member as never), 1)[0]!._tag

describe("TaskEvent", () => {
  it.prop("is plain data: every event survives being JSON text", [event], ([made]) => {
    expect(Schema.decodeSync(Json)(Schema.encodeSync(Json)(made))).toStrictEqual(made)
    expect(Schema.encodeSync(TaskEvent)(made)).toStrictEqual(made)
  })

  it("names everything that can happen, each with its task and its time", () => {
    expect(TaskEvent.members.map(tagOf)).toEqual([
      "Enqueued",
      "Started",
      "AttemptFailed",
      "Snoozed",
      "Succeeded",
      "Failed",
      "CancelRequested",
      "Cancelled",
      "Interrupted",
      "Requeued",
      "Logged",
      "Progressed"
    ])
    for (const member of TaskEvent.members) {
      expect(member.fields.taskId).toBe(TaskId.TaskId)
      expect(member.fields.at).toBe(Schema.Number)
    }
  })

  it.each([
    ["an unknown tag", { _tag: "Vanished", taskId, at: 0 }],
    ["an id that is none", { _tag: "Cancelled", taskId: "1", at: 0 }],
    ["a time that is text", { _tag: "Cancelled", taskId, at: "0" }],
    ["no time", { _tag: "Cancelled", taskId }],
    ["a claim that is no whole number", { _tag: "Started", taskId, at: 0, instance: "i", claim: 1.5 }],
    ["a reason nobody knows", { _tag: "Interrupted", taskId, at: 0, stopReason: "boredom" }]
  ])("refuses %s", (_, value) => {
    expect(Either.isLeft(Schema.decodeUnknownEither(TaskEvent)(value))).toBe(true)
  })

  it("orders its words from low to high and keeps the reasons to stop apart", () => {
    expect(LogLevel.literals).toEqual(["debug", "info", "warning", "error"])
    expect(StopReason.literals).toEqual([
      "retriesSpent",
      "unrecoverable",
      "undecodable",
      "poison",
      "cancel",
      "shutdown",
      "lostLease",
      "instanceDied"
    ])
    expect(TaskFailure.fields.kind.literals).toEqual(["error", "defect", "timeout", "crashed", "undecodable"])
    expect(Schema.is(InstanceId)("i-1")).toBe(true)
  })
})
