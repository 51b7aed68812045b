import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { parse } from "../../src/http/filter/parse.js"
import { suggest, type SuggestFacts } from "../../src/http/filter/suggest.js"
import { keys } from "../../src/http/filter/term.js"
import { hostileText } from "./filterTerms.js"

const facts: SuggestFacts = {
  tasks: ["send_email", "resend", "send sms", "import"],
  tags: { plan: ["pro", "free"], "a=b": ["x"] },
  instances: ["abc-1"],
  schedules: ["nightly"]
}

/** `|` is the caret. Each suggestion as the text becomes by it. */
const after = (marked: string): ReadonlyArray<string> => {
  const caret = marked.indexOf("|")
  const text = marked.replace("|", "")
  return suggest(text, caret, facts).map(({ from, insert, to }) => text.slice(0, from) + insert + text.slice(to))
}

describe("suggest", () => {
  it.each<[string, ReadonlyArray<string>]>([
    ["sta|", ["status:", "instance:"]],
    ["a -sta|", ["a -status:", "a -instance:"]],
    ["sta|t:failed x", ["status:failed x", "instance:failed x"]],
    ["status:fa|", ["status:failed"]],
    ["status:failed,can|", ["status:failed,cancelled"]],
    ["status:fa|x,success b", ["status:failed,success b"]],
    ["-status:ret| b", ["-status:retrying b"]],
    ["status:failed|", []],
    ["task:send|", ["task:send_email", "task:\"send sms\"", "task:resend"]],
    ["task:\"send s|", ["task:\"send sms\""]],
    ["task:\"send s|\" b", ["task:\"send sms\" b"]],
    ["b task:import,\"RES|", ["b task:import,resend"]],
    ["import|", ["task:import"]],
    ["tag:|", ["tag:plan=", "tag:\"a=b\"="]],
    ["tag:p|l=pro", ["tag:plan=pro"]],
    ["tag:plan=|", ["tag:plan=pro", "tag:plan=free"]],
    ["tag:plan=pro,f|", ["tag:plan=pro,free"]],
    ["tag:\"a=b\"=|", ["tag:\"a=b\"=x"]],
    ["tag:toString=|", []],
    ["instance:a|", ["instance:abc-1"]],
    ["schedule:|", ["schedule:nightly"]],
    ["source:sch|", ["source:schedule"]],
    ["executor:p|", ["executor:process"]],
    ["dur:>1|", ["dur:>1s", "dur:>10s", "dur:>1m", "dur:>1h"]],
    ["since:6|", ["since:6h"]],
    ["id:|", []],
    ["args.order:|", []],
    ["xyzzy:|", []]
  ])("of %s", (marked, expected) => {
    expect(after(marked)).toEqual(expected)
  })

  it("offers every key where nothing was typed, with what is said of it", () => {
    const offered = suggest("a ", 2, facts)
    expect(offered).toHaveLength(20)
    expect(offered[0]).toEqual({
      insert: "status:",
      label: expect.stringContaining("pending"),
      kind: "key",
      from: 2,
      to: 2
    })
    expect(offered.every(({ insert }) => keys.includes(insert.slice(0, -1) as any))).toBe(true)
    expect(suggest("arg", 3, facts)[0]).toMatchObject({ insert: "args.", kind: "key" })
  })

  it("offers at most twenty, and nothing for a text that is too long", () => {
    const many = { tasks: Array.from({ length: 100 }, (_, index) => `t${index}`) }
    expect(suggest("task:t", 6, many)).toHaveLength(20)
    expect(suggest(" ".repeat(2_001), 3, facts)).toEqual([])
  })

  it.prop("stays inside the text around the caret, for whatever is typed", [
    fc.array(
      fc.oneof(hostileText, fc.constantFrom(" ", "-", "\"", ":", ",", "tag:", "task:", "status:", "a=", "\\")),
      { maxLength: 8 }
    ).map((parts) => parts.join("")),
    fc.oneof(fc.nat({ max: 20 }), fc.constantFrom(-1, Number.NaN, Number.POSITIVE_INFINITY, 1.5))
  ], ([text, caret]) => {
    const at = Math.min(text.length, Math.max(0, Math.trunc(caret) || 0))
    for (const { from, to } of suggest(text, caret, facts)) {
      expect(from).toBeGreaterThanOrEqual(0)
      expect(from).toBeLessThanOrEqual(at)
      expect(to).toBeGreaterThanOrEqual(at)
      expect(to).toBeLessThanOrEqual(text.length)
    }
  }, { fastCheck: { numRuns: 1_000 } })

  it.prop("inserts values that can be read", [fc.array(hostileText, { minLength: 1, maxLength: 5 })], ([tasks]) => {
    for (const { insert } of suggest("task:", 5, { tasks })) {
      const parsed = parse(`task:${insert}`)
      expect(parsed).toMatchObject({ ok: true, terms: [{ key: "task", values: [{ prefix: false }] }] })
      if (parsed.ok && parsed.terms[0]!.key === "task") expect(tasks).toContain(parsed.terms[0]!.values[0]!.text)
    }
  })
})
