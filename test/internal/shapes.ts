/**
 * Random schemas with a value of their encoded side, in which every secret carries a mark. For the properties that say
 * "never shown".
 */
import { FastCheck as fc, Schema } from "effect"

/** What every secret text contains, and what every secret number is. */
export const mark = "S3CRET"
export const markedNumber = 53_001_337

export const showsSecret = (text: string): boolean => text.includes(mark) || text.includes(String(markedNumber))

export interface Shape {
  readonly schema: Schema.Schema<any, any>
  /** JSON. */
  readonly value: unknown
  /** Whether nothing plain shares a pattern with something secret (as the elements of a tuple do). */
  readonly exact: boolean
}

const shape = (schema: Schema.Schema<any, any>, value: unknown, exact = true): Shape => ({ schema, value, exact })

const leaf = fc.constantFrom(
  shape(Schema.String, "plain"),
  shape(Schema.Number, 7),
  shape(Schema.NumberFromString, "7"),
  shape(Schema.Redacted(Schema.String), `${mark}!`),
  shape(Schema.Redacted(Schema.String.pipe(Schema.minLength(3), Schema.maxLength(9))), mark),
  shape(Schema.Redacted(Schema.Number), markedNumber),
  shape(Schema.Redacted(Schema.Struct({ user: Schema.String, list: Schema.Array(Schema.String) })), {
    user: mark,
    list: [mark]
  }),
  shape(Schema.Redacted(Schema.String).pipe(Schema.brand("Key")), mark)
)

const optional = (schema: Schema.Schema<any, any>, how: number): Schema.Struct.Field =>
  [
    schema,
    Schema.optional(schema),
    Schema.optionalWith(schema, { as: "Option" }),
    Schema.optionalWith(schema, { nullable: true })
  ][how % 4]!

const fields = (inner: fc.Arbitrary<Shape>) =>
  fc.uniqueArray(fc.tuple(fc.constantFrom("a", "b", "0", "with space"), inner, fc.nat({ max: 3 })), {
    selector: ([key]) => key,
    maxLength: 3
  })

export const anyShape: fc.Arbitrary<Shape> = fc.letrec<{ shape: Shape }>((tie) => {
  const inner = tie("shape")
  const struct = fields(inner).map((entries) =>
    shape(
      Schema.Struct(Object.fromEntries(entries.map(([key, { schema }, how]) => [key, optional(schema, how)]))) as never,
      Object.fromEntries(entries.map(([key, { value }]) => [key, value])),
      entries.every(([, { exact }]) => exact)
    )
  )
  const array = fc.tuple(inner, fc.nat({ max: 2 })).map(([{ exact, schema, value }, length]) =>
    shape(Schema.Array(schema), Array.from({ length }, () => value), exact)
  )
  const tuple = fc.array(inner, { minLength: 1, maxLength: 3 }).map((all) =>
    shape(Schema.Tuple(...all.map(({ schema }) => schema)), all.map(({ value }) => value), false)
  )
  const record = fc.tuple(inner, fc.uniqueArray(fc.constantFrom("k1", "k2", "3"))).map(([one, keys]) =>
    shape(
      Schema.Record({ key: Schema.String, value: one.schema }),
      Object.fromEntries(keys.map((key) => [key, one.value])),
      one.exact
    )
  )
  const nullable = fc.tuple(inner, fc.boolean()).map(([{ exact, schema, value }, isNull]) =>
    shape(Schema.NullOr(schema), isNull ? null : value, exact)
  )
  const union = fc.tuple(inner, inner, fc.boolean()).map(([one, two, first]) =>
    shape(
      Schema.Union(Schema.TaggedStruct("One", { one: one.schema }), Schema.TaggedStruct("Two", { two: two.schema })),
      first ? { _tag: "One", one: one.value } : { _tag: "Two", two: two.value },
      one.exact && two.exact
    )
  )
  const suspended = inner.map(({ exact, schema, value }) => shape(Schema.suspend(() => schema), value, exact))
  const option = inner.map(({ exact, schema, value }) => shape(Schema.Option(schema), { _tag: "Some", value }, exact))
  return {
    shape: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf,
      struct,
      array,
      tuple,
      record,
      nullable,
      union,
      suspended,
      option
    )
  }
}).shape

/** Every place in a JSON value with what stands there, the value itself first. */
export const places = (
  value: unknown,
  path: ReadonlyArray<string | number> = []
): ReadonlyArray<{ readonly path: ReadonlyArray<string | number>; readonly value: unknown }> => [
  { path, value },
  ...(Array.isArray(value)
    ? value.flatMap((inner, index) => places(inner, [...path, index]))
    : typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, key]))
    : [])
]

/** A copy with something else at one place. */
export const replaceAt = (value: any, [key, ...rest]: ReadonlyArray<string | number>, by: unknown): unknown => {
  if (key === undefined) return by
  const copy: any = Array.isArray(value) ? [...value] : { ...value }
  copy[key] = replaceAt(value[key], rest, by)
  return copy
}
