/** Values as messages repeat them. */
import { describe, expect, it } from "@effect/vitest"
import { inWords, quoted } from "../../src/internal/shown.js"

describe("a value in a message", () => {
  it("is on one line", () => {
    expect(quoted("a\nb")).toBe("\"a\\nb\"")
    expect(inWords("a\nb")).toBe("\"a\\nb\"")
    expect(inWords({ toString: () => "a\n  b\r\nc" })).toBe("a b c")
  })

  it("is cut where it is long, and says how long it was", () => {
    expect(inWords("x".repeat(101))).toBe(`"${"x".repeat(100)}… (cut, 101 characters)"`)
    expect(inWords(Number.NaN)).toBe("NaN")
  })

  it("is its type where it throws", () => {
    expect(inWords(Object.create(null))).toBe("object")
  })
})
