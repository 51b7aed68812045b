/**
 * What can be asked over HTTP, as schemas: parameters of lists, windows of time, bodies of actions.
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { Enqueued } from "../TaskEvent.js"
import { TaskStatus } from "../TaskStatus.js"
import { sorts } from "./TaskSearch.js"

const momentPattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+ -]\d\d:?\d\d))?$/

// A plus that was not percent-encoded arrives as a space.
export const Moment = Schema.transformOrFail(Schema.String, Schema.Number, {
  strict: true,
  decode: (text, _, ast) => {
    const millis = momentPattern.test(text) ? Date.parse(text.replace(" ", "+")) : Number.NaN
    return Number.isNaN(millis)
      ? ParseResult.fail(
        new ParseResult.Type(ast, text, "a date, or a time with its zone, as 2026-01-31T08:00:00Z is expected")
      )
      : ParseResult.succeed(millis)
  },
  encode: (millis) => ParseResult.succeed(new Date(millis).toISOString())
}).annotations({ jsonSchema: { type: "string", format: "date-time" } })

export const Tag = Schema.transformOrFail(Schema.String, Schema.Tuple(Schema.String, Schema.String), {
  strict: true,
  decode: (text, _, ast) => {
    const colon = text.indexOf(":")
    return colon < 1
      ? ParseResult.fail(new ParseResult.Type(ast, text, "name:value is expected"))
      : ParseResult.succeed([text.slice(0, colon), text.slice(colon + 1)] as const)
  },
  encode: ([name, value]) => ParseResult.succeed(`${name}:${value}`)
})

export const Statuses = Schema.transform(Schema.Array(Schema.String), Schema.Array(TaskStatus), {
  strict: false,
  decode: (texts) => texts.flatMap((text) => text.split(",")),
  encode: (statuses) => statuses
}).annotations({
  jsonSchema: {
    description: "one or more, repeated or separated by commas",
    type: "array",
    items: { type: "string", enum: TaskStatus.literals }
  }
})

/** A whole number in a URL. */
export const wholeFromTo = (min: number, max: number) =>
  Schema.transformOrFail(Schema.String, Schema.Number, {
    strict: true,
    decode: (text, _, ast) => {
      const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
      return value >= min && value <= max
        ? ParseResult.succeed(value)
        : ParseResult.fail(new ParseResult.Type(ast, text, `a whole number from ${min} to ${max} is expected`))
    },
    encode: (value) => ParseResult.succeed(String(value))
  }).annotations({ jsonSchema: { type: "integer", minimum: min, maximum: max } })

/** The most tasks that one bulk action looks at. */
export const maxBulk = 1_000

// More than any name is long.
/** A text in a URL. */
export const text = (description: string) => Schema.String.pipe(Schema.maxLength(2_000)).annotations({ description })

// A schema that says what it is in JSON Schema has to say its description there too.
const described = <A, I, R>(schema: Schema.Schema<A, I, R>, description: string): Schema.Schema<A, I, R> =>
  schema.annotations({
    description,
    jsonSchema: { ...Option.getOrElse(AST.getJSONSchemaAnnotation(schema.ast), () => ({})), description }
  })

const Cursor = text("`nextCursor` of the page before, of the same filter and sort")

/** A switch: `?dryRun`, `?dryRun=true`, `?dryRun=1`. */
export const Flag = Schema.transformOrFail(Schema.String, Schema.Boolean, {
  strict: true,
  decode: (text, _, ast) =>
    text === "" || text === "true" || text === "1"
      ? ParseResult.succeed(true)
      : text === "false" || text === "0"
      ? ParseResult.succeed(false)
      : ParseResult.fail(new ParseResult.Type(ast, text, "true or false is expected")),
  encode: (on) => ParseResult.succeed(String(on))
}).annotations({ jsonSchema: { type: "boolean" } })

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const maxWindow = 3_650 * units.d

const amountOf = (text: string): number => {
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  // safe: the pattern allows these three
  const millis = amount === undefined ? Number.NaN : Number(amount) * units[unit as keyof typeof units]
  return millis >= units.m && millis <= maxWindow ? millis : Number.NaN
}

