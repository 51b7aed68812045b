import { describe, expect, it } from "vitest"
import * as Watching from "../../src/internal/watching.js"
import { InstanceId } from "../../src/TaskEvent.js"
import type { Peer } from "../../src/TaskPeer.js"

const peer = (beat: number, state: Peer["state"] = "live"): Peer => ({
  id: InstanceId.make("other"),
  host: "h",
  process: null,
  beat,
  state
})
// A backend that answers at once.
const atOnce = { now: 0, least: 0 }
const watching = () => Watching.make({ lease: 30, isProvenGone: () => false })

describe("watching the others", () => {
  it("one whose count stands still for a lease is a suspect, one that counts is not", () => {
    const one = watching()
    const looks = [0, 10, 20, 29, 30].map((at) => one.suspects([peer(1)], at, at, atOnce).length)
    expect(looks).toEqual([0, 0, 0, 0, 1])
    expect([40, 50, 60, 69, 70].map((at, n) => one.suspects([peer(n + 2)], at, at, atOnce).length)).toEqual([
      0,
      0,
      0,
      0,
      0
    ])
  })

  it("counts from what was heard to what was asked: an answer on its way proves nothing", () => {
    const one = watching()
    one.suspects([peer(1)], 0, 5, atOnce)
    for (const at of [10, 20]) one.suspects([peer(1)], at, at, atOnce)
    expect(one.suspects([peer(1)], 34, 40, atOnce)).toEqual([])
    expect(one.suspects([peer(1)], 35, 40, atOnce)).toHaveLength(1)
  })

  it("takes at least three looks, also when the clock jumped over the whole lease", () => {
    const one = watching()
    one.suspects([peer(1)], 0, 0, atOnce)
    expect(one.suspects([peer(1)], 3_600, 3_600, atOnce)).toEqual([])
    expect(one.untilNext(3_600, atOnce)).toBe(0)
    expect(one.suspects([peer(1)], 3_600, 3_600, atOnce)).toEqual([])
    expect(one.suspects([peer(1)], 3_600, 3_600, atOnce)).toHaveLength(1)
    expect(one.untilNext(3_600, atOnce)).toBe(Number.POSITIVE_INFINITY)
  })

  it("takes a while of real time too, but never longer than a lease", () => {
    const after = (lease: number, least: number, millis: number) => {
      const one = Watching.make({ lease, isProvenGone: () => false })
      const at = (now: number) => ({ now, least })
      one.suspects([peer(1)], 0, 0, at(1_000))
      for (const look of [1, 2]) one.suspects([peer(1)], 3_600_000, 3_600_000, at(1_000 + look))
      expect(one.untilNext(3_600_000, at(1_002))).toBe(0)
      return one.suspects([peer(1)], 3_600_000, 3_600_000, at(1_000 + millis)).length
    }
    expect([after(30_000, 1_000, 999), after(30_000, 1_000, 1_000)]).toEqual([0, 1])
    expect([after(600, 1_000, 599), after(600, 1_000, 600)]).toEqual([0, 1])
  })

  it("begins anew when it has to, and is not needed for one that was declared dead", () => {
    const one = watching()
    for (const at of [0, 10, 20]) one.suspects([peer(1)], at, at, atOnce)
    one.restart()
    expect(one.suspects([peer(1)], 30, 30, atOnce)).toEqual([])
    expect(one.suspects([peer(1, "dead")], 31, 31, atOnce)).toHaveLength(1)
  })

  it("says when the next one could be told", () => {
    const one = watching()
    expect(one.untilNext(0, atOnce)).toBe(Number.POSITIVE_INFINITY)
    one.suspects([peer(1)], 3, 3, atOnce)
    expect(one.untilNext(13, atOnce)).toBe(20)
  })
})
