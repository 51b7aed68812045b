import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc, Schema } from "effect"
import { problemOfSchema, problemOfValue } from "../../src/internal/jsonForm.js"

interface Tree {
  readonly value: Date
  readonly children: ReadonlyArray<Tree>
}
interface TreeEncoded {
  readonly value: string
  readonly children: ReadonlyArray<TreeEncoded>
}
const Tree: Schema.Schema<Tree, TreeEncoded> = Schema.Struct({
  value: Schema.Date,
  children: Schema.Array(Schema.suspend(() => Tree))
})

interface Chain {
  readonly next: Chain | null
  readonly bytes: Uint8Array
}
const Chain: Schema.Schema<Chain> = Schema.Struct({
  bytes: Schema.Uint8ArrayFromSelf,
  next: Schema.NullOr(Schema.suspend(() => Chain))
})

class Node extends Schema.Class<Node>("Node")({
  label: Schema.String,
  parent: Schema.optional(Schema.suspend((): Schema.Schema<Node, { readonly label: string }> => Node as never))
}) {}

class Order extends Schema.Class<Order>("Order")({ total: Schema.Number, at: Schema.optional(Schema.Date) }) {}
class Failed extends Schema.TaggedError<Failed>()("Failed", { code: Schema.Number }) {}

const Sealed = Schema.transform(Schema.Uint8ArrayFromSelf, Schema.String, {
  strict: true,
  decode: (bytes) => new TextDecoder().decode(bytes),
  encode: (text) => new TextEncoder().encode(text)
})
enum Color {
  Red,
  Green = "green"
}

// The one thing that JSON text loses and nobody is told of.
const withoutNegativeZero = (value: unknown): unknown => {
  if (typeof value === "number") return value + 0
  if (typeof value !== "object" || value === null) return value
  return Array.isArray(value)
    ? value.map(withoutNegativeZero)
    : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutNegativeZero(inner)]))
}

