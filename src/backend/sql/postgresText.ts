/** How values and types are written for PostgreSQL, and how it tells what went wrong. */
import type { Value } from "./dialect.js"
import type { Column, ColumnType } from "./schema.js"

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

// What is another one in nearly every row of the wide tables. All else is mostly the same in a batch: told once, a new task costs
// the server 6 µs in place of 11, and this process half. Either all of it is told once or nothing, so the texts stay few: each is
// a plan on every connection.
const ofEach = new Set([
  "id",
  "task",
  "priority",
  "created_at",
  "removable_at",
  "due_at",
  "started_at",
  "attempt_started_at",
  "facts",
  "record"
])
const wide = 10

const haveInCommon = (rows: ReadonlyArray<ReadonlyArray<Value>>, columns: ReadonlyArray<Column>): boolean => {
  if (rows.length < 2 || columns.length < wide) return false
  const first = rows[0]!
  for (let column = 0; column < columns.length; column += 1) {
    if (ofEach.has(columns[column]!.name)) continue
    for (let row = 1; row < rows.length; row += 1) if (rows[row]![column] !== first[column]) return false
  }
  return true
}

/** What to select for an INSERT of these rows, from what, and the parameters of both in order. There is at least one row. */
export const selecting = (
  rows: ReadonlyArray<ReadonlyArray<Value>>,
  columns: ReadonlyArray<Column>
): { readonly list: string; readonly from: string; readonly params: ReadonlyArray<Value> } => {
  if (!haveInCommon(rows, columns)) {
    return { list: "u.*", from: `unnest(${arrays(columns)}) AS u`, params: columnsOf(rows, columns) }
  }
  const params: Array<Value> = []
  const own: Array<Value> = []
  columns.forEach(({ name, type }, column) => {
    if (ofEach.has(name)) own.push(arrayOf(type, rows.map((row) => row[column]!)))
    else params.push(rows[0]![column]!)
  })
  return { ...commonText(columns), params: [...params, ...own] }
}

const commonText = (columns: ReadonlyArray<Column>): { readonly list: string; readonly from: string } => {
  const own = columns.filter(({ name }) => ofEach.has(name))
  return {
    list: columns.map(({ name, type }) => ofEach.has(name) ? `u.${name}` : `?::${types[type]}`).join(", "),
    from: `unnest(${arrays(own)}) AS u (${own.map(({ name }) => name).join(", ")})`
  }
}

/** The SQLSTATE of the error, or an empty text. */
export const codeOf = (error: unknown): string => {
  let current: unknown = error
  for (let depth = 0; depth < 5 && typeof current === "object" && current !== null; depth += 1) {
    if ("code" in current && typeof current.code === "string" && /^[0-9A-Z]{5}$/.test(current.code)) return current.code
    current = "cause" in current ? current.cause : null
  }
  return ""
}
