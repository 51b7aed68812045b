/** What a batch is asked for with, as schemas: which tasks, what is done with them, how fast, how soon. */
import * as Schema from "effect/Schema"
import { BatchAction } from "./BatchShapes.js"
import * as Params from "./TaskParams.js"

/** The most ids that one batch is given. */
const maxIds = 10_000

/** The longest undo window, in milliseconds. */
const maxStartAfter = 600_000

/** The highest rate that can be asked for. */
const maxPerSecond = 1_000

/** Which tasks: these, those that a filter shows, or the failed ones of a group of errors. */
export const BatchSelection = Schema.Union(
  Schema.Struct({
    /** At most 10,000. */
    ids: Schema.Array(Schema.String.pipe(Schema.maxLength(100))).pipe(Schema.minItems(1), Schema.maxItems(maxIds))
  }),
  Schema.Struct({
    /** The same names as in a URL, and texts as there. */
    filter: Params.Filter
  }),
  Schema.Struct({
    /** The fingerprint of a group of errors. */
    group: Schema.String.pipe(Schema.maxLength(200))
  })
).annotations({ identifier: "BatchSelection" })

export type BatchSelection = typeof BatchSelection.Type

export const BatchRequest = Schema.Struct({
  action: BatchAction,
  selection: BatchSelection,
  /** At most so many tasks a second, 1 to 1,000. By default as fast as leaves half of the time to others. */
  perSecond: Schema.optional(Schema.Int.pipe(Schema.between(1, maxPerSecond))),
  /** Milliseconds, up to 10 minutes, in which nothing happens yet and a stop undoes all of it. Default 0. */
  startAfter: Schema.optional(Schema.Int.pipe(Schema.between(0, maxStartAfter)))
}).annotations({ identifier: "BatchRequest", ...Params.exactly })

export type BatchRequest = typeof BatchRequest.Type
