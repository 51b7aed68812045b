import { describe, expect, it } from "@effect/vitest"
import { neighbourOf } from "../../src/internal/idNeighbour.js"
import { isTaskId, type TaskId } from "../../src/TaskId.js"
import { anyId } from "../http/filterTerms.js"

const id = (text: string) => text as TaskId

describe("neighbourOf", () => {
  it.each([
    ["01890000-0000-7000-8000-000000000000", "01890000-0000-7000-8000-000000000001"],
    ["01890000-0000-7000-8000-00000000000f", "01890000-0000-7000-8000-000000000010"],
    ["01890000-0000-7000-8fff-ffffffffffff", "01890000-0000-7000-9000-000000000000"],
    ["01890000-0000-7000-bfff-ffffffffffff", "01890000-0000-7001-8000-000000000000"],
    ["01890000-0000-7fff-bfff-ffffffffffff", "01890000-0001-7000-8000-000000000000"],
    ["0fffffff-ffff-7fff-bfff-ffffffffffff", "10000000-0000-7000-8000-000000000000"]
  ])("knows that nothing is between %s and %s", (one, other) => {
    expect(neighbourOf(id(one), "behind")).toBe(other)
    expect(neighbourOf(id(other), "before")).toBe(one)
  })

  it("knows the first and the last of all", () => {
    expect(neighbourOf(id("00000000-0000-7000-8000-000000000000"), "before")).toBeNull()
    expect(neighbourOf(id("ffffffff-ffff-7fff-bfff-ffffffffffff"), "behind")).toBeNull()
  })

  it.prop("leads back from where it leads, in the order of ids", [anyId], ([taskId]) => {
    const behind = neighbourOf(taskId, "behind")!
    expect(isTaskId(behind) && behind > taskId).toBe(true)
    expect(neighbourOf(behind, "before")).toBe(taskId)
  })
})
