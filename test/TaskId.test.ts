import { afterEach, describe, expect, it, vi } from "@effect/vitest"
import { Effect, Either, FastCheck as fc, Schema } from "effect"
import * as TaskId from "../src/TaskId.js"

const now48 = fc.nat({ max: 2 ** 48 - 1 })
const generators = fc.constantFrom(["random", TaskId.random] as const, ["deterministic", TaskId.deterministic] as const)

// Mostly within a millisecond or a step or two to either side of it.
const clockReadings = fc.array(
  fc.oneof({ weight: 4, arbitrary: fc.integer({ min: -2, max: 2 }) }, fc.integer({ min: -5_000, max: 5_000 })),
  { minLength: 2, maxLength: 60 }
).map((steps) => {
  let now = 1_700_000_000_000
  return steps.map((step) => now += step)
})

describe("TaskId", () => {
  describe("generator", () => {
    it.prop("makes lower-case UUIDv7s that carry the clock's reading", [now48, generators], ([now, [, make]]) => {
      const id = make().next(now)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(now)
      expect(TaskId.millisOf(id)).toBe(now)
      expect(TaskId.isTaskId(id)).toBe(true)
      expect(Schema.is(TaskId.TaskId)(id)).toBe(true)
    })

    it.prop(
      "gives strictly increasing ids within a millisecond and when the clock steps back",
      [clockReadings, generators],
      ([readings, [, make]]) => {
        const generator = make()
        const ids = readings.map(generator.next)
        for (let index = 1; index < ids.length; index += 1) expect(ids[index]! > ids[index - 1]!).toBe(true)
        // No id is older than the clock said at its making, none newer than the newest reading.
        ids.forEach((id, index) => {
          expect(TaskId.millisOf(id)).toBe(Math.max(...readings.slice(0, index + 1)))
        })
      }
    )

    describe("counter", () => {
      afterEach(() => {
        vi.restoreAllMocks()
      })

      it("that wraps its 32 bits moves on to the next millisecond and stays ascending", () => {
        // The first counter is drawn as Math.random() times 2^31 - 1: twice that is the last but one of 32 bits.
        vi.spyOn(Math, "random").mockReturnValue(2)
        const generator = TaskId.random()
        const ids = [5_000, 5_000, 5_000, 5_000, 5_001, 5_001].map(generator.next)
        expect(ids.map(TaskId.millisOf)).toEqual([5_000, 5_000, 5_001, 5_001, 5_001, 5_001])
        expect([...ids].sort()).toEqual(ids)
        expect(new Set(ids).size).toBe(ids.length)
        expect(TaskId.millisOf(generator.next(5_002))).toBe(5_002)
      })

      it("begins in the lower half, which leaves room for 2^31 ids in the same millisecond", () => {
        vi.spyOn(Math, "random").mockReturnValue(1 - Number.EPSILON)
        const generator = TaskId.random()
        for (let count = 0; count < 1_000; count += 1) expect(TaskId.millisOf(generator.next(7))).toBe(7)
      })
    })

    it("of two processes at one moment differ", () => {
      const ids = Array.from({ length: 200 }, () => TaskId.random().next(1_000))
      expect(new Set(ids).size).toBe(200)
      expect(new Set(ids.map(TaskId.shortOf)).size).toBeGreaterThan(190)
    })
  })

  describe("deterministic", () => {
    it.prop("repeats the same ids for the same clock readings", [clockReadings], ([readings]) => {
      expect(readings.map(TaskId.deterministic().next)).toEqual(readings.map(TaskId.deterministic().next))
    })

    it("counts behind the timestamp", () => {
      const generator = TaskId.deterministic()
      expect([0, 0, 1, 0].map(generator.next)).toEqual([
        "00000000-0000-7000-8000-000000000001",
        "00000000-0000-7000-8000-040000000002",
        "00000000-0001-7000-8000-000000000003",
        "00000000-0001-7000-8000-040000000004"
      ])
    })
  })

  it("shortOf is the last eight hex digits, which differ between neighbours", () => {
    const generator = TaskId.deterministic()
    expect([9, 9].map(generator.next).map(TaskId.shortOf)).toEqual(["00000001", "00000002"])
    expect(TaskId.shortOf("01890a5d-ac96-774b-bcce-b302099a8057")).toBe("099a8057")
  })

  it("millisOf reads the timestamp of RFC 9562's example", () => {
    const id = Schema.decodeSync(TaskId.TaskId)("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    expect(TaskId.millisOf(id)).toBe(Date.UTC(2022, 1, 22, 19, 22, 22))
  })

  it.each([
    ["nothing", ""],
    ["a word", "task-1"],
    ["upper case", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F"],
    ["another version", "919108f7-52d1-4320-9bac-f847db4148a8"],
    ["another variant", "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f"],
    ["no dashes", "017f22e279b07cc398c4dc0c0c07398f"],
    ["one digit less", "017f22e2-79b0-7cc3-98c4-dc0c0c07398"],
    ["one digit more", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0"],
    ["a letter beyond f", "g17f22e2-79b0-7cc3-98c4-dc0c0c07398f"],
    ["braces", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}"],
    ["a newline behind it", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n"],
    ["a line before it", "x\n017f22e2-79b0-7cc3-98c4-dc0c0c07398f"]
  ])("refuses %s", (_, text) => {
    expect(TaskId.isTaskId(text)).toBe(false)
    const decoded = Schema.decodeUnknownEither(TaskId.TaskId)(text)
    expect(Either.isLeft(decoded) && decoded.left.message).toContain("a task id is a lower-case UUIDv7")
  })

  describe("TaskIds", () => {
    it.effect("is random unless a layer says otherwise, and one generator for all who ask", () =>
      Effect.gen(function*() {
        const first = yield* TaskId.TaskIds
        const second = yield* TaskId.TaskIds
        expect(second).toBe(first)
        expect(first.next(1) < second.next(1)).toBe(true)
        const given = TaskId.deterministic()
        const seen = yield* Effect.provideService(TaskId.TaskIds, TaskId.TaskIds, given)
        expect(seen).toBe(given)
      }))
  })
})
