/** What a filter shows as a file: read page by page while it is sent, so its size costs no memory. */
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { stringify } from "csv-stringify/sync"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import * as Listing from "./listing.js"
import type { Parts } from "./parts.js"
import type * as Params from "./TaskParams.js"
import type { TaskSummary } from "./TaskShapes.js"
import * as TaskView from "./TaskView.js"

type Row = typeof TaskSummary.Type

/** The most tasks in one file, and how many without a `limit`. */
export const maxExported = 100_000

const pageSize = 200

const columns = [
  "taskId",
  "taskName",
  "status",
  "createdAt",
  "startedAt",
  "endedAt",
  "duration",
  "attempts",
  "retriesUsed",
  "priority",
  "source",
  "executor",
  "instance",
  "idempotencyKey",
  "retryOf",
  "retriedAs",
  "stopReason",
  "error",
  "tags"
] as const satisfies ReadonlyArray<keyof Row>

const bom = "\ufeff"

// A cell that begins like a formula gets an apostrophe before it: programs that open the file would run it.
const csvRows = (rows: ReadonlyArray<Row>): string =>
  stringify(rows.map((row) => ({ ...row, tags: JSON.stringify(row.tags) })), {
    columns: [...columns],
    escape_formulas: true,
    record_delimiter: "windows"
  })

const formats = {
  // With a byte order mark: without one, spreadsheets take the text for something else than UTF-8.
  csv: {
    contentType: "text/csv; charset=utf-8",
    head: `${bom}${columns.join(",")}\r\n`,
    rows: csvRows
  },
  ndjson: {
    contentType: "application/x-ndjson",
    head: "",
    rows: (rows: ReadonlyArray<Row>): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("")
  }
} as const

// A Node server ends a response whose stream failed as if it were complete: the reader must not take a part for the whole.
const breakOff = Effect.map(HttpServerRequest.HttpServerRequest, ({ source }) =>
  Effect.sync(() => {
    if (Predicate.hasProperty(source, "destroy") && typeof source.destroy === "function") source.destroy()
  }))

/** The answer to `GET /export.csv` and `/export.ndjson`. */
export const response = (
  parts: Parts,
  format: keyof typeof formats,
  { limit = maxExported, ...filter }: Params.Filter & { readonly limit?: number | undefined }
) =>
  Effect.gen(function*() {
    const { contentType, head, rows } = formats[format]
    // Before the answer begins: what is sent later is read when nobody knows any more who asked.
    const plan = yield* Listing.planOf(parts, filter)
    const page = (cursor: string | undefined, left: number) =>
      Effect.map(
        Listing.planned(parts, plan, { cursor, limit: Math.min(pageSize, left) }),
        ({ items, nextCursor }) => ({
          text: rows(items.map((record) => TaskView.summary(record, parts.redaction))),
          cursor: nextCursor,
          left: left - items.length
        })
      )
    const day = TaskView.iso(yield* Clock.currentTimeMillis).slice(0, 10)
    // A filter that is refused and a backend that fails are answered as such: after the first bytes it is too late for that,
    // a failure then breaks the connection off.
    const first = yield* page(undefined, limit)
    const rest = Stream.unfoldEffect(
      first,
      ({ cursor, left }) =>
        cursor === null || left <= 0
          ? Effect.succeedNone
          : Effect.map(page(cursor, left), (next) => Option.some([next.text, next] as const))
    )
    const stop = yield* breakOff
    return HttpServerResponse.stream(
      Stream.make(head + first.text).pipe(
        Stream.concat(rest),
        Stream.tapErrorCause((cause) => Effect.zipRight(Effect.logError("TaskHttp: an export broke off", cause), stop)),
        Stream.encodeText
      ),
      {
        contentType,
        headers: { "content-disposition": `attachment; filename="runs-${day}.${format}"` }
      }
    )
  })
