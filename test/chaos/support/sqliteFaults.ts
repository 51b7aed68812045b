/**
 * A full disk and a disk that takes no writes, for every SQLite connection of a process.
 *
 * Both are said to the connections themselves, because nothing below them is ours to fill: `full` is `PRAGMA max_page_count` at what
 * the file has now, and SQLite answers SQLITE_FULL to what needs another page, as it does when the system says ENOSPC. What fits into
 * pages that are there is still written, as often on a disk that is full. `readOnly` is `PRAGMA query_only`: SQLITE_READONLY for
 * every write, as on a file system that was mounted again without the right to write (rights of the file mean nothing to root).
 *
 * The pragmas are of one connection, so each process of a fleet has to be told, by whatever means it hears of orders.
 */
import { createRequire } from "node:module"

/** As much of better-sqlite3, which has no types, as is used here. */
interface Connection {
  readonly name: string
  readonly open: boolean
  prepare(source: string): unknown
  pragma(source: string): unknown
}

// safe: that it has these is what the tests with it show
const { prototype } = createRequire(import.meta.url)("better-sqlite3") as { readonly prototype: Connection }

export type SqliteFault = "none" | "full" | "readOnly"

export interface SqliteFaults {
  /** From now on, on every connection to this file that is open, and on each that is opened. */
  readonly set: (fault: SqliteFault) => void
  /** Connections are left alone from now on. */
  readonly end: () => void
}

// The most that a file may have.
const unlimited = 4_294_967_294

// In this order, so that lifting comes first.
const pragmas: Record<SqliteFault, ReadonlyArray<string>> = {
  none: [`max_page_count = ${unlimited}`, "query_only = OFF"],
  // Less than there is means: as much as there is.
  full: ["query_only = OFF", "max_page_count = 1"],
  readOnly: [`max_page_count = ${unlimited}`, "query_only = ON"]
}

/** For connections to this file that are used from now on: call it before they are opened. */
export const watchSqlite = (filename: string): SqliteFaults => {
  const known = new Set<Connection>()
  let fault: SqliteFault = "none"
  const { prepare } = prototype
  const apply = (connection: Connection): void => {
    if (!connection.open) known.delete(connection)
    else for (const pragma of pragmas[fault]) connection.pragma(pragma)
  }
  // Whatever is read or written is prepared first, whoever made the connection.
  prototype.prepare = function(this: Connection, source: string) {
    if (this.name === filename && !known.has(this)) {
      known.add(this)
      if (fault !== "none") apply(this)
    }
    return prepare.call(this, source)
  }
  return {
    set: (next) => {
      fault = next
      for (const connection of known) apply(connection)
    },
    end: () => {
      fault = "none"
      for (const connection of known) apply(connection)
      prototype.prepare = prepare
    }
  }
}