const age = (pattern: string, wrong: string, all: number) =>
  Schema.transformOrFail(Schema.String, Schema.Number, {
    strict: true,
    decode: (text, _, ast) => {
      const millis = text === "all" ? all : amountOf(text)
      return Number.isNaN(millis)
        ? ParseResult.fail(new ParseResult.Type(ast, text, wrong))
        : ParseResult.succeed(millis)
    },
    encode: (millis) => ParseResult.succeed(Number.isFinite(millis) ? `${Math.round(millis / units.m)}m` : "all")
  }).annotations({ description: "how far back", jsonSchema: { type: "string", pattern } })

/** How far back: `<N>m`, `<N>h` or `<N>d` as milliseconds, up to ten years; `all` is endless. */
export const Age = age("^(\\d{1,6}[mhd]|all)$", "<N>m, <N>h, <N>d or all is expected, as 6h", Number.POSITIVE_INFINITY)

/** The same without `all`. */
export const Window = age("^\\d{1,6}[mhd]$", "<N>m, <N>h or <N>d is expected, as 24h", Number.NaN)

/** Which tasks. Everything given must hold. */
export const Filter = Schema.Struct({
  status: Schema.optional(Statuses),
  task: Schema.optional(text("the name of a task")),
  tag: Schema.optional(described(Tag, "`name:value`")),
  source: Schema.optional(Enqueued.fields.source),
  priority: Schema.optional(wholeFromTo(-2_147_483_647, 2_147_483_647)),
  schedule: Schema.optional(text("the name of a schedule")),
  group: Schema.optional(text("the fingerprint of a group of errors")),
  since: Schema.optional(described(Moment, "created at or after")),
  until: Schema.optional(described(Moment, "created before")),
  q: Schema.optional(text("words of the filter language"))
})

export type Filter = typeof Filter.Type

/** With a minus, from the largest or latest on. */
export const Sort = Schema.Literal(...sorts).annotations({ description: "`-created`, the newest first, by default" })

export const List = Schema.Struct({
  ...Filter.fields,
  sort: Schema.optional(Sort),
  order: Schema.optional(
    Schema.Literal("newest", "oldest").annotations({
      description: "short for `sort=-created` and `sort=created`; says nothing beside `sort`"
    })
  ),
  limit: Schema.optional(described(wholeFromTo(1, 200), "50 by default")),
  cursor: Schema.optional(Cursor)
})

export const Lines = Schema.Struct({
  after: Schema.optional(described(wholeFromTo(0, Number.MAX_SAFE_INTEGER), "lines to skip")),
  limit: Schema.optional(described(wholeFromTo(1, 1_000), "1,000 by default"))
})

/**
 * Of a body that says what to do: a name that is not known is refused. Passed over, a filter of a misspelt name would be one of all
 * tasks.
 */
export const exactly = { parseOptions: { onExcessProperty: "error" } } as const

/** Which tasks an action is for: these, or a page of those that a filter shows. */
export const Selection = Schema.Union(
  Schema.Struct({ ids: Schema.Array(Schema.String.pipe(Schema.maxLength(100))).pipe(Schema.maxItems(maxBulk)) }),
  Schema.Struct({
    /** The same names as in a URL, and texts as there. */
    filter: Filter,
    /** `nextCursor` of the answer before. */
    cursor: Schema.optional(Cursor),
    /** How many tasks to look at, 1 to 1,000. Default 1,000. */
    limit: Schema.optional(Schema.Int.pipe(Schema.between(1, maxBulk)))
  })
).annotations({ identifier: "TaskSelection", ...exactly })

export type Selection = typeof Selection.Type

/** How a task is retried. Nothing, or no body at all: as it was. */
export const Retry = Schema.NullOr(Schema.Struct({
  payload: Schema.optional(Schema.Unknown.annotations({
    description:
      "instead of what it had, in the payload's encoded form; what stands as it was shown is what was stored, secrets too",
    jsonSchema: { type: ["object", "array", "string", "number", "boolean", "null"] }
  }))
})).annotations({ identifier: "TaskRetry", ...exactly })

export const DryRun = Schema.Struct({
  /** Only say what would happen. */
  dryRun: Schema.optional(Flag)
})

/** A task's id. */
export const id = HttpApiSchema.param(
  "id",
  Schema.String.annotations({ description: "A task's id, a lower-case UUIDv7" })
)

/** The name of a task or a schedule, percent-encoded. */
export const name = HttpApiSchema.param("name", Schema.String)

/** The whole of `TaskStatus`, for those who build forms from this. */
export const statuses = TaskStatus.literals
