import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as SortedIds from "../../src/internal/sortedIds.js"

const pool = Array.from({ length: 400 }, (_, index) => `id-${String(index).padStart(4, "0")}`)

describe("sortedIds", () => {
  it.prop("does what a sorted set does", [
    fc.shuffledSubarray(pool, { minLength: 0, maxLength: 400 }),
    fc.nat({ max: 20 }),
    fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
    fc.constantFrom(undefined, "id-", "id-0200", "id-0200x", "id-9999")
  ], ([added, shuffles, draws, after]) => {
    const ids = SortedIds.make()
    let model: Array<string> = []
    // Mostly in order, as ids arrive; the first few out of order.
    const arriving = [...added.slice(0, shuffles), ...added.slice(shuffles).sort()]
    const check = () => {
      const start = after
      expect([...ids.from(undefined, "ascending")]).toEqual(model)
      expect([...ids.from(undefined, "descending")]).toEqual([...model].reverse())
      if (start === undefined) return
      expect([...ids.from(start, "ascending")]).toEqual(model.filter((id) => id > start))
      expect([...ids.from(start, "descending")]).toEqual(model.filter((id) => id < start).reverse())
    }
    for (const id of arriving) {
      ids.add(id)
      model = [...model, id].sort()
      if (draws.next().value > 0.55 && model.length > 0) {
        const victim = model[Math.floor(draws.next().value * 0.999 * model.length)]!
        ids.remove(victim)
        model = model.filter((other) => other !== victim)
      }
    }
    check()
    for (const id of model.filter(() => draws.next().value > 0.3)) {
      ids.remove(id)
      model = model.filter((other) => other !== id)
    }
    check()
  }, { fastCheck: { numRuns: 60 } })

  it("keeps its order while most of thousands leave", () => {
    const ids = SortedIds.make()
    const many = Array.from({ length: 5_000 }, (_, index) => String(index).padStart(5, "0"))
    for (const id of many) ids.add(id)
    for (const id of many) if (Number(id) % 100 !== 0) ids.remove(id)
    expect([...ids.from(undefined, "ascending")]).toEqual(many.filter((id) => Number(id) % 100 === 0))
    expect([...ids.from("02000", "descending")].slice(0, 2)).toEqual(["01900", "01800"])
  })

  it("is read only as far as somebody asks, and never gives the id it starts behind", () => {
    const ids = SortedIds.make()
    for (const id of ["a", "b", "c"]) ids.add(id)
    expect(ids.from("a", "ascending").next().value).toBe("b")
    expect(ids.from("b", "descending").next().value).toBe("a")
    expect(ids.from("c", "ascending").next().done).toBe(true)
    expect(ids.from("a", "descending").next().done).toBe(true)
  })
})
