/**
 * The tables of the SQL backends, as data: what the DDL, the bulk writes and the reads are made from.
 *
 * `live` holds what has not ended, `done` what has: the small table is the busy one, the large one is written once. Every
 * text a user can choose is JSON text, so NUL and lone surrogates survive in every database and no collation can make two
 * different ones equal.
 */

/**
 * How a column is stored. `name`: JSON text in ASCII, short enough for an index; `text`: JSON text of any length; `hash`: a
 * SHA-256 in base64url; `word`: one of our own constants. Times are epoch milliseconds in `bigint`.
 */
export type ColumnType = "uuid" | "int" | "bigint" | "name" | "text" | "hash" | "word"

export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
}

export interface Index {
  readonly name: string
  readonly columns: ReadonlyArray<string>
  /** Which rows it covers; MySQL has no such indexes and takes `allColumns` over all rows. */
  readonly where?: string
  readonly allColumns?: ReadonlyArray<string>
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
}

const column = (type: ColumnType, nullable: boolean) => (name: string): Column => ({ name, type, nullable })
const of = (type: ColumnType) => column(type, false)
const maybe = (type: ColumnType) => column(type, true)

const table = (
  name: string,
  columns: ReadonlyArray<Column>,
  options: Partial<Omit<Table, "name" | "columns">>
): Table => ({ name, columns, sequence: null, key: null, indexes: [], keyOnly: false, ...options })

/**
 * Unfinished tasks. `ready` is 1 for what may be claimed now, 2 for the same of a suspect, null for all else; `due_at` is
 * when an unowned row becomes ready, or since when an owner holds it in its window. `active`: an attempt is under way.
 */
const live = table("live", [
  of("uuid")("id"),
  of("name")("task"),
  of("bigint")("version"),
  of("int")("priority"),
  of("word")("source"),
  of("bigint")("created_at"),
  maybe("int")("ready"),
  maybe("bigint")("due_at"),
  maybe("bigint")("next_attempt_at"),
  of("word")("status"),
  maybe("uuid")("owner"),
  of("int")("active"),
  of("int")("claim"),
  of("int")("attempts"),
  of("int")("cancel"),
  of("int")("suspect"),
  maybe("bigint")("started_at"),
  maybe("bigint")("attempt_started_at"),
  maybe("uuid")("instance"),
  of("int")("log_lines"),
  of("int")("log_bytes"),
  maybe("text")("state"),
  of("text")("facts")
], {
  sequence: "seq",
  key: ["id"],
  keyOnly: true,
  indexes: [
    {
      name: "ready",
      columns: ["task", "version", "priority DESC", "seq"],
      where: "ready = 1",
      allColumns: ["ready", "task", "version", "priority DESC", "seq"]
    },
    { name: "suspect", columns: ["seq"], where: "ready = 2", allColumns: [] },
    // MySQL finds what waits for its next attempt here too, among the rows without an owner.
    {
      name: "owner",
      columns: ["owner", "active"],
      where: "owner IS NOT NULL",
      allColumns: ["owner", "active", "status"]
    },
    // Only attempts that failed cost an entry here.
    { name: "retrying", columns: ["id"], where: "status = 'running' AND owner IS NULL", allColumns: [] },
    {
      name: "due",
      columns: ["due_at"],
      where: "ready IS NULL AND owner IS NULL",
      allColumns: ["owner", "ready", "due_at"]
    }
  ]
})

/**
 * Lists of unfinished tasks by name, source or priority have no index: each would cost every task an entry or two, and what
 * such a list reads is bounded by the backlog. Of finished tasks that bound would be the whole past, so there they have one,
 * which on databases with partial indexes costs only the tasks that are out of the ordinary.
 */

/** Finished tasks. `record` is the whole record but for `retriedAs`; `removable_at` is what retention compares. */
const done = table("done", [
  of("uuid")("id"),
  of("name")("task"),
  of("word")("status"),
  of("word")("source"),
  of("int")("priority"),
  of("bigint")("created_at"),
  of("bigint")("removable_at"),
  maybe("uuid")("retried_as"),
  maybe("hash")("key_hash"),
  of("text")("record")
], {
  key: ["id"],
  keyOnly: true,
  indexes: [
    { name: "status", columns: ["status", "id"] },
    { name: "task", columns: ["task", "status", "id"] },
    { name: "source", columns: ["source", "id"], where: "source <> 'manual'", allColumns: ["source", "id"] },
    { name: "priority", columns: ["priority", "id"], where: "priority <> 0", allColumns: ["priority", "id"] },
    { name: "removable", columns: ["status", "removable_at"] }
  ]
})

