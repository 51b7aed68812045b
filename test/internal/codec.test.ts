import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Context, Effect, Either, Equal, FastCheck as fc, Hash, HashSet, Redacted, Schema } from "effect"
import * as Codec from "../../src/internal/codec.js"
import { anyShape, mark, places, replaceAt, showsSecret } from "./shapes.js"

class Order extends Schema.Class<Order>("Order")({
  id: Schema.UUID,
  total: Schema.BigInt,
  at: Schema.optional(Schema.ValidDateFromSelf.pipe((date) => Schema.compose(Schema.Date, date)))
}) {}

const finite = Schema.Finite.pipe(Schema.filter((number) => !Object.is(number, -0)))
const Rich = Schema.Struct({
  text: Schema.String,
  number: finite,
  flag: Schema.Boolean,
  when: Schema.Date.pipe(Schema.filter((date) => !Number.isNaN(date.getTime()))),
  big: Schema.BigInt,
  bytes: Schema.Uint8ArrayFromBase64,
  map: Schema.ReadonlyMap({ key: Schema.String, value: finite }),
  set: Schema.HashSet(Schema.String),
  choice: Schema.Union(Schema.TaggedStruct("A", { a: Schema.String }), Schema.TaggedStruct("B", { b: Schema.Null })),
  maybe: Schema.Option(Schema.Int),
  either: Schema.Either({ left: Schema.String, right: Schema.Int }),
  tuple: Schema.Tuple(Schema.String, Schema.Literal(1, "two", null)),
  optional: Schema.optional(Schema.String),
  orders: Schema.Array(Order),
  password: Schema.Redacted(Schema.String),
  email: Schema.String.pipe(Schema.minLength(1), Schema.brand("Email"))
})

const encode = (codec: Codec.Codec<never>, value: unknown) => Effect.runSync(Effect.either(codec.encode(value)))
const decode = (codec: Codec.Codec<never>, text: string) => Effect.runSync(Effect.either(codec.decode(text)))
const roundTrip = (codec: Codec.Codec<never>, value: unknown) =>
  Effect.runSync(Effect.flatMap(codec.encode(value), codec.decode))
const misfit = <A>(either: Either.Either<A, Codec.Misfit>): Codec.Misfit => {
  if (Either.isRight(either)) throw new Error(`fits: ${String(either.right)}`)
  return either.left
}

