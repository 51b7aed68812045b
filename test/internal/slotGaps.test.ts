/** Slots without a run: what can be told from the runs that are kept. */
import { describe, expect, it } from "@effect/vitest"
import * as SlotGaps from "../../src/internal/slotGaps.js"
import type { TaskRecord } from "../../src/TaskRecord.js"
import type { ScheduleFacts } from "../../src/TaskScheduleInfo.js"
import { accepted } from "../http/streamSupport.js"

const minute = 60_000
const hour = 60 * minute

const facts = (overlap: ScheduleFacts["overlap"]): ScheduleFacts => ({
  trigger: { _tag: "Every", millis: minute },
  misfire: "skip",
  maxCatchUp: 100,
  overlap,
  runOnStartup: false,
  payload: "{}",
  priority: 0,
  tags: {},
  idempotencyKey: null,
  keyTtl: null,
  executor: "fiber",
  requeueOnInterrupt: false,
  maxCrashes: 3,
  definitionVersion: 1
})

const run = (slot: number, endedAt: number | null = slot + 1): TaskRecord => ({
  ...accepted(slot),
  schedule: { name: "s", slot },
  endedAt
})

const gapsOf = (
  runs: ReadonlyArray<TaskRecord>,
  {
    areAll = true,
    definedAt = 0,
    keptSince = 0,
    lastSlot = 10 * minute,
    overlap = "allow" as const as "allow" | "skip"
  } = {}
) => SlotGaps.of({ anchor: 0, definedAt, facts: facts(overlap), lastSlot }, { runs, areAll, keptSince })

const minutesOf = (gaps: ReadonlyArray<SlotGaps.SlotGap>) => gaps.map(({ reason, slot }) => [reason, slot / minute])
const runsAt = (...minutes: ReadonlyArray<number>) => [...minutes].reverse().map((at) => run(at * minute))

describe("the gaps of a schedule", () => {
  it("are settled slots without a run, the newest first", () =>
    expect(minutesOf(gapsOf(runsAt(1, 2, 3, 6, 7, 8, 10)))).toEqual([["passed", 9], ["passed", 5], ["passed", 4]]))

  it("are none where every slot has its run, and what was run by hand fills none", () => {
    expect(gapsOf(runsAt(1, 2, 3, 4, 5, 6, 7, 8, 9, 10))).toEqual([])
    expect(minutesOf(gapsOf(runsAt(1, 2.5, 3), { lastSlot: 3 * minute }))).toEqual([["passed", 2]])
  })

  it("tell when the run before had not ended, where that is a reason", () => {
    const runs = [run(4 * minute), run(minute, 3 * minute + 5)]
    expect(minutesOf(gapsOf(runs, { lastSlot: 4 * minute, overlap: "skip" }))).toEqual([["overlap", 3], ["overlap", 2]])
    expect(minutesOf(gapsOf(runs, { lastSlot: 4 * minute }))).toEqual([["passed", 3], ["passed", 2]])
    const endless = [run(minute, null)]
    expect(minutesOf(gapsOf(endless, { lastSlot: 2 * minute, overlap: "skip" }))).toEqual([["overlap", 2]])
  })

  it("say nothing of what was before this definition, before the oldest run shown, or may have been removed", () => {
    expect(minutesOf(gapsOf(runsAt(8, 10), { definedAt: 7 * minute }))).toEqual([["passed", 9]])
    expect(minutesOf(gapsOf(runsAt(8, 10), { areAll: false }))).toEqual([["passed", 9]])
    expect(minutesOf(gapsOf(runsAt(1, 10), { keptSince: 8 * minute }))).toEqual([["passed", 9]])
  })

  it("are not counted where nothing is settled or what it says cannot be read", () => {
    const info = { anchor: 0, definedAt: 0, facts: facts("skip"), lastSlot: null }
    const known = { runs: [], areAll: true, keptSince: 0 }
    expect(SlotGaps.of(info, known)).toEqual([])
    expect(SlotGaps.of({ ...info, facts: null, lastSlot: minute }, known)).toEqual([])
  })

  it("are at most a hundred and twenty, however long it is", () =>
    expect(gapsOf([], { lastSlot: 1_000 * hour })).toHaveLength(120))
})
