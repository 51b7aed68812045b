/**
 * Where the next page of a search begins, as an opaque text: base64url of JSON with a version and a digest of the filter and
 * the sort it belongs to.
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { TaskId } from "../TaskId.js"
import { TaskCursorError } from "./TaskProblem.js"

/** Behind an id, in the order of ids. */
const Behind = Schema.Struct({ v: Schema.Literal(1), f: Schema.String, id: TaskId })

/** Behind a value, among the rows from `top` down to `bottom` (null: to the end), seen at a time. */
const BehindValue = Schema.Struct({
  v: Schema.Literal(1),
  f: Schema.String,
  id: TaskId,
  value: Schema.NullOr(Schema.JsonNumber),
  top: TaskId,
  bottom: Schema.NullOr(TaskId),
  now: Schema.JsonNumber
})

export type Behind = typeof Behind.Type
export type BehindValue = typeof BehindValue.Type

const Encoded = Schema.compose(Schema.StringFromBase64Url, Schema.parseJson(Schema.Union(BehindValue, Behind)))
const encoded = Schema.encodeSync(Encoded)
const decode = Schema.decode(Encoded)

// Ours are shorter.
const longest = 1_000

/** What a cursor belongs to: 16 characters. */
export const digestOf = (applied: string, sort: string): string =>
  createHash("sha256").update(JSON.stringify([applied, sort])).digest("base64url").slice(0, 16)

export const encode = (cursor: Behind | BehindValue): string => encoded(cursor)

/** A text that is no cursor. */
export const malformed = new TaskCursorError({
  reason: "malformed",
  message: "the cursor is none that was given out here: begin without one"
})

const read = (text: string, digest: string): Effect.Effect<Behind | BehindValue, TaskCursorError> =>
  text.length > longest ? Effect.fail(malformed) : decode(text).pipe(
    Effect.mapError((_: ParseResult.ParseError) => malformed),
    Effect.filterOrFail((cursor) => cursor.f === digest, () =>
      new TaskCursorError({
        reason: "otherQuestion",
        message: "the cursor belongs to another filter or sort: begin without one, or ask as for the page before"
      }))
  )

/** The place that a cursor in the order of ids names. */
export const readBehind = (text: string, digest: string): Effect.Effect<Behind, TaskCursorError> => read(text, digest)

/** The place that a cursor in the order of values names. */
export const readBehindValue = (text: string, digest: string): Effect.Effect<BehindValue, TaskCursorError> =>
  Effect.flatMap(read(text, digest), (cursor) => "top" in cursor ? Effect.succeed(cursor) : Effect.fail(malformed))