/** Who holds an idempotency key; `until` null for as long as the record is kept. */
const keys = table("keys", [of("hash")("hash"), of("uuid")("task_id"), maybe("bigint")("until_at")], {
  key: ["hash"],
  keyOnly: true
})

/**
 * One row for each write: its number makes a repeated write harmless, `outcomes` is what it answered and, behind a line
 * break, what the feed tells of it.
 */
const batches = table("batches", [
  of("uuid")("instance"),
  of("word")("lane"),
  of("bigint")("n"),
  of("bigint")("at"),
  of("text")("outcomes")
], { key: ["instance", "lane", "n"], keyOnly: true })

/** `suspects`: how many ran when the instance was declared dead; null until somebody begins to give its tasks back. */
const instances = table("instances", [
  of("uuid")("id"),
  of("word")("state"),
  of("bigint")("beat"),
  of("bigint")("beat_at"),
  maybe("int")("suspects"),
  of("text")("facts")
], { key: ["id"], indexes: [] })

/** How attempts ended that did not end their task by themselves. */
const attempts = table("attempts", [
  of("uuid")("task_id"),
  of("int")("claim"),
  of("int")("attempt"),
  of("text")("entry")
], {
  key: ["task_id", "claim"],
  keyOnly: true
})

const logs = table("logs", [of("uuid")("task_id"), of("text")("line")], {
  sequence: "seq",
  indexes: [{ name: "task", columns: ["task_id", "seq"] }]
})

/** `hash` is of name and value together: any length, compared exactly. */
const tags = table("tags", [of("hash")("hash"), of("uuid")("task_id"), of("text")("tag")], {
  key: ["hash", "task_id"],
  keyOnly: true,
  indexes: [{ name: "task", columns: ["task_id"] }]
})

/**
 * Counts of ends by minute, name, instance and status; `bucket` is of the duration, -1 without one, -2 for what was removed
 * again. An instance writes rows of its own, so no two wait for each other.
 */
const rollups = table("rollups", [
  of("bigint")("minute"),
  of("name")("task"),
  of("uuid")("instance"),
  of("word")("status"),
  of("int")("bucket"),
  of("bigint")("ends"),
  of("bigint")("total"),
  maybe("bigint")("least"),
  maybe("bigint")("most")
], { key: ["minute", "task", "instance", "status", "bucket"], keyOnly: true })

/** One row: which database this is. */
const meta = table("meta", [of("uuid")("id")], { key: ["id"] })

/** Tasks that a transaction of the application made or ended, until the feed has told of them. */
const untold = table("untold", [of("uuid")("task_id"), of("int")("claim"), of("bigint")("at")], {
  key: ["task_id", "claim"],
  keyOnly: true,
  indexes: [{ name: "at", columns: ["at"] }]
})

/** How each instance is doing, in its own words, and whether it was asked to claim nothing more. */
const vitals = table("vitals", [of("uuid")("id"), of("int")("draining"), maybe("text")("vitals")], {
  key: ["id"],
  keyOnly: true
})

/** In the order they are created: new ones come last. */
export const tables = {
  live,
  done,
  keys,
  batches,
  instances,
  attempts,
  logs,
  tags,
  rollups,
  meta,
  untold,
  vitals
} as const

export type Tables = { readonly [Name in keyof typeof tables]: Table }

/** What a prefix may be: it becomes part of identifiers. */
export const isPrefix = (prefix: string): boolean => /^[a-z][a-z0-9_]{0,30}$/.test(prefix)

/** The same tables with their names in the database. */
export const withPrefix = (prefix: string): Tables => {
  const named = (of: Table): Table => ({
    ...of,
    name: `${prefix}${of.name}`,
    indexes: of.indexes.map((index) => ({ ...index, name: `${prefix}${of.name}_${index.name}` }))
  })
  return Object.fromEntries(Object.entries(tables).map(([name, one]) => [name, named(one)])) as Tables // safe: same names
}
