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
const watching = () => Watching.make({ lease: 30, isProvenGone: () => false })

describe("watching the others", () => {
  it("one whose count stands still for a lease is a suspect, one that counts is not", () => {
    const one = watching()
    const looks = [0, 10, 20, 29, 30].map((at) => one.suspects([peer(1)], at, at).length)
    expect(looks).toEqual([0, 0, 0, 0, 1])
    expect([40, 50, 60, 69, 70].map((at, n) => one.suspects([peer(n + 2)], at, at).length)).toEqual([0, 0, 0, 0, 0])
  })

  it("counts from what was heard to what was asked: an answer on its way proves nothing", () => {
    const one = watching()
    one.suspects([peer(1)], 0, 5)
    for (const at of [10, 20]) one.suspects([peer(1)], at, at)
    expect(one.suspects([peer(1)], 34, 40)).toEqual([])
    expect(one.suspects([peer(1)], 35, 40)).toHaveLength(1)
  })

  it("takes at least three looks, also when the clock jumped over the whole lease", () => {
    const one = watching()
    one.suspects([peer(1)], 0, 0)
    expect(one.suspects([peer(1)], 3_600, 3_600)).toEqual([])
    expect(one.untilNext(3_600)).toBe(0)
    expect(one.suspects([peer(1)], 3_600, 3_600)).toEqual([])
    expect(one.suspects([peer(1)], 3_600, 3_600)).toHaveLength(1)
    expect(one.untilNext(3_600)).toBe(Number.POSITIVE_INFINITY)
  })

  it("begins anew when it has to, and is not needed for one that was declared dead", () => {
    const one = watching()
    for (const at of [0, 10, 20]) one.suspects([peer(1)], at, at)
    one.restart()
    expect(one.suspects([peer(1)], 30, 30)).toEqual([])
    expect(one.suspects([peer(1, "dead")], 31, 31)).toHaveLength(1)
  })

  it("says when the next one could be told", () => {
    const one = watching()
    expect(one.untilNext(0)).toBe(Number.POSITIVE_INFINITY)
    one.suspects([peer(1)], 3, 3)
    expect(one.untilNext(13)).toBe(20)
  })
})
