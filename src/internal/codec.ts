/**
 * A schema as JSON text in both directions, with errors that say where and never show a secret. Pure but for the schema's
 * own requirements.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as JsonForm from "./jsonForm.js"
import * as Redaction from "./redaction.js"

/** A value that does not fit, and where. */
export class Misfit extends Data.TaggedError("Misfit")<{ readonly path: string; readonly message: string }> {}

/**
 * `R` is what the schema itself needs. The work is done when a method is called, and a transformation may throw: call
 * inside an effect. What needs no waiting answers an Exit.
 */
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

const toMisfit = (error: ParseResult.ParseError) =>
  Effect.flatMap(ParseResult.ArrayFormatter.formatError(error), ([issue]) => {
    const path = issue?.path ?? []
    const message = Redaction.conceals(error.issue)
      ? "does not fit its schema; the value is not shown, it holds a secret"
      : issue?.message ?? ""
    return new Misfit({
      path: pathText(path),
      message: message.length <= maxMessage ? message : `${message.slice(0, maxMessage)} … (cut)`
    })
  })

/** The value of an effect that had nothing to wait for and did not fail, or undefined. */
export const answered = <A, E>(result: Effect.Effect<A, E>): { readonly value: A } | undefined =>
  // safe: an effect that is an Exit is the Exit of its own value
  Exit.isExit(result) && Exit.isSuccess(result as Exit.Exit<A, E>)
    ? { value: (result as Exit.Success<A, E>).value }
    : undefined

/** The codec of a schema that `JsonForm.problemOfSchema` accepts. `maxSize` is in UTF-16 units of the JSON text. */
export const make = <A, I, R>(schema: Schema.Schema<A, I, R>): Codec<R> => {
  const secrets = Redaction.patternsOf(schema)
  const encode = Schema.encodeUnknown(schema)
  const decode = Schema.decodeUnknown(schema)
  // JSON has no undefined: a schema that accepts it as a whole is stored as null.
  const nullIsUndefined = Schema.is(Schema.encodedSchema(schema))(undefined)

  const stringify = (encoded: unknown): Effect.Effect<string, Misfit> => {
    const problem = JsonForm.problemOfValue(encoded)
    if (problem !== undefined) return Effect.fail(new Misfit({ path: problem.path, message: problem.what }))
    return Effect.succeed(encoded === undefined ? "null" : JSON.stringify(encoded))
  }

  // Most schemas answer at once, with an Either: looking at it is a tenth of what the general way allocates.
  const then = <B, R2>(
    result: Effect.Effect<unknown, ParseResult.ParseError, R>,
    next: (value: unknown) => Effect.Effect<B, Misfit, R2>
  ): Effect.Effect<B, Misfit, R | R2> => {
    if (Either.isEither(result)) {
      return Either.isRight(result)
        ? next(result.right)
        : toMisfit(result.left as ParseResult.ParseError)
    }
    return Effect.flatMap(Effect.catchAll(result, toMisfit), next)
  }

  return {
    secrets,
    encode: (value) => then(encode(value), stringify),
    decode: (text) => {
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch {
        return Effect.fail(new Misfit({ path: "", message: "the stored text is not JSON" }))
      }
      return then(decode(value === null && nullIsUndefined ? undefined : value), Effect.succeed)
    }
  }
}