describe("codec", () => {
  describe("round trip", () => {
    const codec = Codec.make(Rich)

    it.prop("gives back what it was given", [Arbitrary.make(Rich)], ([value]) => {
      const text = Effect.runSync(codec.encode(value))
      expect(() => JSON.parse(text)).not.toThrow()
      const back = Effect.runSync(codec.decode(text)) as typeof value
      const { bytes, set, ...rest } = value
      expect(Equal.equals(back.set, set)).toBe(true)
      expect(back).toEqual({ ...rest, bytes: expect.anything(), set: expect.anything() })
      expect([...back.bytes]).toEqual([...bytes])
      // A HashSet has no order: members whose hashes collide change places when it is built anew.
      const inOrder = (json: string) => {
        const { set, ...others } = JSON.parse(json) as { readonly set: ReadonlyArray<string> }
        return { ...others, set: [...set].sort() }
      }
      expect(inOrder(Effect.runSync(codec.encode(back)))).toEqual(inOrder(text))
    })

    it("keeps the members of a set whose hashes collide", () => {
      const set = HashSet.make("##", "@ ")
      expect(Hash.string("##")).toBe(Hash.string("@ "))
      expect(Equal.equals(roundTrip(Codec.make(Schema.HashSet(Schema.String)), set), set)).toBe(true)
    })

    it.prop("keeps any text", [fc.string({ unit: "binary" })], ([text]) => {
      expect(roundTrip(Codec.make(Schema.Struct({ text: Schema.String })), { text })).toEqual({ text })
    })

    it.each(["\0", "\ud800", "\udfff before", "😀", "\u2028", "\"\\"])("keeps %j", (text) => {
      expect(roundTrip(Codec.make(Schema.String), text)).toBe(text)
    })

    it("keeps instances of a class, and the secret in the stored text", () => {
      const order = new Order({ id: "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", total: 10n ** 30n })
      const back = roundTrip(Codec.make(Order), order)
      expect(back).toBeInstanceOf(Order)
      expect(back).toEqual(order)
      const secret = roundTrip(Codec.make(Schema.Redacted(Schema.String)), Redacted.make(mark))
      expect(Redacted.isRedacted(secret) && Redacted.value(secret)).toBe(mark)
    })

    it.each<[string, Schema.Schema<any, any>, unknown]>([
      ["Void", Schema.Void, undefined],
      ["Undefined", Schema.Undefined, undefined],
      ["UndefinedOr, without", Schema.UndefinedOr(Schema.String), undefined],
      ["UndefinedOr, with", Schema.UndefinedOr(Schema.String), "x"],
      ["Null", Schema.Null, null],
      ["NullOr", Schema.NullOr(Schema.String), null],
      ["an empty struct", Schema.Struct({}), {}],
      ["a number alone", Schema.Number, 7]
    ])("keeps %s", (_, schema, value) => {
      expect(roundTrip(Codec.make(schema), value)).toStrictEqual(value)
    })

    it("stores undefined as a whole as null, and fields that are undefined not at all", () => {
      expect(Effect.runSync(Codec.make(Schema.Void).encode(undefined))).toBe("null")
      const optional = Codec.make(Schema.Struct({ a: Schema.optional(Schema.String) }))
      expect(Effect.runSync(optional.encode({ a: undefined }))).toBe("{}")
    })

    it.effect("uses what the schema itself needs", () =>
      Effect.gen(function*() {
        class Key extends Context.Tag("Key")<Key, string>() {}
        const Sealed = Schema.transformOrFail(Schema.String, Schema.String, {
          strict: true,
          decode: (text) => Effect.map(Key, (key) => text.slice(key.length)),
          encode: (text) => Effect.map(Key, (key) => key + text)
        })
        const codec = Codec.make(Schema.Struct({ token: Sealed }))
        const text = yield* Effect.provideService(codec.encode({ token: "t" }), Key, "k-")
        expect(text).toBe("{\"token\":\"k-t\"}")
        expect(yield* Effect.provideService(codec.decode(text), Key, "k-")).toEqual({ token: "t" })
      }))
  })

  describe("misfits", () => {
    const Cart = Codec.make(Schema.Struct({
      items: Schema.Array(Schema.Struct({ price: Schema.Number, "the name": Schema.optional(Schema.String) })),
      byKey: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.Number }))
    }))

    it.each<[string, unknown, string, RegExp]>([
      [
        "in a list",
        { items: [{ price: 1 }, { price: 2 }, { price: "3" }] },
        "items[2].price",
        /Expected number, actual "3"/
      ],
      ["what is missing", { items: [{}] }, "items[0].price", /is missing/],
      [
        "under a name with a space",
        { items: [{ price: 1, "the name": 5 }] },
        "items[0].the name",
        /Expected string.*actual 5/
      ],
      ["in a record", { items: [], byKey: { a: 1, "b.c": null } }, "byKey.b.c", /Expected number, actual null/],
      ["as a whole", "text", "", /actual "text"/],
      [
        "NaN, which is a number but not JSON",
        { items: [{ price: Number.NaN }] },
        "items[0].price",
        /NaN is not a JSON number/
      ]
    ])("say where and what: %s", (_, value, path, message) => {
      const found = misfit(encode(Cart, value))
      expect(found).toBeInstanceOf(Codec.Misfit)
      expect(found.path).toBe(path)
      expect(found.message).toMatch(message)
    })

    it("say the same of stored text", () => {
      const found = misfit(decode(Cart, "{\"items\":[{\"price\":1},{\"price\":\"2\"}]}"))
      expect([found.path, found.message]).toEqual(["items[1].price", "Expected number, actual \"2\""])
    })

    it("say that text is not JSON, without showing it", () => {
      const found = misfit(decode(Cart, `{"items": ${mark}`))
      expect([found.path, found.message]).toEqual(["", "the stored text is not JSON"])
      expect(decode(Codec.make(Schema.Null), "").pipe(Either.isLeft)).toBe(true)
    })

    it("are bounded, however large the value", () => {
      const found = misfit(encode(Cart, { items: "x".repeat(100_000) }))
      expect(found.path).toBe("items")
      expect(found.message.length).toBeLessThan(520)
      expect(found.message).toMatch(/… \(cut\)$/)
    })

    it("of an unknown field are found by value", () => {
      const codec = Codec.make(Schema.Struct({ extra: Schema.Unknown }))
      expect(misfit(encode(codec, { extra: { m: [new Map()] } })).path).toBe("extra.m[0]")
      expect(roundTrip(codec, { extra: { a: [1, null] } })).toEqual({ extra: { a: [1, null] } })
    })
  })

  describe("secrets", () => {
    const Password = Schema.Redacted(Schema.String.pipe(Schema.minLength(12)))
    const short = Redacted.make(mark)
    class Account extends Schema.Class<Account>("Account")({ password: Password, age: Schema.Number }) {}

    it.each<[string, Schema.Schema<any, any>, unknown, string]>([
      ["a field", Schema.Struct({ p: Password }), { p: short }, "p"],
      ["not wrapped", Schema.Struct({ p: Password }), { p: mark }, "p"],
      ["in a list", Schema.Array(Password), [Redacted.make("long enough indeed"), short], "[1]"],
      ["in a record", Schema.Record({ key: Schema.String, value: Password }), { k: short }, "k"],
      ["in a union", Schema.Struct({ u: Schema.Union(Schema.Number, Password) }), { u: short }, "u"],
      [
        "above it: a union of structs",
        Schema.Struct({
          u: Schema.Union(
            Schema.Struct({ kind: Schema.Literal("a"), p: Password }),
            Schema.Struct({ kind: Schema.Literal("b") })
          )
        }),
        { u: { kind: "c", p: mark } },
        "u.kind"
      ],
      ["above it: the whole is not a struct", Schema.Struct({ p: Password }), [mark], ""],
      ["optional", Schema.Struct({ p: Schema.optionalWith(Password, { default: () => short }) }), { p: short }, "p"],
      ["in a class", Account, { password: short, age: 1 }, "password"]
    ])("are not shown when the value does not fit: %s", (_, schema, value, path) => {
      const found = misfit(encode(Codec.make(schema), value))
      expect(found.path).toBe(path)
      expect(showsSecret(found.message)).toBe(false)
    })

    it("beside what does not fit leave the message as it is", () => {
      const codec = Codec.make(Account)
      expect(misfit(encode(codec, { password: Redacted.make("long enough indeed"), age: "old" })).message)
        .toMatch(/Expected number, actual "old"/)
      expect(misfit(decode(codec, JSON.stringify({ password: "long enough indeed", age: "old" }))).message)
        .toMatch(/Expected number, actual "old"/)
    })

    it.each<[string, Schema.Schema<any, any>, unknown]>([
      ["a renamed field", Schema.Struct({ p: Schema.propertySignature(Password).pipe(Schema.fromKey("password")) }), {
        p: short
      }],
      ["a renamed field of a list", Schema.Array(Schema.rename(Schema.Struct({ q: Password }), { q: "p" })), [{
        p: short
      }]],
      ["text that holds a struct", Schema.Struct({ config: Schema.parseJson(Schema.Struct({ p: Password })) }), {
        config: { p: short }
      }]
    ])("are not shown where the two sides have different forms: %s", (_, schema, value) => {
      expect(showsSecret(misfit(encode(Codec.make(schema), value)).message)).toBe(false)
    })

    it("are not shown when stored text that holds a struct does not fit", () => {
      const codec = Codec.make(Schema.Struct({ config: Schema.parseJson(Schema.Struct({ p: Password })) }))
      for (const config of [JSON.stringify({ p: mark }), `{"p":"${mark}`]) {
        expect(showsSecret(misfit(decode(codec, JSON.stringify({ config }))).message)).toBe(false)
      }
    })

    it.prop("are never in a message about stored text, whatever part of it is wrong", [
      anyShape,
      fc.nat(),
      fc.constantFrom("wrap", "wrong type", "remove")
    ], ([{ schema, value }, which, how]) => {
      const all = places(value)
      const place = all[which % all.length]!
      const secret = showsSecret(JSON.stringify(place.value))
      const by = how === "wrap" ? [place.value] : how === "remove" ? undefined : secret ? { oops: mark } : { oops: 1 }
      const text = JSON.stringify(replaceAt(value, place.path, by)) ?? "null"
      const decoded = decode(Codec.make(schema), text)
      if (Either.isLeft(decoded)) {
        expect(showsSecret(decoded.left.message)).toBe(false)
        expect(showsSecret(decoded.left.path)).toBe(false)
      }
    }, { fastCheck: { numRuns: 400 } })

    it.prop(
      "are never in a message about a value, such as one that was not decoded",
      [anyShape],
      ([{ schema, value }]) => {
        const encoded = encode(Codec.make(schema), value)
        if (Either.isLeft(encoded)) expect(showsSecret(encoded.left.message)).toBe(false)
      },
      { fastCheck: { numRuns: 400 } }
    )

    it("says where they are", () => {
      expect(Codec.make(Rich).secrets).toEqual([["password"]])
    })
  })
})
