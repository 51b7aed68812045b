/** What SQL backends remember of their statements is bounded, however long a process lives. */
import { describe, expect, it } from "@effect/vitest"
import { remembering } from "../../src/backend/sql/statements.js"
import { numbering } from "../../src/backend/sql/texts.js"

describe("texts of statements", () => {
  it("are made once, as long as there are few of them", () => {
    const { held, of } = remembering(100)
    let made = 0
    const ask = (key: string) =>
      of(key, () => {
        made += 1
        return `SELECT ${key}`
      })
    expect([ask("a"), ask("b"), ask("a"), ask("b")]).toEqual(["SELECT a", "SELECT b", "SELECT a", "SELECT b"])
    expect([made, held()]).toEqual([2, 18])
  })

  it("never take more than they may, and are made anew when they were forgotten", () => {
    const { held, of } = remembering(1_000)
    for (let shape = 0; shape < 10_000; shape += 1) {
      expect(of(`shape ${shape}`, () => `INSERT ${shape}`)).toBe(`INSERT ${shape}`)
      expect(held()).toBeLessThanOrEqual(1_000)
    }
    expect(of("shape 0", () => "INSERT 0")).toBe("INSERT 0")
  })

  it("that are larger than all may be are given out all the same", () => {
    const { of } = remembering(10)
    expect(of("key", () => "a text of some length")).toBe("a text of some length")
    expect(of("key", () => "another")).toBe("a text of some length")
  })
})

describe("names of prepared statements", () => {
  it("are the same for the same text, and never of two texts", () => {
    const nameOf = numbering("t_", 10)
    expect([nameOf("a"), nameOf("b"), nameOf("a"), nameOf("c")]).toEqual(["t_0", "t_1", "t_0", "t_2"])
  })

  it("are given to so many, and to no more: a server keeps each for as long as the connection", () => {
    const nameOf = numbering("t_", 2)
    expect([nameOf("a"), nameOf("b"), nameOf("c"), nameOf("b"), nameOf("c")])
      .toEqual(["t_0", "t_1", undefined, "t_1", undefined])
  })
})
