import { describe, expect, it } from "@effect/vitest"
import { type Redacted, Schema } from "effect"
import { patternsOf, placeholder, redact, touches } from "../../src/internal/redaction.js"
import { anyShape, mark, places, showsSecret } from "./shapes.js"

const Secret = Schema.Redacted(Schema.String)
const shown = (schema: Schema.Schema.All, value: unknown) => redact(patternsOf(schema), value)

class Account extends Schema.Class<Account>("Account")({ user: Schema.String, password: Secret }) {}
class LoginFailed extends Schema.TaggedError<LoginFailed>()("LoginFailed", { token: Secret, at: Schema.Date }) {}

interface Tree {
  readonly key: Redacted.Redacted
  readonly children: ReadonlyArray<Tree>
}
interface TreeEncoded {
  readonly key: string
  readonly children: ReadonlyArray<TreeEncoded>
}
const Tree: Schema.Schema<Tree, TreeEncoded> = Schema.Struct({
  key: Secret,
  children: Schema.Array(Schema.suspend(() => Tree))
})

interface Plain {
  readonly value: number
  readonly children: ReadonlyArray<Plain>
}
const Plain: Schema.Schema<Plain> = Schema.Struct({
  value: Schema.Number,
  children: Schema.Array(Schema.suspend(() => Plain))
})

