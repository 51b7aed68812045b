/**
 * A schema as JSON text in both directions, with errors that say where and never show a secret. Pure but for the schema's
 * own requirements.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as JsonForm from "./jsonForm.js"
import * as Redaction from "./redaction.js"

/** A value that does not fit, and where. */
export class Misfit extends Data.TaggedError("Misfit")<{ readonly path: string; readonly message: string }> {}

/** `R` is what the schema itself needs. */
export interface Codec<R> {
  readonly encode: (value: unknown) => Effect.Effect<string, Misfit, R>
  readonly decode: (text: string) => Effect.Effect<unknown, Misfit, R>
  /** Where the encoded form holds secrets. */
  readonly secrets: ReadonlyArray<Redaction.Pattern>
}

const maxMessage = 500

const pathText = (path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>(
    (text, key) => typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`,
    ""
  )

const misfitOf = (secrets: ReadonlyArray<Redaction.Pattern>) => (error: ParseResult.ParseError) =>
  Effect.flatMap(ParseResult.ArrayFormatter.formatError(error), ([issue]) => {
    const path = issue?.path ?? []
    const hidden = secrets.length > 0 && Redaction.touches(secrets, path)
    const message = hidden ? "does not fit its schema; the value is not shown, it holds a secret" : issue?.message ?? ""
    return new Misfit({
      path: pathText(path),
      message: message.length <= maxMessage ? message : `${message.slice(0, maxMessage)} … (cut)`
    })
  })

/** The codec of a schema that `JsonForm.problemOfSchema` accepts. `maxSize` is in UTF-16 units of the JSON text. */
export const make = <A, I, R>(schema: Schema.Schema<A, I, R>): Codec<R> => {
  const secrets = Redaction.patternsOf(schema)
  const toMisfit = misfitOf(secrets)
  const encode = Schema.encodeUnknown(schema)
  const decode = Schema.decodeUnknown(schema)
  // JSON has no undefined: a schema that accepts it as a whole is stored as null.
  const nullIsUndefined = Schema.is(Schema.encodedSchema(schema))(undefined)

  const stringify = (encoded: unknown): Effect.Effect<string, Misfit> => {
    const problem = JsonForm.problemOfValue(encoded)
    if (problem !== undefined) return Effect.fail(new Misfit({ path: problem.path, message: problem.what }))
    return Effect.succeed(encoded === undefined ? "null" : JSON.stringify(encoded))
  }

  const parse = (text: string): Effect.Effect<unknown, Misfit> =>
    Effect.try({
      try: (): unknown => {
        const value: unknown = JSON.parse(text)
        return value === null && nullIsUndefined ? undefined : value
      },
      catch: () => new Misfit({ path: "", message: "the stored text is not JSON" })
    })

  return {
    secrets,
    encode: (value) => Effect.flatMap(Effect.catchAll(encode(value), toMisfit), stringify),
    decode: (text) => Effect.flatMap(parse(text), (value) => Effect.catchAll(decode(value), toMisfit))
  }
}
