/**
 * What the drivers do without the engine, one row and one round trip after another: the limit for an enqueue that is awaited.
 */
import { createRequire } from "node:module"
import { Redacted } from "effect"
import { Redis } from "ioredis"
import mysql2 from "mysql2/promise"
import pg from "pg"
import { mysql, postgres, redis } from "../../support/databases.js"
import * as Elapsed from "./elapsed.js"
import { isSql, type SqlStore, type Store } from "./stores.js"

export interface Limit {
  /** Inserts of one row, each its own commit. */
  readonly inserts: Elapsed.Elapsed
  /** Statements that do nothing. */
  readonly roundTrips: Elapsed.Elapsed
}

/** The two things that are measured. */
interface Driver {
  readonly insert: (id: string, at: number) => Promise<unknown> | void
  readonly nothing: () => Promise<unknown> | void
  readonly end: () => Promise<unknown> | void
}

interface SqlDriver {
  readonly run: (sql: string, params: ReadonlyArray<string | number>) => Promise<unknown> | void
  readonly mark: (at: number) => string
  readonly end: () => Promise<unknown> | void
}

const require = createRequire(import.meta.url)

const sqlite = ({ full, place }: Store): SqlDriver => {
  const db = new (require("better-sqlite3"))(place)
  db.pragma("journal_mode = WAL")
  db.pragma(`synchronous = ${full === true ? "FULL" : "NORMAL"}`)
  type Run = (...params: ReadonlyArray<string | number>) => void
  const prepared = new Map<string, { readonly reader: boolean; readonly all: Run; readonly run: Run }>()
  return {
    run: (sql, params) => {
      let statement = prepared.get(sql)
      if (statement === undefined) prepared.set(sql, statement = db.prepare(sql))
      if (statement!.reader) statement!.all(...params)
      else statement!.run(...params)
    },
    mark: () => "?",
    end: () => db.close()
  }
}

const postgresDriver = async (): Promise<SqlDriver> => {
  const { username: user, ...where } = postgres
  const client = new pg.Client({ ...where, user })
  await client.connect()
  const names = new Map<string, string>()
  return {
    run: (text, params) => {
      let name = names.get(text)
      if (name === undefined) names.set(text, name = `bench_${names.size}`)
      return client.query({ name, text, values: [...params] })
    },
    mark: (at) => `$${at}`,
    end: () => client.end()
  }
}

const mysqlDriver = async (): Promise<SqlDriver> => {
  const { password, username: user, ...where } = mysql
  const connection = await mysql2.createConnection({ ...where, user, password: Redacted.value(password) })
  return {
    run: (sql, params) => connection.execute(sql, [...params]),
    mark: () => "?",
    end: () => connection.end()
  }
}

// As long as a small task in its table.
const note = "x".repeat(400)

const sqlDriver = async (store: SqlStore): Promise<Driver> => {
  const { end, mark, run } = store.kind === "sqlite"
    ? sqlite(store)
    : store.kind === "postgres"
    ? await postgresDriver()
    : await mysqlDriver()
  const table = store.kind === "sqlite" ? "raw_rows" : `${store.place}raw`
  await run(`CREATE TABLE ${table} (id varchar(36) PRIMARY KEY, at bigint NOT NULL, note text NOT NULL)`, [])
  const insert = `INSERT INTO ${table} (id, at, note) VALUES (${mark(1)}, ${mark(2)}, ${mark(3)})`
  return {
    insert: (id, at) => run(insert, [id, at, note]),
    nothing: () => run("SELECT 1", []),
    end: async () => {
      await run(`DROP TABLE ${table}`, [])
      await end()
    }
  }
}

const redisDriver = ({ place }: Store): Driver => {
  const client = new Redis(redis)
  return {
    insert: (id, at) => client.hset(`{${place}}:raw:${id}`, "at", at, "note", note),
    nothing: () => client.ping(),
    end: () => client.quit()
  }
}

/** `n` of each on one connection, after a tenth of that to warm up. Rows have a key, a number and 400 bytes of text. */
export const limit = async (store: Store, n: number): Promise<Limit> => {
  const { end, insert, nothing } = isSql(store) ? await sqlDriver(store) : redisDriver(store)
  let id = 0
  const measure = async (once: () => Promise<unknown> | void) => {
    const times = async (count: number) => {
      for (let index = 0; index < count; index += 1) {
        const answer = once()
        if (answer !== undefined) await answer
      }
    }
    await times(Math.ceil(n / 10))
    const elapsed = Elapsed.start()
    await times(n)
    return elapsed()
  }
  try {
    const inserts = await measure(() => {
      id += 1
      return insert(`01890000-0000-7000-8000-${String(id).padStart(12, "0")}`, id)
    })
    return { inserts, roundTrips: await measure(nothing) }
  } finally {
    await end()
  }
}
