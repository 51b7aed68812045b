import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { ChurnMap } from "../../src/internal/churnMap.js"

const moves = fc.array(
  fc.record({ move: fc.constantFrom("set", "delete"), key: fc.nat({ max: 7 }), value: fc.nat() }),
  { maxLength: 200 }
)

describe("ChurnMap", () => {
  it.prop("does what a Map does, order included", [moves], ([moves]) => {
    const map = new ChurnMap<number, { readonly value: number }>()
    const model = new Map<number, { readonly value: number }>()
    for (const { key, move, value } of moves) {
      if (move === "set") {
        map.set(key, { value })
        model.set(key, { value })
      } else expect(map.delete(key)).toBe(model.delete(key))
      expect(map.get(key)).toEqual(model.get(key))
      expect(map.has(key)).toBe(model.has(key))
      expect(map.size).toBe(model.size)
      expect([...map.keys()]).toEqual([...model.keys()])
      expect([...map.values()]).toEqual([...model.values()])
    }
  })
})
