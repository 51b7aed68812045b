/** What forms are made of, as functions: fields of a JSON Schema, places in a payload, options, bars. No browser is needed. */
import { FastCheck as fc, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { type Field, fits, formOf, type Group, valueOf } from "../../src/dashboard/tasks/form/fields.js"
import { curlOf, noOptions, quoted, read } from "../../src/dashboard/tasks/form/options.js"
import { placeFor, shownPlaces, textOf, withPart, wrongIn } from "../../src/dashboard/tasks/form/place.js"
import { histogramOf } from "../../src/dashboard/tasks/histogram.js"
import { words } from "../../src/dashboard/text/task.js"
import * as Durations from "../../src/internal/durations.js"
import * as PayloadSchema from "../../src/internal/payloadSchema.js"
import * as Redaction from "../../src/internal/redaction.js"

const form = (fields: Schema.Struct.Fields): Group => {
  const schema = Schema.Struct(fields) as Schema.Schema.Any
  return formOf(PayloadSchema.make(schema, Redaction.patternsOf(schema)))!
}
const of = (schema: Schema.Schema.All | Schema.PropertySignature.All): Field =>
  form({ x: schema } as Schema.Struct.Fields).fields[0]![1]
const checks = { isKept: (value: unknown) => value === "<redacted>", words: words.form }

describe("fields", () => {
  it("are what the schema says", () => {
    expect(of(Schema.String)).toMatchObject({ kind: "text", required: true, nullable: false, secret: false })
    expect(of(Schema.NonEmptyString)).toMatchObject({ kind: "text", description: null })
    expect(of(Schema.String.annotations({ description: "Where to", default: "home" }))).toMatchObject({
      description: "Where to",
      initial: "home"
    })
    expect(of(Schema.optional(Schema.Number))).toMatchObject({ kind: "number", required: false })
    expect(of(Schema.Int.pipe(Schema.between(1, 5)))).toMatchObject({ kind: "whole" })
    expect(of(Schema.Boolean)).toMatchObject({ kind: "switch", initial: false })
    expect(of(Schema.Literal("a", "b"))).toMatchObject({ kind: "choice", choices: ["a", "b"], initial: undefined })
    expect(of(Schema.Literal("only"))).toMatchObject({ kind: "choice", initial: "only" })
    expect(of(Schema.NullOr(Schema.Literal("a", 2)))).toMatchObject({
      kind: "choice",
      choices: ["a", 2],
      nullable: true
    })
    expect(of(Schema.NullOr(Schema.String))).toMatchObject({ kind: "text", nullable: true, initial: null })
    expect(of(Schema.Date)).toMatchObject({ kind: "moment", description: null })
    expect(of(Schema.Redacted(Schema.String))).toMatchObject({ kind: "text", secret: true })
    expect(of(Schema.Array(Schema.String))).toMatchObject({ kind: "list", item: { kind: "text" }, initial: [] })
    expect(of(Schema.Array(Schema.Struct({ a: Schema.Int })))).toMatchObject({ kind: "list", item: { kind: "group" } })
    expect(of(Schema.optional(Schema.Struct({ a: Schema.Int })))).toMatchObject({ kind: "group", initial: undefined })
  })

  it("are JSON for what no field is for, and for what is too deep", () => {
    for (
      const schema of [
        Schema.Union(Schema.String, Schema.Number),
        Schema.Record({ key: Schema.String, value: Schema.Number }),
        Schema.Tuple(Schema.String, Schema.Number),
        Schema.Unknown,
        Schema.Duration
      ]
    ) expect(of(schema)).toMatchObject({ kind: "json" })
    let deep: Schema.Schema.Any = Schema.Struct({ end: Schema.String })
    for (let depth = 0; depth < 6; depth += 1) deep = Schema.Struct({ inner: deep })
    expect(JSON.stringify(of(deep))).toContain("\"kind\":\"json\"")
    const named = Schema.Struct({ a: Schema.Int, b: Schema.Redacted(Schema.String) }).annotations({
      identifier: "100%/a b~c"
    })
    expect(of(named)).toMatchObject({ kind: "group", fields: [["a", { kind: "whole" }], ["b", { secret: true }]] })
    expect(formOf(null)).toBeNull()
    expect(formOf({ type: "string" })).toBeNull()
    expect(formOf({ type: "object", properties: { a: { $ref: "#/$defs/A" } }, $defs: { A: { $ref: "#/$defs/A" } } }))
      .not.toBeNull()
  })

  it("begin with what is there in any case", () => {
    const one = form({
      name: Schema.String,
      list: Schema.Array(Schema.String),
      inner: Schema.Struct({ flag: Schema.Boolean, note: Schema.NullOr(Schema.String) }),
      more: Schema.optional(Schema.Struct({ flag: Schema.Boolean }))
    })
    expect(valueOf(one)).toEqual({ list: [], inner: { flag: false, note: null } })
    expect(fits(one, { name: "x" })).toBe(true)
    expect(fits(one, { unknown: 1 })).toBe(false)
    expect(fits(one, "<redacted>")).toBe(false)
  })
})

describe("places", () => {
  it("are named as the server names them, and changed without the rest", () => {
    expect(textOf(["items", 2, "price"])).toBe("items[2].price")
    const value = { a: 1, items: [{ price: 1 }, { price: 2 }] }
    expect(withPart(value, ["items", 1, "price"], 3)).toEqual({ a: 1, items: [{ price: 1 }, { price: 3 }] })
    expect(withPart(value, ["a"], undefined)).toEqual({ items: value.items })
    expect(Object.keys(withPart(value, ["a"], 2) as object)).toEqual(["a", "items"])
    expect(withPart(undefined, ["x", "y"], 1)).toEqual({ x: { y: 1 } })
    expect(withPart(value, ["items", 0], undefined)).toEqual({ a: 1, items: [{ price: 2 }] })
  })

  it("tell what is missing and what is no number; the rest is for the server", () => {
    const one = form({
      name: Schema.String,
      count: Schema.Int,
      inner: Schema.Struct({ at: Schema.String }),
      list: Schema.Array(Schema.Number),
      token: Schema.Redacted(Schema.Number)
    })
    const value = { count: 1.5, inner: {}, list: [1, "x"], token: "<redacted>" }
    expect(wrongIn(one, value, [], checks).map(({ path }) => path)).toEqual(["name", "count", "inner.at", "list[1]"])
    expect(wrongIn(one, { name: "", count: 1, inner: { at: "" }, list: [], token: 1 }, [], checks)).toEqual([])
    const places = shownPlaces(one, value)
    expect(places).toContain("list[1]")
    expect([placeFor("inner.at", places), placeFor("inner.at.deeper[0]", places), placeFor("other", places)])
      .toEqual(["inner.at", "inner.at", ""])
  })
})

describe("options", () => {
  it("are sent as the server has them, or are wrong at their place", () => {
    expect(read(noOptions, words.form)).toEqual({ body: {}, wrong: [] })
    expect(
      read({
        ...noOptions,
        start: "delay",
        delay: "1.5",
        unit: "m",
        priority: "-3",
        key: "k",
        tags: "a=1\n\n b = x=y "
      }, words.form)
        .body
    ).toEqual({ delay: 90_000, priority: -3, idempotencyKey: "k", tags: { a: "1", b: "x=y" } })
    expect(read({ ...noOptions, start: "at", at: "2026-01-01T00:00:00" }, words.form).body.runAt).toMatch(/Z$/)
    const wrong = { ...noOptions, start: "delay" as const, delay: "soon", priority: "1.5", tags: "none" }
    expect(read(wrong, words.form).wrong.map(({ path }) => path)).toEqual(["delay", "priority", "tags"])
    expect(read({ ...noOptions, start: "at", at: "" }, words.form).wrong).toMatchObject([{ path: "runAt" }])
  })

  it("are one word each for a shell", () => {
    expect(quoted("it's")).toBe("'it'\\''s'")
    expect(curlOf("http://h/x", { payload: { a: "it's" } })).toBe(
      "curl -u USER:PASSWORD -H content-type:application/json -d '{\"payload\":{\"a\":\"it'\\''s\"}}' 'http://h/x'"
    )
  })
})

describe("a histogram", () => {
  it("has every run in one bar, few bars, and places in order", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e10, noNaN: true }), { minLength: 1, maxLength: 50 }), (all) => {
        const buckets = new Map<number, number>()
        for (const millis of all) {
          const bucket = Durations.bucketOf(millis)
          buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
        }
        const items = [...buckets].sort(([a], [b]) => a - b).map(([bucket, count]) => ({
          ...Durations.boundsOf(bucket),
          count
        }))
        const histogram = histogramOf(items)!
        expect(histogram.bars.reduce((sum, { count }) => sum + count, 0)).toBe(all.length)
        expect(histogram.bars.length).toBeLessThanOrEqual(36)
        const places = [...all].sort((a, b) => a - b).map(histogram.at)
        expect(places).toEqual([...places].sort((a, b) => a - b))
        for (const mark of histogram.marks) expect(histogram.at(mark)).toBeLessThanOrEqual(1)
      })
    )
    expect(histogramOf([])).toBeNull()
  })
})
