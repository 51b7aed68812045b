/** How values and types are written for PostgreSQL, and how it tells what went wrong. */
import type { Value } from "./dialect.js"
import type { ColumnType } from "./schema.js"

export const types: Record<ColumnType, string> = {
  uuid: "uuid",
  int: "integer",
  bigint: "bigint",
  name: "text",
  text: "text",
  hash: "text",
  word: "text"
}

/** One array for each column. */
export const columnsOf = (
  rows: ReadonlyArray<ReadonlyArray<Value>>,
  width: number
): ReadonlyArray<ReadonlyArray<Value>> => Array.from({ length: width }, (_, index) => rows.map((row) => row[index]!))

/** `?::uuid[], ?::text[], …`. */
export const arrays = (columns: ReadonlyArray<{ readonly type: ColumnType }>): string =>
  columns.map(({ type }) => `?::${types[type]}[]`).join(", ")

/** The SQLSTATE of the error, or an empty text. */
export const codeOf = (error: unknown): string => {
  let current: unknown = error
  for (let depth = 0; depth < 5 && typeof current === "object" && current !== null; depth += 1) {
    if ("code" in current && typeof current.code === "string" && /^[0-9A-Z]{5}$/.test(current.code)) return current.code
    current = "cause" in current ? current.cause : null
  }
  return ""
}
