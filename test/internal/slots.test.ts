import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Fiber, Ref, TestClock } from "effect"
import * as Slots from "../../src/internal/slots.js"

// Returns once every fiber waits for something.
const settle = TestClock.adjust(0)

/** Slots of an engine that gives freed ones to those who come back, and counts how often it was told. */
const make = (
  max: number,
  limits: Readonly<Record<string, number>> = {},
  groups: Readonly<Record<string, Slots.Group>> = {}
) => {
  const told = { free: 0 }
  const slots: Slots.Slots = Slots.make({
    max,
    groupOf: (taskName) => groups[taskName] ?? null,
    limitOf: (taskName) => limits[taskName] ?? Number.POSITIVE_INFINITY,
    onFree: () => {
      told.free += 1
      slots.resumeParked()
    }
  })
  return { slots, told }
}

const forked = (effect: Effect.Effect<void>) =>
  Effect.gen(function*() {
    const done = yield* Ref.make(false)
    const fiber = yield* Effect.fork(Effect.zipRight(effect, Ref.set(done, true)))
    yield* settle
    return { fiber, isDone: Ref.get(done) }
  })

describe("slots", () => {
  describe("limits", () => {
    it("are those of the instance", () => {
      const { slots, told } = make(2)
      expect([slots.free(), slots.mayStart("a")]).toEqual([2, true])
      const [first, second] = [slots.take("a"), slots.take("b")]
      expect([slots.free(), slots.mayStart("a"), slots.mayStart("c")]).toEqual([0, false, false])
      expect(slots.freeOf("a")).toBe(Number.POSITIVE_INFINITY)
      first.release()
      expect([slots.free(), slots.mayStart("c"), told.free]).toEqual([1, true, 1])
      second.release()
      expect([slots.free(), slots.active()]).toEqual([2, 0])
    })

    it("are those of a name, apart from other names", () => {
      const { slots } = make(10, { a: 1 })
      expect(slots.freeOf("a")).toBe(1)
      const slot = slots.take("a")
      expect([slots.freeOf("a"), slots.mayStart("a"), slots.mayStart("b")]).toEqual([0, false, true])
      slot.release()
      expect([slots.freeOf("a"), slots.mayStart("a")]).toEqual([1, true])
    })

    it("never show less than nothing free", () => {
      const { slots } = make(1, { a: 1 })
      slots.take("a")
      slots.take("a")
      slots.reserve(5, [])
      expect([slots.free(), slots.freeOf("a")]).toEqual([0, 0])
    })
  })

  describe("groups", () => {
    const workers = { max: 2 }
    const three = () => make(10, { a: 1 }, { a: workers, b: workers, c: { max: 1 } })

    it("share slots among their names, besides the limit of each", () => {
      const { slots } = three()
      expect([slots.freeOf("a"), slots.freeOf("b"), slots.freeIn(workers)]).toEqual([1, 2, 2])
      const a = slots.take("a")
      expect([slots.mayStart("a"), slots.freeOf("b"), slots.freeIn(workers)]).toEqual([false, 1, 1])
      const b = slots.take("b")
      expect([slots.mayStart("b"), slots.mayStart("c"), slots.mayStart("fiber"), slots.free()])
        .toEqual([false, true, true, 8])
      a.release()
      a.release()
      expect([slots.freeOf("a"), slots.freeOf("b"), slots.freeIn(workers)]).toEqual([1, 1, 1])
      b.release()
      expect(slots.freeIn(workers)).toBe(2)
    })

    it("are reserved no further than they reach, however much their names ask for", () => {
      const { slots } = three()
      slots.take("b")
      const letGo = slots.reserve(5, [{ name: "a", slots: 1 }, { name: "b", slots: 4 }, { name: "x", slots: 1 }])
      expect([slots.freeIn(workers), slots.mayStart("a"), slots.mayStart("b"), slots.free()])
        .toEqual([0, false, false, 4])
      letGo()
      expect([slots.freeIn(workers), slots.mayStart("a"), slots.mayStart("b"), slots.free()]).toEqual([
        1,
        true,
        true,
        9
      ])
    })

    it("get back what an attempt took, also when its name left the group meanwhile", () => {
      const groups: Record<string, Slots.Group> = { a: workers, b: workers }
      const { slots } = make(10, {}, groups)
      const [slot, letGo] = [slots.take("a"), slots.reserve(1, [{ name: "a", slots: 1 }])]
      delete groups["a"]
      slot.release()
      letGo()
      expect([slots.freeIn(workers), slots.freeOf("a")]).toEqual([2, Number.POSITIVE_INFINITY])
    })

    it.effect("are waited for by an attempt that comes back", () =>
      Effect.gen(function*() {
        const { slots } = make(9, {}, { a: { max: 1 } })
        const parent = slots.take("a")
        yield* parent.park
        const child = slots.take("a")
        const back = yield* forked(parent.unpark)
        expect(yield* back.isDone).toBe(false)
        child.release()
        yield* Fiber.join(back.fiber)
        expect(slots.freeOf("a")).toBe(0)
      }))
  })

  it("reserve keeps slots from being taken until they are let go", () => {
    const { slots } = make(3)
    const letGo = slots.reserve(2, [])
    expect([slots.free(), slots.mayStart("a")]).toEqual([1, true])
    slots.take("a")
    expect(slots.mayStart("a")).toBe(false)
    expect(slots.freeOf("a")).toBe(Number.POSITIVE_INFINITY)
    letGo()
    expect(slots.free()).toBe(2)
  })

  it("release gives back once, however often it is called", () => {
    const { slots, told } = make(2, { a: 2 })
    const slot = slots.take("a")
    slots.take("a")
    slot.release()
    slot.release()
    expect([slots.free(), slots.freeOf("a"), slots.active(), slots.active("a"), told.free]).toEqual([1, 1, 1, 1, 1])
  })

  it("active counts attempts of one name or of all", () => {
    const { slots } = make(5)
    const slot = slots.take("a")
    slots.take("a")
    slots.take("b")
    expect([slots.active(), slots.active("a"), slots.active("b"), slots.active("c")]).toEqual([3, 2, 1, 0])
    slot.release()
    expect([slots.active(), slots.active("a")]).toEqual([2, 1])
  })

  describe("park", () => {
    it.effect("gives the slot to others while the attempt stays active", () =>
      Effect.gen(function*() {
        const { slots, told } = make(1, { a: 1 })
        const slot = slots.take("a")
        yield* slot.park
        expect([slots.free(), slots.freeOf("a"), slots.active("a"), told.free]).toEqual([1, 1, 1, 1])
        yield* slot.unpark
        expect([slots.free(), slots.freeOf("a"), slots.active("a")]).toEqual([0, 0, 1])
        slot.release()
        expect([slots.free(), slots.active()]).toEqual([1, 0])
      }))

    it.effect("makes unpark wait for a slot of the instance, and of the name", () =>
      Effect.gen(function*() {
        for (const { slots } of [make(1), make(9, { a: 1 })]) {
          const parent = slots.take("a")
          yield* parent.park
          const child = slots.take("a")
          const back = yield* forked(parent.unpark)
          expect(yield* back.isDone).toBe(false)
          child.release()
          yield* Fiber.join(back.fiber)
          expect(slots.mayStart("a")).toBe(false)
          parent.release()
          expect([slots.mayStart("a"), slots.active()]).toEqual([true, 0])
        }
      }))

    it.effect("resumes in the order of return, and passes over a name that is full", () =>
      Effect.gen(function*() {
        const { slots } = make(2, { a: 1 })
        const [a, b, c] = [slots.take("a"), slots.take("b"), slots.take("c")]
        for (const slot of [a, b, c]) yield* slot.park
        const [otherA, other] = [slots.take("a"), slots.take("x")]
        const [backA, backB, backC] = [
          yield* forked(a.unpark),
          yield* forked(b.unpark),
          yield* forked(c.unpark)
        ]
        other.release()
        yield* settle
        expect([yield* backA.isDone, yield* backB.isDone, yield* backC.isDone]).toEqual([false, true, false])
        otherA.release()
        yield* settle
        expect([yield* backA.isDone, yield* backC.isDone]).toEqual([true, false])
        b.release()
        yield* Fiber.join(backC.fiber)
        expect(slots.free()).toBe(0)
      }))

    it.effect("counts nested and concurrent waits as one", () =>
      Effect.gen(function*() {
        const { slots, told } = make(2)
        const slot = slots.take("a")
        yield* slot.park
        yield* slot.park
        expect([slots.free(), told.free]).toEqual([2, 1])
        yield* slot.unpark
        expect(slots.free()).toBe(2)
        yield* slot.unpark
        expect(slots.free()).toBe(1)
        slot.release()
        expect(slots.free()).toBe(2)
      }))

    it.effect("takes one slot for all waits that come back while there is none", () =>
      Effect.gen(function*() {
        const { slots } = make(2)
        const slot = slots.take("a")
        yield* slot.park
        const others = [slots.take("b"), slots.take("b")]
        const first = yield* forked(slot.unpark)
        yield* slot.park
        const second = yield* forked(slot.unpark)
        others.forEach((other) => other.release())
        yield* Fiber.join(first.fiber)
        yield* Fiber.join(second.fiber)
        expect(slots.free()).toBe(1)
        slot.release()
        expect(slots.free()).toBe(2)
      }))

    it.effect("lets every wait of an attempt return on the one slot it got", () =>
      Effect.gen(function*() {
        const { slots } = make(1)
        const slot = slots.take("a")
        yield* slot.park
        const other = slots.take("b")
        const first = yield* forked(slot.unpark)
        yield* slot.park
        const second = yield* forked(slot.unpark)
        other.release()
        yield* settle
        expect([yield* first.isDone, yield* second.isDone]).toEqual([true, true])
      }))

    it.effect("a branch that is back goes on without a slot while another branch waits", () =>
      Effect.gen(function*() {
        const { slots } = make(1)
        const slot = slots.take("a")
        yield* slot.park
        const other = slots.take("b")
        const first = yield* forked(slot.unpark)
        yield* slot.park
        other.release()
        yield* Fiber.join(first.fiber)
        // What the other branch waits for needs the only slot.
        expect(slots.free()).toBe(1)
        yield* slot.park
        expect(slots.free()).toBe(1)
        yield* slot.unpark
        yield* slot.unpark
        expect(slots.free()).toBe(0)
      }))

    it.effect("leaves an attempt whose return was interrupted without a slot, and takes none for it later", () =>
      Effect.gen(function*() {
        const { slots } = make(1)
        const parent = slots.take("a")
        yield* parent.park
        const child = slots.take("b")
        const back = yield* forked(parent.unpark)
        yield* Fiber.interrupt(back.fiber)
        child.release()
        expect([slots.free(), slots.active()]).toEqual([1, 1])
        parent.release()
        parent.release()
        expect([slots.free(), slots.active()]).toEqual([1, 0])
      }))

    it.effect("released while parked gives nothing back twice", () =>
      Effect.gen(function*() {
        const { slots } = make(1, { a: 1 })
        const slot = slots.take("a")
        yield* slot.park
        slot.release()
        expect([slots.free(), slots.freeOf("a"), slots.active("a")]).toEqual([1, 1, 0])
        yield* slot.unpark
        expect([slots.free(), slots.freeOf("a")]).toEqual([1, 1])
      }))

    it.effect("released while it waits to come back takes no slot any more", () =>
      Effect.gen(function*() {
        const { slots } = make(1)
        const slot = slots.take("a")
        yield* slot.park
        const other = slots.take("b")
        const back = yield* forked(slot.unpark)
        slot.release()
        other.release()
        yield* Fiber.join(back.fiber)
        expect([slots.free(), slots.active()]).toEqual([1, 0])
      }))

    it.effect("after release does nothing", () =>
      Effect.gen(function*() {
        const { slots, told } = make(1)
        const slot = slots.take("a")
        slot.release()
        yield* slot.park
        expect([slots.free(), told.free]).toEqual([1, 1])
      }))
  })

  it.prop("no limit is passed and nothing is lost, whatever is taken, reserved and given back", [
    fc.record({
      max: fc.integer({ min: 1, max: 5 }),
      limit: fc.integer({ min: 1, max: 3 }),
      workers: fc.integer({ min: 1, max: 3 })
    }),
    fc.array(fc.record({ name: fc.constantFrom("a", "b", "c"), many: fc.nat({ max: 3 }), back: fc.boolean() }), {
      maxLength: 30
    })
  ], ([{ limit, max, workers }, plan]) => {
    const group = { max: workers }
    const { slots } = make(max, { a: limit }, { a: group, b: group })
    const held: Array<() => void> = []
    const used = { a: 0, b: 0, c: 0 }
    for (const { back, many, name } of plan) {
      // safe: the names of the plan
      const key = name as keyof typeof used
      if (back) held.shift()?.()
      else if (many > 0) held.push(slots.reserve(0, [{ name, slots: Math.min(many, slots.freeOf(name)) }]))
      else if (slots.mayStart(name)) {
        used[key] += 1
        const { release } = slots.take(name)
        held.push(() => {
          used[key] -= 1
          release()
        })
      }
      expect(used.a + used.b).toBeLessThanOrEqual(workers)
      expect(used.a).toBeLessThanOrEqual(limit)
      expect(used.a + used.b + used.c).toBeLessThanOrEqual(max)
      expect(slots.freeIn(group)).toBeGreaterThanOrEqual(0)
    }
    held.forEach((letGo) => letGo())
    expect([slots.free(), slots.freeIn(group), slots.freeOf("a"), slots.active()])
      .toEqual([max, workers, Math.min(limit, workers), 0])
  })

  it.effect.prop("no slot is counted twice or lost, whatever attempts do", [
    fc.integer({ min: 1, max: 2 }),
    fc.array(
      fc.record({
        which: fc.nat({ max: 1 }),
        what: fc.constantFrom("release", "park", "park", "unpark", "unpark", "unpark", "interrupt")
      }),
      { maxLength: 30 }
    )
  ], ([max, plan]) =>
    Effect.gen(function*() {
      const { slots } = make(max)
      interface Attempt {
        readonly slot: Slots.Slot
        waits: number
        readonly returning: Array<Fiber.RuntimeFiber<void>>
      }
      const attempts: Array<Attempt | undefined> = [undefined, undefined]
      const running = () => attempts.filter((attempt) => attempt !== undefined)
      const check = () => {
        const many = running().length
        // Nobody holds more than one. Asked before it is asserted: an assertion costs a hundred times what it looks at.
        if (slots.active() !== many || max - slots.free() > many) {
          expect(slots.active()).toBe(many)
          expect(max - slots.free()).toBeLessThanOrEqual(many)
        }
      }
      for (const { what, which } of plan) {
        const attempt = attempts[which]
        if (attempt === undefined) {
          if (slots.mayStart("a")) attempts[which] = { slot: slots.take("a"), waits: 0, returning: [] }
        } else if (what === "release") {
          attempts[which] = undefined
          attempt.slot.release()
        } else if (what === "park") {
          attempt.waits += 1
          yield* attempt.slot.park
        } else if (what === "unpark" && attempt.waits > 0) {
          attempt.waits -= 1
          attempt.returning.push(Effect.runFork(attempt.slot.unpark))
        } else if (what === "interrupt") {
          yield* Effect.forEach(attempt.returning.splice(0), Fiber.interrupt)
        }
        check()
      }
      for (const attempt of running()) attempt.slot.release()
      expect([slots.free(), slots.active()]).toEqual([max, 0])
    }), { fastCheck: { numRuns: 500 }, timeout: 60_000 })
})
