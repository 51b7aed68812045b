/**
 * The servers, and places of their own on them: an SQLite file, a PostgreSQL schema and prefix, a MariaDB prefix, a Redis
 * prefix. Each is dropped with everything in it.
 *
 * @typedef {"sqlite" | "postgres" | "mysql" | "redis"} Kind
 * @typedef {{ readonly kind: Kind, readonly name: string, readonly folder: string }} Place
 */
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SqlClient } from "@effect/sql/SqlClient"
import { MysqlClient } from "@effect/sql-mysql2"
import { Effect, Redacted } from "effect"
import { Redis } from "ioredis"
import pg from "pg"

export const postgres = {
  host: "127.0.0.1",
  port: Number(process.env["PGPORT"] ?? 5432),
  database: process.env["PGDATABASE"] ?? "test",
  user: process.env["PGUSER"] ?? "postgres"
}

export const mysql = {
  host: "127.0.0.1",
  port: Number(process.env["MYSQL_PORT"] ?? 3306),
  database: process.env["MYSQL_DATABASE"] ?? "test",
  username: process.env["MYSQL_USER"] ?? "root",
  password: Redacted.make(process.env["MYSQL_PASSWORD"] ?? "")
}

/** A database number of its own: whoever else uses the server is most likely in 0. */
export const redis = {
  host: "127.0.0.1",
  port: Number(process.env["REDIS_PORT"] ?? 6379),
  db: Number(process.env["BENCH_REDIS_DB"] ?? 5)
}

/**
 * @param {Kind} kind
 * @returns {Place}
 */
export const fresh = (kind) => ({
  kind,
  name: `peers${randomBytes(5).toString("hex")}`,
  folder: kind === "sqlite" ? mkdtempSync(join(tmpdir(), "taskflow-peers-")) : ""
})

/** The file of a place on SQLite. @param {Place} place */
export const fileOf = (place) => join(place.folder, "tasks.db")

/** @template A @param {(client: pg.Client) => Promise<A>} use @returns {Promise<A>} */
export const withPostgres = async (use) => {
  const client = new pg.Client(postgres)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

/** @template A @param {(client: Redis) => Promise<A>} use @returns {Promise<A>} */
export const withRedis = async (use) => {
  const client = new Redis(redis)
  try {
    return await use(client)
  } finally {
    client.disconnect()
  }
}

/** @param {string} statement @returns {Promise<ReadonlyArray<Record<string, unknown>>>} */
export const askMysql = (statement) =>
  Effect.flatMap(SqlClient, (sql) => sql.unsafe(statement)).pipe(
    Effect.provide(MysqlClient.layer({ ...mysql, maxConnections: 1 })),
    Effect.runPromise
  )

const dropTables = {
  /** @param {Place} place */
  sqlite: async ({ folder }) => rmSync(folder, { recursive: true, force: true }),
  /** @param {Place} place */
  postgres: ({ name }) =>
    withPostgres(async (client) => {
      await client.query("SET client_min_messages = error")
      await client.query(`DROP SCHEMA IF EXISTS ${name} CASCADE`)
      const { rows } = await client.query("SELECT tablename FROM pg_tables WHERE tablename LIKE $1", [`${name}%`])
      for (const { tablename } of rows) await client.query(`DROP TABLE IF EXISTS ${tablename} CASCADE`)
    }),
  /** @param {Place} place */
  mysql: async ({ name }) => {
    const tables = await askMysql(`SELECT table_name AS name FROM information_schema.tables
      WHERE table_schema = DATABASE() AND table_name LIKE '${name}%'`)
    for (const table of tables) await askMysql(`DROP TABLE IF EXISTS ${table["name"]}`)
  },
  /** @param {Place} place */
  redis: ({ name }) =>
    withRedis(async (client) => {
      for (let cursor = "0", first = true; first || cursor !== "0"; first = false) {
        const [next, keys] = await client.scan(cursor, "MATCH", `*${name}*`, "COUNT", 5_000)
        if (keys.length > 0) await client.unlink(...keys)
        cursor = next
      }
    })
}

/** @param {Place} place @returns {Promise<void>} */
export const drop = (place) => dropTables[place.kind](place)

/** What each server says about how durable it is; a server that is not there is not listed. */
export const servers = async () => {
  /** @type {Record<string, Record<string, unknown>>} */
  const found = {}
  const ask = async (/** @type {string} */ name, /** @type {() => Promise<Record<string, unknown>>} */ look) => {
    try {
      found[name] = await look()
    } catch (problem) {
      process.stderr.write(`${name} cannot be reached, its peers are left out: ${problem}\n`)
    }
  }
  await ask("postgres", () =>
    withPostgres(async (client) => {
      const show = async (/** @type {string} */ name) => (await client.query(`SHOW ${name}`)).rows[0][name]
      return {
        version: await show("server_version"),
        synchronous_commit: await show("synchronous_commit"),
        fsync: await show("fsync")
      }
    }))
  await ask("mysql", async () => {
    const [row] = await askMysql(`SELECT VERSION() AS version,
      @@innodb_flush_log_at_trx_commit AS innodb_flush_log_at_trx_commit, @@sync_binlog AS sync_binlog, @@log_bin AS log_bin`)
    return { ...row }
  })
  await ask("redis", () =>
    withRedis(async (client) => {
      const setting = async (/** @type {string} */ name) => (await client.config("GET", name))[1]
      return {
        version: /redis_version:(\S+)/.exec(await client.info("server"))?.[1],
        appendonly: await setting("appendonly"),
        appendfsync: await setting("appendfsync"),
        save: await setting("save")
      }
    }))
  return found
}
