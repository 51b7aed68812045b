/**
 * Bulk statements that the dialects share: how many rows go in one, and how lists of values are written.
 */
import type { Statement, Value } from "./dialect.js"
import type { Column, Index, Table } from "./schema.js"

/** Values for rows or lists are cut into these sizes, so that a connection has few different statements to prepare. */
export const largestChunk = 256

/** Cuts where the texts of rows together reach `most` characters. */
export const bySize = (
  rows: ReadonlyArray<ReadonlyArray<Value>>,
  most: number
): ReadonlyArray<ReadonlyArray<ReadonlyArray<Value>>> => {
  const groups: Array<ReadonlyArray<ReadonlyArray<Value>>> = []
  let start = 0
  let size = 0
  rows.forEach((row, index) => {
    const own = row.reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 8), 0)
    if (size + own > most && index > start) {
      groups.push(rows.slice(start, index))
      start = index
      size = 0
    }
    size += own
  })
  groups.push(start === 0 ? rows : rows.slice(start))
  return groups
}

/** Cuts into chunks whose sizes are powers of two. */
export const inChunks = <A>(rows: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> => {
  const chunks: Array<ReadonlyArray<A>> = []
  let start = 0
  let size = largestChunk
  while (start < rows.length) {
    while (size > rows.length - start) size /= 2
    chunks.push(start === 0 && size === rows.length ? rows : rows.slice(start, start + size))
    start += size
  }
  return chunks
}

/** The list with its last value repeated until its length is a power of two. */
export const padded = (values: ReadonlyArray<Value>): ReadonlyArray<Value> => {
  let length = 1
  while (length < values.length) length *= 2
  if (length === values.length) return values
  const last = values[values.length - 1]!
  return [...values, ...Array.from({ length: length - values.length }, () => last)]
}

const marks = new Map<number, string>()

/** `?,?,?`. */
export const marksOf = (count: number): string => {
  let text = marks.get(count)
  if (text === undefined) marks.set(count, text = Array.from({ length: count }, () => "?").join(","))
  return text
}

/** `column IN (?,?,…)`. */
export const inList = (column: string, values: ReadonlyArray<Value>): Statement => {
  const params = padded(values)
  return { sql: `${column} IN (${marksOf(params.length)})`, params }
}

/** The names of columns, with commas. */
export const namesOf = (columns: ReadonlyArray<Column>): string => columns.map(({ name }) => name).join(", ")

/** The rows one behind the other; `Array.flat` took longer than what it was for. */
export const flat = (rows: ReadonlyArray<ReadonlyArray<Value>>): ReadonlyArray<Value> => {
  if (rows.length === 1) return rows[0]!
  const width = rows[0]!.length
  const values = new Array<Value>(rows.length * width)
  for (let row = 0; row < rows.length; row += 1) {
    for (let column = 0; column < width; column += 1) values[row * width + column] = rows[row]![column]!
  }
  return values
}

/** `INSERT … VALUES (…),(…)`, a statement for each chunk. */
export const insertValues =
  (tail = "") => (table: Table, rows: ReadonlyArray<ReadonlyArray<Value>>): ReadonlyArray<Statement> =>
    inChunks(rows).map((chunk) => ({
      sql: memo(`insert ${table.name} ${table.columns.length} ${chunk.length} ${tail}`, () => {
        const row = `(${marksOf(table.columns.length)})`
        return `INSERT INTO ${table.name} (${namesOf(table.columns)}) VALUES ${chunk.map(() => row).join(",")}${tail}`
      }),
      params: flat(chunk)
    }))

/** What rows have in common, so that it is told once: of the columns of a new task three or four differ. */
export interface Shape {
  /** A letter for each column: `d` where rows differ, `s` where all have the same value, `n` where none has one. */
  readonly letters: string
  /** The values of the columns that are the same, without nulls. */
  readonly shared: ReadonlyArray<Value>
  /** The places of the columns that differ. */
  readonly own: ReadonlyArray<number>
}

/** Of at least one row. */
export const shapeOf = (rows: ReadonlyArray<ReadonlyArray<Value>>): Shape => {
  let letters = ""
  const shared: Array<Value> = []
  const own: Array<number> = []
  rows[0]!.forEach((value, column) => {
    let same = true
    for (let row = 1; row < rows.length && same; row += 1) same = rows[row]![column] === value
    letters += same ? value === null ? "n" : "s" : "d"
    if (!same) own.push(column)
    else if (value !== null) shared.push(value)
  })
  return { letters, shared, own }
}

/** Texts by what they depend on. Holds at most so many characters: when they are more, all are made anew when they are asked for. */
export const remembering = (most: number) => {
  const texts = new Map<string, string>()
  let held = 0
  return {
    held: (): number => held,
    of: (key: string, make: () => string): string => {
      const known = texts.get(key)
      if (known !== undefined) return known
      const text = make()
      held += key.length + text.length
      if (held > most) {
        texts.clear()
        held = key.length + text.length
      }
      texts.set(key, text)
      return text
    }
  }
}

// A key says which columns of a batch have one value in common and how many rows there are. A mixed load comes in thousands of
// such shapes, a few new ones a minute for days, so they are not all kept.
const texts = remembering(2_000_000)

/** A text that depends on nothing but `key`. */
export const memo = texts.of

/** `PRIMARY KEY` and columns of a table, between the parentheses of its definition. */
export const definitionOf = (
  table: Table,
  typeOf: (column: Column) => string,
  sequence: string
): ReadonlyArray<string> => [
  ...table.sequence === null ? [] : [`${table.sequence} ${sequence}`],
  ...table.columns.map((column) => `${column.name} ${typeOf(column)}${column.nullable ? "" : " NOT NULL"}`),
  ...table.key === null
    ? []
    : [`${table.sequence === null ? "PRIMARY KEY" : "UNIQUE"} (${table.key.join(", ")})`]
]

/** An index of a database that has partial ones; null when only MySQL has it. */
export const createIndex = (table: Table, { columns, name, where }: Index): string | null =>
  columns.length === 0
    ? null
    : `CREATE INDEX IF NOT EXISTS ${name} ON ${table.name} (${columns.join(", ")})${
      where === undefined ? "" : ` WHERE ${where}`
    }`