describe("redaction", () => {
  describe("patternsOf", () => {
    it.each<[string, Schema.Schema.All, ReadonlyArray<ReadonlyArray<string>>]>([
      ["nothing secret", Schema.Struct({ a: Schema.String, b: Schema.Array(Schema.Date) }), []],
      ["the whole", Secret, [[]]],
      ["a field", Schema.Struct({ p: Secret, q: Schema.String }), [["p"]]],
      ["a field of a field", Schema.Struct({ n: Schema.Struct({ k: Secret }) }), [["n", "k"]]],
      ["elements of an array", Schema.Struct({ list: Schema.Array(Schema.Struct({ p: Secret })) }), [[
        "list",
        "[]",
        "p"
      ]]],
      ["an element of a tuple", Schema.Tuple(Schema.String, Secret), [["[]"]]],
      ["the rest of a tuple", Schema.Tuple([Schema.String], Secret), [["[]"]]],
      ["values of a record", Schema.Record({ key: Schema.String, value: Secret }), [["*"]]],
      ["a member of a union", Schema.Union(Schema.Number, Schema.Struct({ p: Secret })), [["p"]]],
      ["what may be null", Schema.Struct({ p: Schema.NullOr(Secret) }), [["p"]]],
      ["optional", Schema.Struct({ p: Schema.optional(Secret) }), [["p"]]],
      ["optional as Option", Schema.Struct({ p: Schema.optionalWith(Secret, { as: "Option" }) }), [["p"]]],
      ["an Option", Schema.Struct({ p: Schema.Option(Secret) }), [["p", "value"]]],
      ["renamed: the encoded name", Schema.Struct({ p: Schema.propertySignature(Secret).pipe(Schema.fromKey("pw")) }), [
        ["pw"]
      ]],
      ["branded", Schema.Struct({ p: Secret.pipe(Schema.brand("Token")) }), [["p"]]],
      [
        "a secret struct is secret as a whole",
        Schema.Struct({ p: Schema.Redacted(Schema.Struct({ a: Schema.Number })) }),
        [["p"]]
      ],
      ["transformed before", Schema.Struct({ p: Schema.compose(Schema.Trim, Schema.Redacted(Schema.String)) }), [[
        "p"
      ]]],
      ["the decoded side", Schema.Struct({ p: Schema.RedactedFromSelf(Schema.String) }), [["p"]]],
      ["a class", Account, [["password"]]],
      ["a typed error", LoginFailed, [["token"]]],
      ["a map's entries", Schema.HashMap({ key: Schema.String, value: Secret }), [["[]", "[]"]]],
      ["no secret in a schema inside itself", Plain, []]
    ])("%s", (_, schema, patterns) => {
      expect(patternsOf(schema)).toEqual(patterns)
    })

    it("of a schema inside itself end, and cover every depth", () => {
      const deep = (levels: number): TreeEncoded => ({
        key: `${mark}${levels}`,
        children: levels === 0 ? [] : [deep(levels - 1), deep(0)]
      })
      for (const levels of [0, 1, 2, 3, 6]) {
        expect(showsSecret(JSON.stringify(shown(Tree, deep(levels))))).toBe(false)
        expect(showsSecret(JSON.stringify(shown(Schema.Array(Tree), [deep(levels)])))).toBe(false)
      }
    })

    it("end also where only an Option, a default or a class stands between a schema and itself", () => {
      const AsOption: Schema.Schema<any> = Schema.Struct({
        p: Schema.Number,
        next: Schema.optionalWith(Schema.suspend(() => AsOption), { as: "Option" })
      }) as never
      const InOption: Schema.Schema<any> = Schema.Struct({
        p: Schema.Number,
        all: Schema.Array(Schema.Option(Schema.suspend(() => InOption)))
      }) as never
      class Node extends Schema.Class<Node>("Node")({
        p: Schema.Number,
        next: Schema.optionalWith(Schema.suspend((): Schema.Schema<any> => Node as never), { default: () => null })
      }) {}
      for (const schema of [AsOption, InOption, Node]) expect(patternsOf(schema)).toEqual([])

      const Secrets: Schema.Schema<any> = Schema.Struct({
        p: Secret,
        next: Schema.optionalWith(Schema.suspend(() => Secrets), { as: "Option" })
      }) as never
      const value = { p: mark, next: { p: mark, next: { p: mark, next: { p: mark } } } }
      expect(showsSecret(JSON.stringify(shown(Secrets, value)))).toBe(false)
    })

    it("see into text that holds a secret", () => {
      const schema = Schema.Struct({ config: Schema.parseJson(Schema.Struct({ p: Secret, q: Schema.Number })) })
      const value = { config: JSON.stringify({ p: mark, q: 1 }) }
      expect(Schema.is(Schema.encodedSchema(schema))(value)).toBe(true)
      expect(showsSecret(JSON.stringify(shown(schema, value)))).toBe(false)
    })

    it("see a secret that only the decoded side tells of", () => {
      const Credentials = Schema.transform(
        Schema.String,
        Schema.Struct({ user: Schema.String, p: Schema.RedactedFromSelf(Schema.String) }),
        {
          strict: false,
          decode: (text: string) => ({ user: text.split(":")[0], p: text.split(":")[1] }),
          encode: () => ""
        }
      )
      expect(showsSecret(JSON.stringify(shown(Schema.Array(Credentials), [`me:${mark}`])))).toBe(false)
    })
  })

  describe("touches", () => {
    const patterns = [["p"], ["n", "k"], ["list", "[]", "t"], ["r", "*"], ["tree", "**"]]

    it.each<[ReadonlyArray<PropertyKey>, boolean]>([
      [["p"], true],
      [["p", "inside"], true],
      [["q"], false],
      [["n"], true],
      [["n", "k"], true],
      [["n", "k", 0], true],
      [["n", "j"], false],
      [["list"], true],
      [["list", 3], true],
      [["list", "3"], true],
      [["list", 3, "t"], true],
      [["list", 3, "u"], false],
      [["list", "length"], false],
      [["r", "anything"], true],
      [["tree"], true],
      [["tree", "a", "b", "c"], true],
      [[], true]
    ])("%j: %s", (path, expected) => {
      expect(touches(patterns, path)).toBe(expected)
    })

    it("is false without secrets, and true everywhere when all is secret", () => {
      expect(touches([], [])).toBe(false)
      expect(touches([], ["a"])).toBe(false)
      expect(touches([[]], ["a", "b"])).toBe(true)
    })

    it.prop(
      "is true at and above every secret, and false at what lies beside",
      [anyShape],
      ([{ exact, schema, value }]) => {
        const found = patternsOf(schema)
        for (const place of places(value)) {
          const secret = showsSecret(JSON.stringify(place.value))
          if (secret) expect(touches(found, place.path)).toBe(true)
          else if (exact && (place.value === "plain" || place.value === 7)) {
            expect(touches(found, place.path)).toBe(
              false
            )
          }
        }
      },
      { fastCheck: { numRuns: 300 } }
    )
  })

  describe("redact", () => {
    it("replaces secret places and nothing else", () => {
      const schema = Schema.Struct({
        user: Schema.String,
        password: Secret,
        keys: Schema.Array(Schema.Struct({ id: Schema.Number, key: Secret })),
        byName: Schema.Record({ key: Schema.String, value: Secret })
      })
      const value = {
        user: "me",
        password: mark,
        keys: [{ id: 1, key: mark }, { id: 2, key: mark }],
        byName: { a: mark, b: mark },
        more: "unknown to the schema"
      }
      expect(shown(schema, value)).toEqual({
        user: "me",
        password: placeholder,
        keys: [{ id: 1, key: placeholder }, { id: 2, key: placeholder }],
        byName: { a: placeholder, b: placeholder },
        more: "unknown to the schema"
      })
      expect(value.password).toBe(mark)
    })

    it("hides a whole that is secret, whatever its form", () => {
      for (const value of [mark, { a: mark }, [mark], 5, null]) expect(redact([[]], value)).toBe(placeholder)
    })

    it.each(["[]", "*", "**", "0", "__proto__", ""])("hides a field that is called %j", (name) => {
      const value = Object.fromEntries([[name, mark]])
      expect(JSON.stringify(value)).toContain(mark)
      expect(JSON.stringify(shown(Schema.Struct(Object.fromEntries([[name, Secret]])), value))).not.toContain(mark)
    })

    it("gives back what it was given when nothing is secret", () => {
      const value = { a: [1, { b: null }] }
      expect(redact([], value)).toBe(value)
    })

    it("leaves alone what has not the form of the schema", () => {
      expect(redact([["a", "b"]], "text")).toBe("text")
      expect(redact([["a", "b"]], null)).toBeNull()
      expect(redact([["a", "b"]], { a: null })).toEqual({ a: null })
    })

    it.prop("never shows a secret, and all that is plain", [anyShape], ([{ exact, schema, value }]) => {
      expect(Schema.is(Schema.encodedSchema(schema))(value)).toBe(true)
      const after = redact(patternsOf(schema), value)
      expect(showsSecret(JSON.stringify(after))).toBe(false)
      if (!exact) return
      const plain = (of: unknown) => places(of).filter((place) => ["plain", 7, "7"].includes(place.value as never))
      expect(plain(after)).toEqual(plain(value))
    }, { fastCheck: { numRuns: 300 } })
  })
})
