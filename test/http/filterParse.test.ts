import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { build } from "esbuild"
import { parse } from "../../src/http/filter/parse.js"
import { print } from "../../src/http/filter/print.js"
import { keys, type Problem, type Term } from "../../src/http/filter/term.js"
import { anyTerm, hostileText } from "./filterTerms.js"

const termsOf = (text: string): ReadonlyArray<Term> => {
  const parsed = parse(text)
  if (!parsed.ok) throw new Error(`${text}: ${JSON.stringify(parsed.errors)}`)
  return parsed.terms
}

const errorsOf = (text: string, options = {}): ReadonlyArray<Problem> => {
  const parsed = parse(text, options)
  return parsed.ok ? [] : parsed.errors
}

const is = (text: string) => ({ text, prefix: false })
const begins = (text: string) => ({ text, prefix: true })
const id = "01890a5d-ac96-774b-bcce-b302099a8057"

describe("parse", () => {
  const positive: ReadonlyArray<[text: string, term: object, printed?: string]> = [
    ["status:failed", { key: "status", values: ["failed"] }],
    ["status:failed,RETRYING", { key: "status", values: ["failed", "retrying"] }, "status:failed,retrying"],
    ["task:a,b", { key: "task", values: [is("a"), is("b")] }],
    ["task:send*", { key: "task", values: [begins("send")] }],
    ["task:\"send*\"", { key: "task", values: [is("send*")] }],
    ["task:\"a b\"*,c", { key: "task", values: [begins("a b"), is("c")] }],
    ["task:a:b", { key: "task", values: [is("a:b")] }, "task:\"a:b\""],
    ["tag:plan", { key: "tag", name: "plan", values: [] }],
    ["tag:plan=pro,fr*", { key: "tag", name: "plan", values: [is("pro"), begins("fr")] }],
    ["tag:\"a=b\"=c=d", { key: "tag", name: "a=b", values: [is("c=d")] }, "tag:\"a=b\"=\"c=d\""],
    ["tag:plan=\"\"", { key: "tag", name: "plan", values: [is("")] }],
    ["args.order.id:x", { key: "args", path: ["order", "id"], values: [is("x")] }],
    ["args.Order.\"a.b c\".0:*", { key: "args", path: ["Order", "a.b c", "0"], values: [begins("")] }],
    ["args:7", { key: "args", path: [], values: [is("7")] }],
    ["error:\"timed out\"", { key: "error", values: [is("timed out")] }],
    ["dur:>5s", { key: "dur", comparison: ">", value: 5_000 }],
    ["dur:<=200ms", { key: "dur", comparison: "<=", value: 200 }],
    ["dur:1.5h", { key: "dur", comparison: "=", value: 5_400_000 }, "dur:90m"],
    ["wait:=1m", { key: "wait", comparison: "=", value: 60_000 }, "wait:1m"],
    ["age:<2h", { key: "age", comparison: "<", value: 7_200_000 }],
    ["age:>=0ms", { key: "age", comparison: ">=", value: 0 }, "age:>=0s"],
    ["attempts:>1", { key: "attempts", comparison: ">", value: 1 }],
    ["retries:>=2", { key: "retries", comparison: ">=", value: 2 }],
    ["priority:-5", { key: "priority", comparison: "=", value: -5 }],
    ["priority:-0", { key: "priority", comparison: "=", value: 0 }, "priority:0"],
    ["source:schedule", { key: "source", values: ["scheduled"] }],
    ["source:scheduled,manual", { key: "source", values: ["scheduled", "manual"] }, "source:schedule,manual"],
    ["schedule:nightly", { key: "schedule", values: [is("nightly")] }],
    ["instance:abc*", { key: "instance", values: [begins("abc")] }],
    ["executor:thread", { key: "executor", values: ["thread"] }],
    [`id:${id.toUpperCase()}`, { key: "id", values: [id] }, `id:${id}`],
    ["id:099a8057,00000000", { key: "id", values: ["099a8057", "00000000"] }],
    ["key:\"order 7\"", { key: "key", values: [is("order 7")] }],
    ["group:abc", { key: "group", values: [is("abc")] }],
    [`retryof:${id}`, { key: "retryof", values: [id] }],
    ["since:6h", { key: "since", moment: { ago: 21_600_000 } }],
    ["since:2026-01-01T00:00Z", { key: "since", moment: { at: Date.UTC(2026, 0, 1) } }, "since:2026-01-01"],
    [
      "until:2026-01-31T08:00+02:00",
      { key: "until", moment: { at: Date.UTC(2026, 0, 31, 6) } },
      "until:2026-01-31T06:00Z"
    ],
    [
      "until:2026-01-31T08:00:01.5Z",
      { key: "until", moment: { at: Date.UTC(2026, 0, 31, 8, 0, 1, 500) } },
      "until:2026-01-31T08:00:01.500Z"
    ],
    ["Status:failed", { key: "status", values: ["failed"] }, "status:failed"],
    ["word", { key: "text", text: "word" }],
    ["\"two words\"", { key: "text", text: "two words" }],
    ["\"a\\\"\\\\\\n\\u00e9\"", { key: "text", text: "a\"\\\né" }, "\"a\\\"\\\\\\u000aé\""],
    ["a\\b,c", { key: "text", text: "a\\b,c" }, "\"a\\\\b,c\""],
    [">5s", { key: "text", text: ">5s" }, "\">5s\""]
  ]

  it.each([...positive])("reads %s, and the same with a - before it", (text, term, printed = text) => {
    expect(termsOf(text)).toEqual([{ ...term, negated: false }])
    expect(termsOf(`-${text}`)).toEqual([{ ...term, negated: true }])
    expect(print(termsOf(`${text} -${text}`))).toBe(`${printed} -${printed}`)
  })

  it("is tried with every key", () => {
    const tried = new Set(positive.map(([, term]) => (term as Term).key))
    expect([...tried].sort()).toEqual([...keys, "text"].sort())
  })

  it("finds no term in blanks, and several between them", () => {
    expect(termsOf("")).toEqual([])
    expect(termsOf(" \n\t")).toEqual([])
    expect(termsOf("  status:failed \n a ").map(({ key }) => key)).toEqual(["status", "text"])
  })

  const wrong: ReadonlyArray<[text: string, token: string, message: RegExp, expected?: string]> = [
    ["a statsu:failed", "statsu", /no key "statsu": did you mean status\?/, "status"],
    ["http://x", "http", /put it in quotes: "http:\/\/x"/],
    [":x", "", /a key is expected before the :/],
    ["status:failed,sucess", "sucess", /"sucess" is no status: did you mean success\?/, "success"],
    ["status:canceled", "canceled", /did you mean cancelled/, "cancelled"],
    ["status:fail", "fail", /did you mean failed/, "failed"],
    ["status:xyzzy", "xyzzy", /one of pending, running, retrying, success/, "pending"],
    ["source:cron", "cron", /one of schedule, manual/, "schedule"],
    ["executor:threads", "threads", /did you mean thread/, "thread"],
    ["status:", "status:", /a value is expected behind the :/],
    ["-task:a,,b", "", /a value is expected here/],
    ["task:a,", "", /a value is expected here/],
    ["dur:>5", ">5", /a span with its unit is expected/],
    ["dur:5x", "5x", /a span with its unit/],
    ["dur:0.5ms", "0.5ms", /a span with its unit/],
    ["dur:99999d", "99999d", /a span with its unit/],
    ["dur:1s,2s", "2s", /dur takes one value/],
    ["attempts:-1", "-1", /a whole number/],
    ["priority:99999999999", "99999999999", /a whole number/],
    ["since:2026-02-30", "2026-02-30", /a span is expected, as 6h; or a date/],
    ["since:2026-13-01", "2026-13-01", /a span is expected/],
    ["since:2026-01-00", "2026-01-00", /a span is expected/],
    ["since:2026-01-01T24:00Z", "2026-01-01T24:00Z", /a span is expected/],
    ["since:2026-01-01T00:60Z", "2026-01-01T00:60Z", /a span is expected/],
    ["since:2026-01-01T00:00+24:00", "2026-01-01T00:00+24:00", /a span is expected/],
    ["since:0099-01-01", "0099-01-01", /a span is expected/],
    ["since:2026-01-01T00:00", "2026-01-01T00:00", /with its zone/],
    ["since:1969-12-31", "1969-12-31", /a span is expected/],
    ["until:tomorrow", "tomorrow", /a span is expected/],
    ["id:abc", "abc", /is no id/],
    ["tag:=x", "", /the key of a tag is expected/],
    ["tag:*", "*", /the key of a tag is expected/],
    ["tag:a,b", ",", /one tag is expected/],
    ["args.a", "args.a", /a value is expected: args\.path:value/],
    ["args..a:x", ".", /a step of the path is expected/],
    ["args.\"a\"b:x", "b:x", /a \. or a : is expected/],
    ["\"a", "\"a", /the closing " is missing/],
    ["\"\"", "\"\"", /a text to search for is expected/],
    ["\"a\\q b\" c", "\\q", /behind \\ stands one of/],
    ["\"a\"b", "b", /a space is expected here/],
    ["a\"b\"", "\"b\"", /a " can only begin a value/],
    ["task:\"a\"b", "b", /a space or a comma is expected/],
    ["send*", "send*", /leave out the \*/],
    ["a OR b", "OR", /there is no OR/],
    ["a - b", "-", /a term is expected behind the -/]
  ]

  it.each([...wrong])("refuses %s and points at it", (text, token, message, expected) => {
    const errors = errorsOf(text)
    expect(errors).toHaveLength(1)
    const [error] = errors
    expect(error!.token).toBe(token)
    expect(text.slice(error!.from, error!.to)).toBe(token)
    expect(error!.message).toMatch(message)
    expect(error!.expected?.[0]).toBe(
      expected ?? (text.startsWith(":") || text.startsWith("http") ? keys[0] : undefined)
    )
  })

  it("tells all errors at once, at most ten, in the order of the text", () => {
    const errors = errorsOf("stats:a ok dur:5 \"a\\q\" id:z")
    expect(errors.map(({ token }) => token)).toEqual(["stats", "5", "\\q", "z"])
    expect(errorsOf("x:1 ".repeat(20))).toHaveLength(10)
  })

  it("is bounded in characters, terms, values and steps", () => {
    expect(errorsOf("a".repeat(2_000))).toEqual([])
    expect(errorsOf("a".repeat(2_001))[0]).toMatchObject({
      from: 2_000,
      to: 2_001,
      message: expect.stringMatching(/2000 characters/)
    })
    // Its printed form would be longer than can be read.
    expect(errorsOf("\ud800".repeat(1_000))[0]?.message).toMatch(/2000 characters, escapes counted/)
    expect(errorsOf("a ".repeat(50))).toEqual([])
    expect(errorsOf("a ".repeat(51))[0]).toMatchObject({
      from: 100,
      message: expect.stringMatching(/at most 50 terms/)
    })
    expect(errorsOf(`task:${"a,".repeat(49)}a`)).toEqual([])
    expect(errorsOf(`task:${"a,".repeat(50)}a`)[0]).toMatchObject({
      from: 105,
      message: expect.stringMatching(/at most 50 values/)
    })
    expect(errorsOf(`args${".a".repeat(20)}:x`)).toEqual([])
    expect(errorsOf(`args${".a".repeat(21)}:x`)[0]).toMatchObject({
      token: "a",
      message: expect.stringMatching(/at most 20 steps/)
    })
  })

  it("refuses to ask of arguments where they are hidden", () => {
    expect(errorsOf("a -args.token:x*", { argumentsHidden: true })).toEqual([
      {
        from: 2,
        to: 16,
        token: "-args.token:x*",
        message: "arguments are hidden here, so nothing can be asked of them"
      }
    ])
  })

  const hostileFilter = fc.array(
    fc.oneof(
      hostileText,
      anyTerm.map((term) => print([term])),
      fc.constantFrom(" ", "-", "\"", ":", ",", "tag:", "args.", "since:", "dur:>", "status:", "*")
    ),
    { maxLength: 12 }
  ).map((parts) => parts.join(""))

  it.prop("points inside of the text for whatever somebody types, and never throws", [hostileFilter], ([text]) => {
    const parsed = parse(text)
    if (parsed.ok) return
    expect(parsed.errors.length).toBeGreaterThan(0)
    for (const { from, message, to, token } of parsed.errors) {
      expect(from).toBeGreaterThanOrEqual(0)
      expect(to).toBeGreaterThanOrEqual(from)
      expect(to).toBeLessThanOrEqual(text.length)
      expect(token).toBe(text.slice(from, Math.min(to, from + 100)))
      expect(message).not.toBe("")
    }
  }, { fastCheck: { numRuns: 1_000 } })

  it.prop("of a printed text prints the same again", [hostileFilter], ([text]) => {
    const parsed = parse(text)
    if (!parsed.ok) return
    const printed = print(parsed.terms)
    expect(termsOf(printed)).toEqual(parsed.terms)
    expect(print(termsOf(printed))).toBe(printed)
  }, { fastCheck: { numRuns: 1_000 } })
})

describe("print", () => {
  it.prop(
    "is read back as the same terms, and fits into an address",
    [fc.array(anyTerm, { maxLength: 6 })],
    ([terms]) => {
      const text = print(terms)
      fc.pre(text.length <= 2_000)
      expect(termsOf(text)).toEqual(terms)
      expect(decodeURIComponent(encodeURIComponent(text))).toBe(text)
    },
    { fastCheck: { numRuns: 1_000 } }
  )
})

describe("the parser", () => {
  it("loads nothing but its own files", async () => {
    const folder = path.resolve(import.meta.dirname, "../../src/http/filter")
    const { metafile } = await build({
      entryPoints: ["parse.ts", "print.ts", "suggest.ts"].map((name) => path.join(folder, name)),
      absWorkingDir: folder,
      bundle: true,
      metafile: true,
      outdir: "out",
      platform: "browser",
      write: false
    })
    expect(Object.keys(metafile.inputs).sort()).toEqual([
      "amounts.ts",
      "lex.ts",
      "nearest.ts",
      "parse.ts",
      "print.ts",
      "suggest.ts",
      "term.ts"
    ])
  })
})

describe("docs/guide/filter.md", () => {
  const page = fs.readFileSync(path.resolve(import.meta.dirname, "../../docs/guide/filter.md"), "utf8")
  const tablesOf = (heading: string): ReadonlyArray<readonly [first: string, second: string]> =>
    page.split("\n## ").filter((section) => section.startsWith(heading))
      .flatMap((section) => [...section.matchAll(/^\| `(.+?)` \| (.+) \|$/gm)])
      .map(([, first, second]) => [first!, second!])

  it("shows every key, in examples that can be read", () => {
    const examples = ["Terms", "Not", "Quotes", "Arguments"].map(tablesOf)
    expect(examples.every((rows) => rows.length > 0)).toBe(true)
    const shown = examples.flat().flatMap(([example]) => termsOf(example)).map(({ key }) => key)
    expect([...new Set(shown)].sort()).toEqual([...keys, "text"].sort())
  })

  it("tells the errors as they are", () => {
    const rows = tablesOf("Errors")
    expect(rows.length).toBeGreaterThan(5)
    for (const [filter, message] of rows) {
      expect(errorsOf(filter)[0]?.message.startsWith(message), filter).toBe(true)
    }
  })
})
