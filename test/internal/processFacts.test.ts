import { describe, expect, it } from "vitest"
import { isProvenGone, ofThisProcess } from "../../src/internal/processFacts.js"

const own = ofThisProcess()
const facts = own.process ?? { bootId: "b", pidNamespace: "n", pid: 1, startTicks: "1" }
const gone = { ...facts, pid: 2 ** 22 + 7 }
const there = own.process !== null

describe("the death of a process", () => {
  it.skipIf(!there)(
    "is proven when all that is shared is the same and the process is gone, or another has its id",
    () => {
      expect(isProvenGone({ host: own.host, process: gone }, own)).toBe(true)
      expect(isProvenGone({ host: own.host, process: { ...facts, startTicks: "1" } }, own)).toBe(true)
      expect(isProvenGone(own, own)).toBe(false)
    }
  )

  it("is not proven by another boot, another pid namespace, another host, or where nothing is known", () => {
    const mine = { host: own.host, process: facts }
    const all = [
      { host: own.host, process: { ...gone, bootId: "another" } },
      { host: own.host, process: { ...gone, pidNamespace: "pid:[1]" } },
      { host: "another", process: gone },
      { host: own.host, process: null }
    ]
    expect(all.map((other) => isProvenGone(other, mine))).toEqual([false, false, false, false])
    expect(isProvenGone({ host: own.host, process: gone }, { host: own.host, process: null })).toBe(false)
  })
})
