/**
 * What differs between the databases, as functions chosen once. Everything else is written once, in the other files here.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Effect from "effect/Effect"
import type { Batch, Durability } from "../../TaskBackend.js"
import type { NotPlain, Parts } from "./plainWrite.js"
import type { Column, ColumnType, Index, Table, Tables } from "./schema.js"

export type Value = string | number | null

/** SQL with `?` for each of its parameters. A parameter may be an array where `in` made the text. */
export interface Statement {
  readonly sql: string
  readonly params: ReadonlyArray<Value | ReadonlyArray<Value>>
}

export type Row = { readonly [column: string]: unknown }

/** A connection that somebody has for itself. */
export interface Db {
  readonly all: (statement: Statement) => Effect.Effect<ReadonlyArray<Row>, SqlError>
  /** As `all`, for rows of many columns, whose names are told in order. */
  readonly wide: (statement: Statement, names: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Row>, SqlError>
  /** How many rows were written. */
  readonly run: (statement: Statement) => Effect.Effect<number, SqlError>
}

/**
 * `duplicate`: a unique key is there already. `busy`: somebody else holds what is needed, nothing else is wrong.
 * `permanent`: these values can never be written. `transient`: everything else, as a lost connection.
 */
export type Problem = "duplicate" | "busy" | "permanent" | "transient"

/** What to change besides the key that finds the row. */
export interface Update {
  readonly table: Table
  readonly key: Column
  readonly columns: ReadonlyArray<Column>
  /** The key first, then the columns in order. */
  readonly rows: ReadonlyArray<ReadonlyArray<Value>>
}

/** A step of a migration, which is not taken while `unless` answers a row. Both may be asked for again. */
export interface Step {
  readonly sql: string
  readonly unless: string | null
}

export interface Dialect {
  readonly kind: "sqlite" | "postgres" | "mysql"
  readonly db: (connection: Connection) => Db
  readonly problemOf: (error: unknown) => Problem
  /** Of what is `busy`: whether two took the same locks in different orders, and this one was rolled back for the other. */
  readonly gaveWay: (error: unknown) => boolean
  /** Whether the tables changed behind what a connection has prepared: on another connection the same will do. */
  readonly isOutdated: (error: unknown) => boolean
  /** Cuts a connection that does not answer, as far as its client shows it: what waits on it fails, and its pool forgets it. */
  readonly hangUp: (connection: Connection) => void
  /** What a fresh connection of the engine is told. */
  readonly session: ReadonlyArray<string>
  /** The same, where a server that does not know one goes without. */
  readonly sessionHints: ReadonlyArray<string>
  readonly begin: string
  /**
   * What makes a session begin a transaction with its first statement, so that the one who only writes batches asks once less for
   * each; null where a batch is one statement, or nothing is asked of a server.
   */
  readonly beginsAlone: string | null
  /** Whether a DELETE can answer the rows it removed. */
  readonly returning: boolean
  /** A parameter whose type nothing around it tells. */
  readonly text: (mark: string) => string
  readonly number: (mark: string) => string
  /** Behind a SELECT: locks its rows, waits for them. */
  readonly forUpdate: string
  readonly skipLocked: string
  readonly forShare: string
  /** Behind a table: the index to read it by, where the database would rather intersect two, or go through all rows. */
  readonly byIndex: (name: string) => string
  /** The beginning of a DELETE that reads its table by an index, as above. */
  readonly deleteFrom: (table: string, index: string) => string
  /** Joins a table to the one before it, which is gone through first, where the database can be told. */
  readonly joinInOrder: string
  /** `column IN (values)`; never with no value. */
  readonly in: (column: string, type: ColumnType, values: ReadonlyArray<Value>) => Statement
  /**
   * The least or the most of a column that is never null there, as a subquery that reads one end of an index. `of`: the table and
   * the condition.
   */
  readonly edge: (which: "MIN" | "MAX", column: string, of: string) => string
  /** A condition that no index shall be used for, because another one names fewer rows. */
  readonly unindexed: (column: string, condition: string) => string
  /** In order, at any number of rows. `orIgnore`: rows whose key is there are left out. */
  readonly insert: (table: Table, rows: ReadonlyArray<ReadonlyArray<Value>>) => ReadonlyArray<Statement>
  readonly update: (update: Update) => ReadonlyArray<Statement>
  /** Adds to `ends` and `total`, and widens `least` and `most`. */
  readonly addUp: (rollups: Table, rows: ReadonlyArray<ReadonlyArray<Value>>) => ReadonlyArray<Statement>
  /** Adds to `failures` and `dismissed`, and keeps the first time and what is of the latest. */
  readonly countFailures: (errors: Table, rows: ReadonlyArray<ReadonlyArray<Value>>) => ReadonlyArray<Statement>
  readonly createTable: (table: Table) => ReadonlyArray<string>
  /** A column that its table did not have at first, null in every row. */
  readonly addColumn: (table: Table, column: Column) => Step
  /** None where the database has no such index. */
  readonly addIndex: (table: Table, index: Index) => Step | null
  /** As above. */
  readonly dropIndex: (table: Table, index: Index) => Step | null
  /** Keeps room in the pages of a table whose rows change; none where pages are rewritten as they are. */
  readonly keepRoom: (table: Table) => Step | null
  /** Why tasks cannot be kept in this database, or null; null where every one will do. */
  readonly refusal: ((db: Db) => Effect.Effect<string | null, SqlError>) | null
  /** How safe a committed transaction is. */
  readonly durability: (db: Db) => Effect.Effect<Durability, SqlError>
  /** Epoch milliseconds of the backend's clock as one column `now_ms`; null where it is this host's. */
  readonly clock: string | null
  /** Which keys nobody else is deciding; null where no one can be in the middle of that. */
  readonly tryKeys: ((keys: Table, hashes: ReadonlyArray<string>) => Statement) | null
  /** Behind a SELECT: fails as `busy` at once when a row is locked, also one that is just being inserted; null as above. */
  readonly nowait: string | null
  /**
   * Writes a batch of plain changes in one statement, and fails with `NotPlain` when it has to be looked at; null where a
   * transaction does it.
   */
  readonly plainWrite:
    | ((tables: Tables, db: Db, batch: Batch, parts: Parts) => Effect.Effect<void, SqlError | NotPlain>)
    | null
  /** Waits until nobody else is deciding this key, to the end of the transaction; null as above. */
  readonly lockKey: ((keys: Table, hash: string) => Statement) | null
  /** Before the last statement of an application's transaction: it may not stay open for long behind it. */
  readonly beforeCommit: string | null
  /** Held by one process while it makes the tables; null where the transaction itself is such a lock. */
  readonly migrationLock: { readonly take: ReadonlyArray<string>; readonly give: ReadonlyArray<string> } | null
  /** Ends the connection it runs on; null where there is only one. */
  readonly end: string | null
  /** The most bytes a statement may have, as one column `bytes`; null where only the table's own limits count. */
  readonly largestStatement: string | null
}

/** What every part of the SQL backend is made with. */
export interface Sql {
  readonly dialect: Dialect
  readonly tables: Tables
}
