/** What a table is to the SQL backends: data that the DDL, the bulk writes and the reads are made from. */

/**
 * How a column is stored. `name`: JSON text in ASCII, short enough for an index; `text`: JSON text of any length; `hash`: a
 * SHA-256 in base64url; `word`: one of our own constants. Times are epoch milliseconds in `bigint`.
 */
export type ColumnType = "uuid" | "int" | "bigint" | "name" | "text" | "hash" | "word"

export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
  /** The version of the tables that it came with; absent: as its table. One that came later is nullable. */
  readonly since?: number
}

export interface Index {
  readonly name: string
  /** None: only MySQL has this index, of `allColumns`. */
  readonly columns: ReadonlyArray<string>
  /** Which rows it covers; MySQL has no such indexes and takes `allColumns` over all rows. */
  readonly where?: string
  readonly allColumns?: ReadonlyArray<string>
  /** No two rows are the same in it. MySQL then locks what it finds there and nothing beside it. */
  readonly unique?: true
  /** As of a column. */
  readonly since?: number
  /** The last version that has it; absent: there is one still. */
  readonly until?: number
}

export interface Table {
  readonly name: string
  /** A number the backend gives in the order of arrival, as primary key. `columns` does not have it. */
  readonly sequence: string | null
  readonly columns: ReadonlyArray<Column>
  /** The primary key, or a unique one where there is a sequence; null where the sequence is the only one. */
  readonly key: ReadonlyArray<string> | null
  readonly indexes: ReadonlyArray<Index>
  /** Rows are found by their key: SQLite then keeps one tree instead of two, and every tree is a page in each commit. */
  readonly keyOnly: boolean
  /** The version of the tables that it came with. */
  readonly since: number
  /** Since which version PostgreSQL leaves room in its pages for what their rows become; null: it fills them. */
  readonly roomSince: number | null
}

const column = (type: ColumnType, nullable: boolean) => (name: string): Column => ({ name, type, nullable })
export const of = (type: ColumnType) => column(type, false)
export const maybe = (type: ColumnType) => column(type, true)
export const since = (version: number, of: Column): Column => ({ ...of, since: version })

export const table = (
  name: string,
  columns: ReadonlyArray<Column>,
  options: Partial<Omit<Table, "name" | "columns">>
): Table => ({
  name,
  columns,
  sequence: null,
  key: null,
  indexes: [],
  keyOnly: false,
  since: 1,
  roomSince: null,
  ...options
})

/** The table as it was in a version that had it. */
export const asOf = (table: Table, version: number): Table => {
  const had = (of: { readonly since?: number; readonly until?: number }) =>
    (of.since ?? table.since) <= version && version <= (of.until ?? version)
  return { ...table, columns: table.columns.filter(had), indexes: table.indexes.filter(had) }
}