describe("jsonForm", () => {
  describe("problemOfSchema", () => {
    it.each<[string, Schema.Schema.All]>([
      [
        "text, numbers, booleans, null",
        Schema.Struct({ a: Schema.String, b: Schema.Int, c: Schema.Boolean, d: Schema.Null })
      ],
      ["Date", Schema.Date],
      ["BigInt", Schema.BigInt],
      ["BigDecimal", Schema.BigDecimal],
      ["Duration", Schema.Duration],
      ["HashMap", Schema.HashMap({ key: Schema.String, value: Schema.Date })],
      ["ReadonlyMap", Schema.ReadonlyMap({ key: Schema.Number, value: Schema.String })],
      ["ReadonlySet", Schema.ReadonlySet(Schema.BigInt)],
      ["Uint8ArrayFromBase64", Schema.Uint8ArrayFromBase64],
      ["Schema.Class", Order],
      ["Schema.TaggedError", Failed],
      ["a class inside itself", Node],
      ["a struct inside itself", Tree],
      [
        "Option, Either",
        Schema.Struct({ a: Schema.Option(Schema.Date), b: Schema.Either({ left: Schema.String, right: Schema.Int }) })
      ],
      ["Redacted(String)", Schema.Struct({ password: Schema.Redacted(Schema.String) })],
      [
        "optional, optionalWith",
        Schema.Struct({
          a: Schema.optional(Schema.String),
          b: Schema.optionalWith(Schema.Number, { default: () => 640 }),
          c: Schema.optionalWith(Schema.Date, { as: "Option" })
        })
      ],
      ["undefined in a field", Schema.Struct({ a: Schema.UndefinedOr(Schema.String) })],
      ["a record", Schema.Record({ key: Schema.String, value: Schema.Date })],
      [
        "a record of template keys",
        Schema.Record({ key: Schema.TemplateLiteral("a", Schema.Number), value: Schema.Int })
      ],
      ["a tuple", Schema.Tuple(Schema.String, Schema.optionalElement(Schema.Number))],
      [
        "literals, enums, templates",
        Schema.Struct({
          a: Schema.Literal("x", 1, true, null),
          b: Schema.Enums(Color),
          c: Schema.TemplateLiteral("a", Schema.String)
        })
      ],
      ["refined and branded", Schema.String.pipe(Schema.minLength(3), Schema.brand("Name"))],
      ["Unknown, Object, Any", Schema.Struct({ a: Schema.Unknown, b: Schema.Object, c: Schema.Any })],
      ["nothing at all", Schema.Void],
      ["Never", Schema.Never],
      ["parseJson", Schema.parseJson(Schema.Struct({ a: Schema.Date }))]
    ])("accepts %s", (_, schema) => {
      expect(problemOfSchema(schema)).toBeUndefined()
    })

    it.each<[string, Schema.Schema.All, string, RegExp]>([
      [
        "RedactedFromSelf",
        Schema.Struct({ p: Schema.RedactedFromSelf(Schema.String) }),
        "p",
        /^Declaration \(.*Redacted/
      ],
      [
        "ReadonlyMapFromSelf",
        Schema.Struct({ m: Schema.ReadonlyMapFromSelf({ key: Schema.String, value: Schema.Int }) }),
        "m",
        /Declaration \(.*Map/
      ],
      ["Uint8ArrayFromSelf", Schema.Uint8ArrayFromSelf, "", /Declaration \(Uint8ArrayFromSelf\)/],
      ["DateFromSelf", Schema.Struct({ at: Schema.DateFromSelf }), "at", /Declaration \(DateFromSelf\)/],
      ["OptionFromSelf", Schema.Struct({ o: Schema.OptionFromSelf(Schema.String) }), "o", /Declaration \(.*Option/],
      ["an instance", Schema.Struct({ e: Schema.instanceOf(Error) }), "e", /Declaration \(/],
      ["BigIntFromSelf", Schema.Struct({ n: Schema.BigIntFromSelf }), "n", /a bigint: use Schema.BigInt/],
      ["a bigint literal", Schema.Struct({ n: Schema.Literal(1n) }), "n", /bigint literal/],
      ["SymbolFromSelf", Schema.Struct({ s: Schema.SymbolFromSelf }), "s", /symbol/],
      ["a unique symbol", Schema.Struct({ s: Schema.UniqueSymbolFromSelf(Symbol.for("x")) }), "s", /symbol/],
      [
        "a symbol as key",
        Schema.Struct({ a: Schema.Struct({ [Symbol.for("k")]: Schema.String }) }),
        "a",
        /symbol as key \(Symbol\(k\)\)/
      ],
      [
        "symbols as keys of a record",
        Schema.Struct({ r: Schema.Record({ key: Schema.SymbolFromSelf, value: Schema.Int }) }),
        "r.*",
        /symbol/
      ],
      [
        "undefined in an array",
        Schema.Struct({ a: Schema.Array(Schema.UndefinedOr(Schema.String)) }),
        "a[]",
        /undefined inside an array/
      ],
      ["undefined in a tuple", Schema.Tuple(Schema.String, Schema.Undefined), "[]", /undefined inside an array/],
      ["undefined in a tuple's rest", Schema.Tuple([Schema.String], Schema.Void), "[]", /undefined inside an array/],
      [
        "deep in arrays",
        Schema.Struct({ a: Schema.Array(Schema.Struct({ b: Schema.Uint8ArrayFromSelf })) }),
        "a[].b",
        /Uint8ArrayFromSelf/
      ],
      [
        "in a record as a whole",
        Schema.Record({ key: Schema.String, value: Schema.DateFromSelf }),
        "*",
        /DateFromSelf/
      ],
      [
        "in a record",
        Schema.Struct({ r: Schema.Record({ key: Schema.String, value: Schema.DateFromSelf }) }),
        "r.*",
        /DateFromSelf/
      ],
      [
        "in one member of a union",
        Schema.Struct({ u: Schema.Union(Schema.String, Schema.DateFromSelf) }),
        "u",
        /DateFromSelf/
      ],
      ["under a refinement", Schema.Struct({ d: Schema.ValidDateFromSelf }), "d", /Declaration/],
      ["the encoded side of a transformation", Schema.Struct({ t: Sealed }), "t", /Uint8ArrayFromSelf/],
      [
        "in an optional field",
        Schema.Struct({ o: Schema.optionalWith(Schema.DateFromSelf, { default: () => new Date(0) }) }),
        "o",
        /DateFromSelf/
      ],
      ["inside a schema inside itself", Chain, "bytes", /Uint8ArrayFromSelf/],
      [
        "below a schema inside itself",
        Schema.Struct({ list: Schema.Array(Chain) }),
        "list[].bytes",
        /Uint8ArrayFromSelf/
      ],
      [
        "undefined in an array of structs is the struct's",
        Schema.Array(Schema.Struct({ a: Schema.Undefined, b: Schema.BigIntFromSelf })),
        "[].b",
        /bigint/
      ]
    ])("refuses %s and says where", (_, schema, path, what) => {
      const problem = problemOfSchema(schema)
      expect(problem?.path).toBe(path)
      expect(problem?.what).toMatch(what)
    })
  })

  describe("problemOfValue", () => {
    const circular: Record<string, unknown> = {}
    circular.self = circular

    it.each<[string, unknown, string, RegExp]>([
      ["NaN", Number.NaN, "", /^NaN is not a JSON number$/],
      [
        "an infinity in a list",
        { items: [1, { price: Number.NEGATIVE_INFINITY }] },
        "items[1].price",
        /^-Infinity is not a JSON number$/
      ],
      ["a Map", { m: new Map() }, "m", /^a Map is not JSON$/],
      ["a Date", [new Date(0)], "[0]", /^a Date is not JSON$/],
      ["a Uint8Array", { a: { b: new Uint8Array(1) } }, "a.b", /^a Uint8Array is not JSON$/],
      ["a class instance", new (class Price {})(), "", /^a Price is not JSON$/],
      [
        "an object whose class has no name",
        Object.create({ constructor: undefined }),
        "",
        /^a class instance is not JSON$/
      ],
      ["a bigint", { n: 1n }, "n", /^a bigint is not JSON$/],
      ["a function", { f: () => 1 }, "f", /^a function is not JSON$/],
      ["a symbol", [[Symbol("s")]], "[0][0]", /^a symbol is not JSON$/],
      ["undefined in an array", { a: [1, undefined] }, "a[1]", /^undefined inside an array is not JSON$/],
      ["a hole in an array", { a: new Array(1) }, "a[0]", /undefined inside an array/]
    ])("refuses %s and says where", (_, value, path, what) => {
      const problem = problemOfValue(value)
      expect(problem?.path).toBe(path)
      expect(problem?.what).toMatch(what)
    })

    it("refuses what is circular or nested beyond all use, and comes back", () => {
      expect(problemOfValue(circular)?.what).toMatch(/deeper than 512 levels, or circular/)
      const list: Array<unknown> = []
      list.push(list)
      expect(problemOfValue(list)?.what).toMatch(/circular/)
      let deep: unknown = 1
      for (let level = 0; level < 514; level += 1) deep = [deep]
      expect(problemOfValue(deep)).toBeDefined()
    })

    it("accepts 512 levels, twice the same object, no prototype, and fields that are undefined", () => {
      let deep: unknown = 1
      for (let level = 0; level < 512; level += 1) deep = [deep]
      expect(problemOfValue(deep)).toBeUndefined()
      const twice = { a: 1 }
      expect(problemOfValue({ x: twice, y: [twice, twice] })).toBeUndefined()
      expect(problemOfValue(Object.assign(Object.create(null), { a: 1 }))).toBeUndefined()
      expect(problemOfValue({ a: undefined })).toBeUndefined()
      expect(problemOfValue(undefined)).toBeUndefined()
    })

    it.prop("accepts only what JSON text gives back", [
      fc.anything({ withDate: true, withMap: true, withBigInt: true })
    ], ([
      value
    ]) => {
      fc.pre(problemOfValue(value) === undefined)
      const back: unknown = value === undefined ? undefined : JSON.parse(JSON.stringify(value))
      expect(back).toEqual(withoutNegativeZero(value))
    })

    it.prop("accepts every JSON value, strings of any kind included", [
      fc.jsonValue({ stringUnit: "binary" })
    ], ([value]) => {
      expect(problemOfValue(value)).toBeUndefined()
    })
  })
})
