/**
 * Finished tasks by the hundred thousand, written by the database itself: copies of one that really ran, with ids and times
 * of their own, one each second back from now.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { redisClient } from "../../support/databases.js"
import * as Stores from "./stores.js"

/** In SQL: the id of a row made at `millis`, the `i`th, as a UUID of version 7. */
export const idOf = {
  sqlite: (millis: string) => {
    const hex = `printf('%012x', ${millis})`
    return `substr(${hex}, 1, 8) || '-' || substr(${hex}, 9) || '-7000-8000-' || printf('%012x', i)`
  },
  postgres: (millis: string) => {
    const hex = `lpad(to_hex(${millis}), 12, '0')`
    return `(substr(${hex}, 1, 8) || '-' || substr(${hex}, 9) || '-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid`
  },
  mysql: (millis: string) => {
    const hex = `LPAD(LOWER(HEX(${millis})), 12, '0')`
    return `CONCAT(SUBSTR(${hex}, 1, 8), '-', SUBSTR(${hex}, 9), '-7000-8000-', LPAD(LOWER(HEX(i)), 12, '0'))`
  }
}

/** In SQL: all whole numbers from one to the other, as `i`. */
export const numbers = {
  sqlite: (from: number, to: number) =>
    `(WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to}) SELECT i FROM n)`,
  postgres: (from: number, to: number) => `generate_series(${from}, ${to})`,
  // Six digits, each a table of ten rows: works on MySQL and MariaDB whatever they allow a recursion.
  mysql: (from: number, to: number) => {
    const digit = Array.from({ length: 10 }, (_, value) => `SELECT ${value} AS d`).join(" UNION ALL ")
    const all = Array.from({ length: 6 }, (_, at) => `(${digit}) AS d${at}`).join(", ")
    const sum = Array.from({ length: 6 }, (_, at) => `d${at}.d * ${10 ** at}`).join(" + ")
    return `(SELECT ${from} + ${sum} AS i FROM ${all} WHERE ${from} + ${sum} <= ${to} ORDER BY i)`
  }
}

// A thousand at a time, so that the server is there for others in between.
const copies = `
local root, from, to, first = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local one = redis.call('ZREVRANGE', root .. 's:success', 0, 0)[1]
local fields = redis.call('HGETALL', root .. 't:' .. one)
local name = redis.call('HGET', root .. 't:' .. one, 'm'):match('^' .. ('%S+ '):rep(10) .. '(.*)$')
for i = from, to do
  local millis = first + i * 100
  local hex = string.format('%06x%06x', math.floor(millis / 16777216), millis % 16777216)
  local id = hex:sub(1, 8) .. '-' .. hex:sub(9) .. '-7000-8000-' .. string.format('%012x', i)
  redis.call('HSET', root .. 't:' .. id, unpack(fields))
  redis.call('ZADD', root .. 's:success', 0, id)
  redis.call('ZADD', root .. 'n:success:' .. name, 0, id)
  redis.call('ZADD', root .. 'end:success', string.format('%.0f', millis), id)
end
redis.call('HINCRBY', root .. 'st:' .. name, 'success', to - from + 1)`

const fillRedis = ({ place }: Stores.Store, rows: number) =>
  Effect.flatMap(redisClient(), (client) =>
    Effect.promise(async () => {
      const first = Date.now() - rows * 100
      for (let from = 1; from <= rows; from += 1_000) {
        await client.eval(copies, 1, `{${place}}:`, from, Math.min(rows, from + 999), first)
      }
    }))

/** Copies the one finished row of the store `rows` times. What a server does in the background is done before it returns. */
export const fill = (store: Stores.Store, rows: number) =>
  Effect.gen(function*() {
    if (rows === 0) return
    if (!Stores.isSql(store)) return yield* fillRedis(store, rows)
    const client: SqlClient = yield* Stores.client(store)
    const { kind } = store
    const done = Stores.tableOf(store, "done")
    const step = 100_000
    const now = Date.now()
    for (let from = 1; from <= rows; from += step) {
      const to = Math.min(rows, from + step - 1)
      // A tenth of a second apart, oldest first: a million in 28 hours, within the time that successes are kept.
      const millis = `(${now - rows * 100} + CAST(i AS ${kind === "mysql" ? "SIGNED" : "bigint"}) * 100)`
      const of = kind === "postgres" ? `${numbers[kind](from, to)} AS n (i)` : `${numbers[kind](from, to)} AS n`
      const id = idOf[kind](millis)
      const asText = kind === "postgres" ? `(${id})::text` : id
      const record = `REPLACE(one.record, ${kind === "postgres" ? "one.id::text" : "one.id"}, ${asText})`
      yield* client.unsafe(
        `INSERT INTO ${done} (id, task, status, source, priority, created_at, removable_at, retried_as, record) ` +
          `SELECT ${id}, one.task, one.status, one.source, one.priority, ${millis}, ${millis}, NULL, ${record} ` +
          `FROM (SELECT * FROM ${done} ORDER BY id DESC LIMIT 1) AS one, ${of}`
      )
    }
    if (kind === "sqlite") yield* client.unsafe("PRAGMA wal_checkpoint(TRUNCATE)")
    else if (kind === "postgres") {
      yield* client.unsafe(`VACUUM (ANALYZE) ${done}`)
      yield* client.unsafe("CHECKPOINT")
    } else yield* client.unsafe(`ANALYZE TABLE ${done}`)
  }).pipe(Effect.scoped)
