import { describe, expect, it } from "@effect/vitest"
import { Schema } from "effect"
import * as PayloadSchema from "../../src/internal/payloadSchema.js"
import * as Redaction from "../../src/internal/redaction.js"

const of = (schema: Schema.Schema.Any): any => PayloadSchema.make(schema, Redaction.patternsOf(schema))
const secret = { format: "password", writeOnly: true }

describe("the JSON Schema of a payload", () => {
  it("says which places are secrets, in lists, records, unions and schemas with a name too", () => {
    class Card extends Schema.Class<Card>("Card")({ number: Schema.Redacted(Schema.String), holder: Schema.String }) {}
    const { properties } = of(Schema.Struct({
      plain: Schema.String,
      token: Schema.Redacted(Schema.String),
      maybe: Schema.NullOr(Schema.Redacted(Schema.String)),
      cards: Schema.Array(Card),
      byName: Schema.Record({ key: Schema.String, value: Schema.Redacted(Schema.String) })
    }))
    expect(properties.plain).toEqual({ type: "string" })
    expect(properties.token).toMatchObject({ type: "string", ...secret })
    expect(properties.maybe).toMatchObject(secret)
    expect(properties.cards.items.properties).toMatchObject({ number: secret, holder: { type: "string" } })
    expect(properties.cards.items.properties.holder).not.toHaveProperty("format")
    expect(properties.byName.additionalProperties).toMatchObject(secret)
  })

  it("says which texts are moments", () => {
    const { properties } = of(
      Schema.Struct({ at: Schema.Date, utc: Schema.NullOr(Schema.DateTimeUtc), big: Schema.BigInt })
    )
    expect(properties.at.format).toBe("date-time")
    expect(properties.utc.anyOf[0].format).toBe("date-time")
    expect(properties.big).not.toHaveProperty("format")
  })

  it("is null where there is none to give", () => {
    interface Tree {
      readonly secret: string
      readonly below: ReadonlyArray<Tree>
    }
    const Tree: Schema.Schema<any, Tree> = Schema.Struct({
      secret: Schema.Redacted(Schema.String),
      below: Schema.Array(Schema.suspend((): Schema.Schema<any, Tree> => Tree))
    })
    expect(of(Tree)).toBeNull()
    const odd = Schema.String.pipe(Schema.filter(() => true))
    expect(of(Schema.Struct({ odd }))).toMatchObject({ properties: { odd: { type: "string" } } })
    expect(of(Schema.SymbolFromSelf)).toBeNull()
  })
})
