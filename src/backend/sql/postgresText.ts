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

/** Where lists of texts are cut, in characters. */
export const largestText = 4_000_000

// The driver's own way with arrays quotes every element: a third of what the process allocated. Ids and numbers need no
// quotes. Texts are joined by a control character, which neither JSON text nor one of our own words has in it.
const between = "\u001f"
const none = "\u001e"
const isText = (type: ColumnType): boolean => types[type] === "text"

/** How an array of the type stands in a statement. */
export const arrayMark = (type: ColumnType): string =>
  isText(type) ? "(string_to_array(?::text, E'\\x1f', E'\\x1e'))[2:]" : `?::${types[type]}[]`

/** The parameter for it. There is at least one value. */
export const arrayOf = (type: ColumnType, values: ReadonlyArray<Value>): Value => {
  if (isText(type)) {
    // In front of each: a single empty text joined to nothing would be a list of nothing.
    let text = ""
    for (const value of values) text += between + (value ?? none)
    return text
  }
  return `{${values.includes(null) ? values.map((value) => value ?? "NULL").join(",") : values.join(",")}}`
}

/** One array for each column. There is at least one row. */
export const columnsOf = (
  rows: ReadonlyArray<ReadonlyArray<Value>>,
  columns: ReadonlyArray<{ readonly type: ColumnType }>
): ReadonlyArray<Value> => columns.map(({ type }, index) => arrayOf(type, rows.map((row) => row[index]!)))

/** `?::uuid[], ?::bigint[], …`. */
export const arrays = (columns: ReadonlyArray<{ readonly type: ColumnType }>): string =>
  columns.map(({ type }) => arrayMark(type)).join(", ")

/** The SQLSTATE of the error, or an empty text. */
export const codeOf = (error: unknown): string => {
  let current: unknown = error
  for (let depth = 0; depth < 5 && typeof current === "object" && current !== null; depth += 1) {
    if ("code" in current && typeof current.code === "string" && /^[0-9A-Z]{5}$/.test(current.code)) return current.code
    current = "cause" in current ? current.cause : null
  }
  return ""
}
