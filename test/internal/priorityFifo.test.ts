import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as PriorityFifo from "../../src/internal/priorityFifo.js"

type Operation =
  | { readonly _tag: "add"; readonly priority: number; readonly sequence: number }
  | { readonly _tag: "remove"; readonly which: number }
  | { readonly _tag: "take" | "takeLast" | "look" }

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      _tag: fc.constant("add" as const),
      priority: fc.oneof(fc.integer({ min: -2, max: 2 }), fc.integer()),
      sequence: fc.integer({ min: 0, max: 30 })
    })
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("remove" as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.constant({ _tag: "take" as const }) },
  { weight: 1, arbitrary: fc.constant({ _tag: "takeLast" as const }) },
  { weight: 2, arbitrary: fc.constant({ _tag: "look" as const }) }
)

interface Entry {
  readonly id: number
  readonly priority: number
  readonly sequence: number
  readonly remove: () => boolean
}

const byTurn = (a: Entry, b: Entry) => b.priority - a.priority || a.sequence - b.sequence || a.id - b.id

// What is weakly referred to stays until the job that made the reference is over.
const collected = async () => {
  await new Promise((resolve) => setImmediate(resolve))
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
}

describe("priorityFifo", () => {
  it.prop("does what a sorted array does", [fc.array(operation, { maxLength: 120 })], ([operations]) => {
    const fifo = PriorityFifo.make<number>()
    const everything: Array<Entry> = []
    let model: Array<Entry> = []
    const gone = (entry: Entry | undefined) => {
      model = model.filter((other) => other !== entry)
      return entry?.id
    }

    for (const operation of operations) {
      switch (operation._tag) {
        case "add": {
          const { priority, sequence } = operation
          const id = everything.length
          const entry = { id, priority, sequence, remove: fifo.add(priority, sequence, id) }
          everything.push(entry)
          model = [...model, entry].sort(byTurn)
          break
        }
        case "remove": {
          const entry = everything[operation.which % Math.max(1, everything.length)]
          if (entry === undefined) break
          expect(entry.remove()).toBe(model.includes(entry))
          expect(entry.remove()).toBe(false)
          gone(entry)
          break
        }
        case "take":
          expect(fifo.take()).toBe(gone(model[0]))
          break
        case "takeLast":
          expect(fifo.takeLast()).toBe(gone(model.at(-1)))
          break
        case "look": {
          const first = model[0]
          expect(fifo.peek()).toEqual(
            first && { priority: first.priority, sequence: first.sequence, value: first.id }
          )
          expect(fifo.lowestPriority()).toBe(model.at(-1)?.priority)
          break
        }
      }
      expect(fifo.size()).toBe(model.length)
    }

    const rest = model.map(({ id }) => id)
    expect(rest.map(() => fifo.take())).toEqual(rest)
    expect([fifo.take(), fifo.takeLast(), fifo.peek(), fifo.lowestPriority(), fifo.size()])
      .toEqual([undefined, undefined, undefined, undefined, 0])
  }, { fastCheck: { numRuns: 500 } })

  it("keeps its order over thousands of one priority, also when older ones come back behind what was taken", () => {
    const fifo = PriorityFifo.make<number>()
    for (let sequence = 0; sequence < 5_000; sequence += 1) fifo.add(0, sequence, sequence)
    for (let sequence = 0; sequence < 3_000; sequence += 1) expect(fifo.take()).toBe(sequence)
    fifo.add(0, 10, 10)
    fifo.add(0, 3_500, -3_500)
    expect(fifo.size()).toBe(2_002)
    expect(fifo.take()).toBe(10)
    for (let sequence = 3_000; sequence <= 3_500; sequence += 1) expect(fifo.take()).toBe(sequence)
    expect(fifo.take()).toBe(-3_500)
    expect(fifo.takeLast()).toBe(4_999)
    for (let sequence = 3_501; sequence < 4_999; sequence += 1) expect(fifo.take()).toBe(sequence)
    expect(fifo.size()).toBe(0)
  })

  it("holds nothing of what was taken or removed once its level is empty", () => {
    const fifo = PriorityFifo.make<string>()
    const removals = [1, 2, 3].map((priority) => fifo.add(priority, 0, `p${priority}`))
    expect(removals.map((remove) => remove())).toEqual([true, true, true])
    expect(fifo.lowestPriority()).toBeUndefined()
    fifo.add(2, 5, "again")
    expect(fifo.peek()).toEqual({ priority: 2, sequence: 5, value: "again" })
    expect(removals.map((remove) => remove())).toEqual([false, false, false])
    expect(fifo.size()).toBe(1)
  })

  // Of a paused name the first one waits for days, while others come and are cancelled.
  it("lets go of what was removed behind one that stays", async () => {
    const fifo = PriorityFifo.make<object>()
    const kept = { name: "first" }
    fifo.add(0, 0, kept)
    const removed = Array.from({ length: 1_000 }, (_, index) => {
      const value = { name: `n${index}` }
      expect(fifo.add(0, index + 1, value)()).toBe(true)
      return new WeakRef(value)
    })
    await collected()
    expect(removed.filter((one) => one.deref() !== undefined).length).toBeLessThan(100)
    expect(fifo.take()).toBe(kept)
    expect(fifo.size()).toBe(0)
  })

  it("lets go of priorities between others of which all were removed", async () => {
    const fifo = PriorityFifo.make<object>()
    const [lowest, highest] = [{ name: "lowest" }, { name: "highest" }]
    fifo.add(0, 0, lowest)
    fifo.add(1_001, 1, highest)
    const removed = Array.from({ length: 1_000 }, (_, index) => {
      const value = { name: `n${index}` }
      expect(fifo.add(index + 1, index, value)()).toBe(true)
      return new WeakRef(value)
    })
    await collected()
    expect(removed.filter((one) => one.deref() !== undefined).length).toBeLessThan(100)
    expect([fifo.take(), fifo.take(), fifo.take()]).toEqual([highest, lowest, undefined])
  })
})
