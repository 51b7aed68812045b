/**
 * How many statements and commits a process sends, counted where they leave it: in the drivers.
 *
 * A server counts too, but for everyone who uses it, and PostgreSQL tells its counts only seconds later.
 */
import { createRequire } from "node:module"
import type { Kind } from "./stores.js"

export interface Counts {
  /** Begin and commit are statements. On SQLite a call into the library, on a server a round trip. */
  readonly statements: number
  readonly commits: number
}

// On Redis a statement is a command, and each script counts as a commit: whether it wrote is not seen from here.
const scripts = /^eval(sha)?$/i

/** What one text cost: from the call until the driver had its answer, with the work of the driver itself. */
export interface Timed {
  readonly sql: string
  times: number
  millis: number
}

let statements = 0
let commits = 0
let byText: Map<string, Timed> | null = null

const begins = /^\s*(begin|start transaction)\b/i
const ends = /(^|;)\s*(commit|rollback)\s*;?\s*$/i
const commit = /commit\s*;?\s*$/i
// A write outside a transaction is one by itself. `FOR UPDATE` only locks.
const writes = /\b(insert into|update \S+ (as \S+ )?set|delete from|replace into)\b/i

// Connections in a transaction, and those that are in one from their first statement on.
const open = new WeakSet<object>()
const always = new WeakSet<object>()
const beginsAlone = /^\s*set session autocommit = 0/i

const isCommit = (connection: object, sql: string): boolean => {
  if (beginsAlone.test(sql)) always.add(connection)
  if (begins.test(sql)) {
    open.add(connection)
    return false
  }
  if (ends.test(sql)) {
    open.delete(connection)
    return commit.test(sql)
  }
  return !open.has(connection) && !always.has(connection) && writes.test(sql)
}

const textOf = (query: unknown): string => {
  if (typeof query === "string") return query
  if (typeof query !== "object" || query === null) return ""
  if ("text" in query) return String(query.text)
  return "sql" in query ? String(query.sql) : ""
}

const took = (sql: string, from: number): void => {
  if (byText === null) return
  let timed = byText.get(sql)
  if (timed === undefined) byText.set(sql, timed = { sql, times: 0, millis: 0 })
  timed.times += 1
  timed.millis += performance.now() - from
}

/** A connection, or a statement of SQLite. */
interface Self {
  readonly source?: string
  readonly database?: object
}

type Method = (this: Self, ...args: Array<unknown>) => unknown

const wrap = (on: Record<string, Method>, method: string, textIs: "source" | "argument"): void => {
  const before = on[method]!
  on[method] = function(...args) {
    const sql = textIs === "source" ? this.source ?? "" : textOf(args[0])
    statements += 1
    if (isCommit(textIs === "source" ? this.database ?? this : this, sql)) commits += 1
    if (byText === null) return before.apply(this, args)
    const from = performance.now()
    const callback = args.at(-1)
    if (typeof callback === "function") {
      args[args.length - 1] = (...answer: Array<unknown>) => {
        took(sql, from)
        callback(...answer)
      }
      return before.apply(this, args)
    }
    const answer = before.apply(this, args)
    took(sql, from)
    return answer
  }
}

const require = createRequire(import.meta.url)

/** Counts from here on; the answer tells what was sent since it was last asked. */
export const count = (kind: Kind): () => Counts => {
  // safe (all casts here): methods of the drivers' classes, which are handed on what they are given
  if (kind === "sqlite") {
    const Database = require("better-sqlite3")
    const statement = Object.getPrototypeOf(new Database(":memory:").prepare("SELECT 1")) as Record<string, Method>
    for (const method of ["run", "all", "get"]) wrap(statement, method, "source")
  } else if (kind === "postgres") {
    wrap(require("pg").Client.prototype as Record<string, Method>, "query", "argument")
  } else if (kind === "redis") {
    const client = require("ioredis").Redis.prototype as { sendCommand: (command: { name: string }) => unknown }
    const { sendCommand } = client
    client.sendCommand = function(command) {
      statements += 1
      if (scripts.test(command.name)) commits += 1
      return sendCommand.apply(this, [command])
    }
  } else {
    const connection = Object.getPrototypeOf(require("mysql2").Connection.prototype) as Record<string, Method>
    for (const method of ["query", "execute"]) wrap(connection, method, "argument")
  }
  return () => {
    const counts = { statements, commits }
    statements = 0
    commits = 0
    return counts
  }
}

/** Times every text too, from here on; the answer tells them, the dearest first. */
export const timeEach = (): () => ReadonlyArray<Timed> => {
  const kept = byText = new Map<string, Timed>()
  return () => [...kept.values()].sort((a, b) => b.millis - a.millis)
}
