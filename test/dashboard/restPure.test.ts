/** How an answer is joined with rows that must not move. No browser is needed for it. */
import { describe, expect, it } from "vitest"
import { withRest } from "../../src/dashboard/runs/rest.js"

const run = (id: number) => ({ taskId: String(id) })
const page = (ids: ReadonlyArray<number>, nextCursor: string | null) => ({ items: ids.map(run), nextCursor })
const joined = (answer: ReturnType<typeof page>, shown: ReadonlyArray<number>, nextCursor: string | null) => {
  const { isTorn, items, nextCursor: next } = withRest(answer, shown.map(run), nextCursor)
  return { ids: items.map(({ taskId }) => Number(taskId)), next, isTorn }
}

describe("an answer to rows that stay", () => {
  it("that reaches all of them stands for itself", () => {
    expect(joined(page([9, 8, 7], "behind 7"), [8, 7], null)).toEqual({
      ids: [9, 8, 7],
      next: "behind 7",
      isTorn: false
    })
    expect(joined(page([9, 8], null), [9, 8, 7], "behind 7")).toEqual({ ids: [9, 8], next: null, isTorn: false })
    expect(joined(page([], null), [9], null)).toEqual({ ids: [], next: null, isTorn: false })
    expect(joined(page([9, 8], "behind 8"), [], null)).toEqual({ ids: [9, 8], next: "behind 8", isTorn: false })
  })

  it("that reaches some of them is followed by the others, and the next page is behind those", () => {
    expect(joined(page([9, 8], "behind 8"), [8, 7, 6], "behind 6")).toEqual({
      ids: [9, 8, 7, 6],
      next: "behind 6",
      isTorn: false
    })
  })

  it("that reaches none of them leaves a gap, and there is no next page where there was none", () => {
    expect(joined(page([9, 8], "behind 8"), [3, 2], null)).toEqual({ ids: [9, 8, 3, 2], next: null, isTorn: true })
  })
})
