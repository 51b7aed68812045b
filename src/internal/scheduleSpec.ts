/**
 * What a schedule says, as the text that a backend keeps, and back. Pure.
 *
 * The text is canonical: the same facts give the same one, so what tells one definition from another can be made from it.
 */
import { createHash } from "node:crypto"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { ScheduleFacts } from "../TaskScheduleInfo.js"

// Grows when an older program would misread the text.
const version = 1

const millis = Schema.Number.pipe(Schema.int(), Schema.positive())

const Spec = Schema.Struct({
  version: Schema.Literal(version),
  trigger: Schema.Union(
    Schema.TaggedStruct("Every", { millis }),
    Schema.TaggedStruct("Cron", { expression: Schema.String, timezone: Schema.String })
  ),
  misfire: Schema.Literal("skip", "once", "all"),
  maxCatchUp: Schema.Int.pipe(Schema.between(1, 1_000)),
  overlap: Schema.Literal("allow", "skip"),
  runOnStartup: Schema.Boolean,
  payload: Schema.String,
  priority: Schema.Int,
  tags: Schema.Record({ key: Schema.String, value: Schema.String }),
  idempotencyKey: Schema.NullOr(Schema.String),
  keyTtl: Schema.NullOr(Schema.Number),
  executor: Schema.Literal("fiber", "thread", "process"),
  requeueOnInterrupt: Schema.Boolean,
  maxCrashes: Schema.Int,
  definitionVersion: Schema.Int
})

const decode = Schema.decodeUnknownEither(Schema.parseJson(Spec))

// Objects with their names in order, whatever order they were made in.
const canonical = (_key: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => one < other ? -1 : 1))
    : value

export const write = (facts: ScheduleFacts): string => JSON.stringify({ ...facts, version }, canonical)

/** Null when it is not a text of `write`, or one of a newer version. */
export const read = (text: string): ScheduleFacts | null =>
  Either.match(decode(text), {
    onLeft: () => null,
    onRight: ({ version: _, ...facts }): ScheduleFacts => facts
  })

/** What tells this definition from another one: the same for the same task and the same facts. */
export const definitionOf = (taskName: string, spec: string): string =>
  createHash("sha256").update(JSON.stringify([taskName, spec])).digest("hex")
