/**
 * Many rows into a table of MySQL or MariaDB: as one JSON text, and what they have in common as parameters of its own.
 *
 * A hundred ended tasks as `VALUES` were three statements with 1,200 parameters: 20 to 40 µs a row there and back, 8 of them in this
 * process. As JSON they are one statement for any number of rows, and 4 to 8 µs a row, 2 of them here (MariaDB 10.11).
 */
import type { Statement, Value } from "./dialect.js"
import type { Column, ColumnType, Table } from "./schema.js"
import { bySize, insertValues, memo, namesOf, shapeOf } from "./statements.js"

// JSON escapes the quotes of what is JSON already: rows with large texts go as they are.
const largestJson = 500_000

// A few are as fast as they are, and have a plan already.
const fewest = 4

// How a column is read from JSON: what does not fit its own column is found by the insert, whose errors say so.
const read: Record<ColumnType, string> = {
  uuid: "VARCHAR(2402) CHARACTER SET ascii",
  int: "BIGINT",
  bigint: "BIGINT",
  name: "VARCHAR(2402) CHARACTER SET ascii",
  text: "LONGTEXT CHARACTER SET utf8mb4",
  hash: "VARCHAR(2402) CHARACTER SET ascii",
  word: "VARCHAR(2402) CHARACTER SET ascii"
}

// A parameter has no type of its own outside of VALUES.
const told = ({ type }: Column): string =>
  type === "int" || type === "bigint"
    ? "CAST(? AS SIGNED)"
    : `CONVERT(? USING ${type === "text" ? "utf8mb4" : "ascii"})`

const textOf = (table: Table, letters: string): string =>
  memo(`mysql insert ${table.name} ${letters}`, () => {
    const kinds = [...letters]
    const values = table.columns.map((column, index) =>
      kinds[index] === "n" ? "NULL" : kinds[index] === "s" ? told(column) : `j.c${index}`
    )
    const own = table.columns
      .map(({ type }, index) => ({ index, type }))
      .filter(({ index }) => kinds[index] === "d")
      .map(({ index, type }, place) => `c${index} ${read[type]} PATH '$[${place}]' ERROR ON ERROR`)
    return `INSERT INTO ${table.name} (${namesOf(table.columns)}) SELECT ${values.join(", ")} ` +
      `FROM JSON_TABLE(?, '$[*]' COLUMNS (${own.join(", ")})) AS j`
  })

const asJson = (table: Table, rows: ReadonlyArray<ReadonlyArray<Value>>): Statement | null => {
  const { letters, own, shared } = shapeOf(rows)
  if (own.length === 0) return null
  const list = rows.map((row) => own.map((column) => row[column]!))
  return { sql: textOf(table, letters), params: [...shared, JSON.stringify(list)] }
}

/** `insert` of the dialect. A statement has to fit into a packet, 16 MiB unless the server was told otherwise. */
export const insert = (table: Table, rows: ReadonlyArray<ReadonlyArray<Value>>): ReadonlyArray<Statement> => {
  if (rows.length < fewest) return asValues(table, rows)
  return bySize(rows, largestJson).flatMap((group) => {
    const statement = group.length < fewest ? null : asJson(table, group)
    return statement === null ? asValues(table, group) : [statement]
  })
}

// A quarter of the packet in characters.
const asValues = (table: Table, rows: ReadonlyArray<ReadonlyArray<Value>>): ReadonlyArray<Statement> =>
  bySize(rows, 4_000_000).flatMap((group) => insertValues()(table, group))
