import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { restored } from "../../src/http/restoring.js"
import * as Redaction from "../../src/internal/redaction.js"

const stored = {
  to: "a@example.com",
  token: "s3cret",
  note: "<redacted>",
  cards: [{ number: "1111", holder: "Ada" }, { number: "2222", holder: "Bob" }],
  limits: [1, 2, 3]
}
const shown = {
  ...stored,
  token: "<redacted>",
  cards: stored.cards.map((card) => ({ ...card, number: "<redacted>" }))
}
const meant = (sent: unknown) => restored(sent, shown, stored)

describe("what a caller means who was not shown the secrets", () => {
  it("is what is stored, where it stands as it was shown", () => {
    expect(meant(shown)).toEqual({ value: stored })
    expect(meant({ ...shown, to: "b@example.com" })).toEqual({ value: { ...stored, to: "b@example.com" } })
    const [ada, bob] = shown.cards
    expect(meant({ ...shown, cards: [{ ...ada, holder: "Ada L." }, bob] })).toEqual({
      value: { ...stored, cards: [{ number: "1111", holder: "Ada L." }, stored.cards[1]] }
    })
    expect(restored("<redacted>", "<redacted>", { whole: "secret" })).toEqual({ value: { whole: "secret" } })
    expect(restored("a <redacted> b", "a <redacted> b", "a s3cret b")).toEqual({ value: "a s3cret b" })
  })

  it("is what is sent everywhere else, also where that looks like the placeholder", () => {
    expect(meant({ ...shown, token: "another", to: "<redacted>", extra: { token: "<redacted>" } })).toEqual({
      value: { ...stored, token: "another", to: "<redacted>", extra: { token: "<redacted>" } }
    })
    expect(meant({ to: "b" })).toEqual({ value: { to: "b" } })
    expect(meant("<redacted>")).toEqual({ value: "<redacted>" })
    expect(meant({ ...shown, token: ["<redacted>"], cards: "<redacted>" })).toEqual({
      value: { ...stored, token: ["<redacted>"], cards: "<redacted>" }
    })
    expect(meant({ ...shown, limits: [3, 1] })).toEqual({ value: { ...stored, limits: [3, 1] } })
  })

  it("follows an element of a list that was moved, and never gives it the secret of another", () => {
    const [ada, bob] = shown.cards
    expect(meant({ ...shown, cards: [bob, ada] })).toEqual({
      value: { ...stored, cards: [stored.cards[1], stored.cards[0]] }
    })
    expect(meant({ ...shown, cards: [bob] })).toEqual({ value: { ...stored, cards: [stored.cards[1]] } })
    expect(meant({ ...shown, cards: [{ ...bob, holder: "Eve" }] })).toEqual({ unclear: "cards[0]" })
    expect(meant({ ...shown, cards: [ada, { number: "3333", holder: "Eve" }, bob] })).toEqual({
      value: { ...stored, cards: [stored.cards[0], { number: "3333", holder: "Eve" }, stored.cards[1]] }
    })
    // Two that look alike hide different things: which is meant is not known once they move.
    const alike = ["<redacted>", "<redacted>"]
    expect(restored({ list: alike }, { list: alike }, { list: ["x", "y"] })).toEqual({ value: { list: ["x", "y"] } })
    expect(restored({ list: [...alike, "<redacted>"] }, { list: alike }, { list: ["x", "y"] })).toEqual({
      unclear: "list[2]"
    })
  })

  it("is the stored payload for whatever was shown of it", () => {
    const patterns = [["a"], ["b", "[]"], ["*", "c"]]
    FastCheck.assert(FastCheck.property(FastCheck.jsonValue({ maxDepth: 4 }), (value) => {
      const whole: unknown = { a: value, b: [value, 1], d: { c: value, e: value } }
      expect(restored(Redaction.redact(patterns, whole), Redaction.redact(patterns, whole), whole)).toEqual({
        value: whole
      })
    }))
  })
})
