/** What a schedule says, as stored text: read back as it was, the same for the same, nothing at all when it is not ours. */
import { describe, expect, it } from "@effect/vitest"
import * as ScheduleSpec from "../../src/internal/scheduleSpec.js"
import type { ScheduleFacts } from "../../src/TaskScheduleInfo.js"

const facts: ScheduleFacts = {
  trigger: { _tag: "Cron", expression: "0 3 * * *", timezone: "Europe/Rome" },
  misfire: "all",
  maxCatchUp: 7,
  overlap: "skip",
  runOnStartup: true,
  payload: "{\"a\":\"\\u0000\"}",
  priority: -3,
  tags: { b: "2", a: "1", __proto__x: "\ud800" },
  idempotencyKey: "k",
  keyTtl: 5,
  executor: "thread",
  requeueOnInterrupt: true,
  maxCrashes: 2,
  definitionVersion: 4
}

describe("the text of a schedule", () => {
  it("is read as it was written", () => {
    expect(ScheduleSpec.read(ScheduleSpec.write(facts))).toEqual(facts)
    const every: ScheduleFacts = {
      ...facts,
      trigger: { _tag: "Every", millis: 200 },
      idempotencyKey: null,
      keyTtl: null
    }
    expect(ScheduleSpec.read(ScheduleSpec.write(every))).toEqual(every)
  })

  it("is the same in whatever order facts and tags are", () => {
    const { tags, ...rest } = facts
    const { a, b, ...others } = tags
    const turned = { tags: { ...others, a: a!, b: b! }, ...rest }
    expect(ScheduleSpec.write(turned)).toBe(ScheduleSpec.write(facts))
    expect(ScheduleSpec.definitionOf("t", ScheduleSpec.write(turned))).toBe(
      ScheduleSpec.definitionOf("t", ScheduleSpec.write(facts))
    )
  })

  it("tells definitions apart by every fact and by the task", () => {
    const changed: ReadonlyArray<Partial<ScheduleFacts>> = [
      {},
      { trigger: { _tag: "Cron", expression: "0 3 * * *", timezone: "UTC" } },
      { misfire: "once" },
      { maxCatchUp: 8 },
      { overlap: "allow" },
      { runOnStartup: false },
      { payload: "{}" },
      { priority: 0 },
      { tags: {} },
      { idempotencyKey: null },
      { keyTtl: null },
      { executor: "fiber" },
      { requeueOnInterrupt: false },
      { maxCrashes: 3 },
      { definitionVersion: 5 }
    ]
    const told = changed.map((change) => ScheduleSpec.definitionOf("t", ScheduleSpec.write({ ...facts, ...change })))
    told.push(ScheduleSpec.definitionOf("u", ScheduleSpec.write(facts)))
    expect(new Set(told).size).toBe(told.length)
    expect(told.every((text) => /^[0-9a-f]{64}$/.test(text))).toBe(true)
  })

  it("of a newer version, encrypted, cut off or of somebody else is nothing", () => {
    const text = ScheduleSpec.write(facts)
    const odd = [
      "",
      "{}",
      "null",
      "[]",
      text.slice(0, -3),
      "enc1.k.AAAA",
      text.replace("\"version\":1", "\"version\":2"),
      text.replace("\"all\"", "\"some\""),
      text.replace("\"maxCatchUp\":7", "\"maxCatchUp\":0")
    ]
    for (const one of odd) expect(ScheduleSpec.read(one), one).toBe(null)
  })
})
