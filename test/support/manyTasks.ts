/** A database with a long past and a long queue, made by the database itself. */
import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import * as Rows from "../../src/backend/sql/rows.js"
import type { withPrefix } from "../../src/backend/sql/schema.js"
import { instance, now } from "./sql.js"

/** How a database writes what the rows are made of. */
const wordsOf = (client: SqlClient) =>
  client.onDialectOrElse({
    sqlite: () => ({
      hex: (n: string) => `printf('%012x', ${n})`,
      uuid: (text: string) => text,
      even: (n: string, by: number) => `(${n}) / ${by}`,
      analyze: null
    }),
    pg: () => ({
      hex: (n: string) => `lpad(to_hex(CAST(${n} AS bigint)), 12, '0')`,
      uuid: (text: string) => `CAST(${text} AS uuid)`,
      even: (n: string, by: number) => `(${n}) / ${by}`,
      // As a table that grows is left by the server itself: which pages everyone can see is known.
      analyze: "VACUUM (ANALYZE)"
    }),
    orElse: () => ({
      hex: (n: string) => `LOWER(LPAD(HEX(${n}), 12, '0'))`,
      uuid: (text: string) => text,
      even: (n: string, by: number) => `(${n}) DIV ${by}`,
      analyze: "ANALYZE TABLE"
    })
  })

const digit = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL " +
  "SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"

/** The numbers from 0 below `count`, as column `n`. */
const numbers = (count: number): string => {
  const names = ["a", "b", "c", "e", "f", "g"].slice(0, Math.ceil(Math.log10(count)))
  const sum = names.map((name, index) => `${name}.d * ${10 ** index}`).join(" + ")
  const all = names.map((name) => `${digit} AS ${name}`).join(" CROSS JOIN ")
  return `(SELECT n FROM (SELECT ${sum} AS n FROM ${all}) AS every WHERE n < ${count}) AS numbers`
}

const factsOf = (name: string) =>
  JSON.stringify({
    name,
    kind: "task",
    payload: "12345678901234567890123456789012345678901234567890",
    tags: [],
    key: null,
    keyTtl: null,
    executor: "fiber",
    requeue: false,
    maxCrashes: 3,
    runAt: null,
    retryOf: null,
    trace: null
  })

/** When the first task was created; one follows each 100 ms. */
export const start = now - 40_000_000

/** The id of a row: `kind` keeps those of different sorts apart. */
export const idOf = (kind: number, n: number): string => {
  const time = (start + n * 100).toString(16).padStart(12, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-800${kind}-${n.toString(16).padStart(12, "0")}`
}

/** The tasks of a name that nobody here runs; those that wait for their time; those of an instance; those that ended. */
export const sizes = {
  unknown: 100_000,
  delayed: 50_000,
  owned: 1_000,
  ready: 4_000,
  done: 150_000,
  audit: 150_000,
  errors: 5_000,
  schedules: 5_000
} as const

/** The hash of one value where a condition holds, others elsewhere. */
const auditHash = (column: "who" | "action" | "target", value: string, where: string): string =>
  `CASE WHEN ${where} THEN '${Rows.auditHash(column, value)}' ELSE 'other' END`

/** Fills the tables, which are empty. */
export const fill = (client: SqlClient, tables: ReturnType<typeof withPrefix>) =>
  Effect.gen(function*() {
    const { analyze, even, hex, uuid } = wordsOf(client)
    const created = `${start} + n * 100`
    const id = (kind: number) => {
      const time = hex(created)
      return uuid(`CONCAT(SUBSTR(${time}, 1, 8), '-', SUBSTR(${time}, 9, 4), '-7000-800${kind}-', ${hex("n")})`)
    }
    // SQLite writes the arrival itself.
    const arrival = client.onDialectOrElse({ sqlite: () => true, orElse: () => false })
    const live = (
      kind: number,
      count: number,
      name: string,
      row: { ready?: string; priority?: string; due?: string; owner?: string; active?: number; version?: number }
    ) => {
      const active = row.active ?? 0
      const values = {
        id: id(kind),
        task: `'${JSON.stringify(name)}'`,
        version: row.version ?? 1,
        priority: row.priority ?? "0",
        source: "CASE WHEN n % 1000 = 7 THEN 'scheduled' ELSE 'manual' END",
        created_at: created,
        ready: row.ready ?? "NULL",
        due_at: row.due ?? "NULL",
        status: active === 1 ? "'running'" : "'pending'",
        owner: row.owner ?? "NULL",
        active,
        claim: active,
        attempts: active,
        cancel: 0,
        suspect: 0,
        started_at: active === 1 ? created : "NULL",
        attempt_started_at: active === 1 ? created : "NULL",
        instance: active === 1 ? row.owner! : "NULL",
        log_lines: 0,
        log_bytes: 0,
        facts: `'${factsOf(name)}'`,
        ...arrival ? { seq: `(${created}) * 1024 + ${kind}` } : {}
      }
      const columns = Object.keys(values).join(", ")
      return `INSERT INTO ${tables.live.name} (${columns}) SELECT ${Object.values(values).join(", ")} FROM ${
        numbers(count)
      }`
    }
    const me = uuid(`'${instance}'`)
    const other = uuid("'00000000-0000-4000-8000-000000000009'")
    const status =
      "CASE WHEN n % 50 = 1 THEN 'failed' WHEN n % 500 = 2 THEN 'cancelled' WHEN n % 500 = 3 THEN 'interrupted' ELSE 'success' END"
    const name = "CASE n % 3 WHEN 0 THEN '\"send_email\"' WHEN 1 THEN '\"resize\"' ELSE '\"unknown\"' END"
    const record = (text: string) =>
      `CONCAT('{"taskId":"', ${text}, '","taskName":"send_email","status":"success",', ` +
      `'"idempotencyKey":null,"keyTtl":null,"endedAt":', ${created}, ',"tags":[],"payload":"${"x".repeat(200)}"}')`
    const done =
      `INSERT INTO ${tables.done.name} (id, task, status, source, priority, created_at, removable_at, record, fingerprint, schedule) ` +
      `SELECT ${id(6)}, ${name}, ${status}, CASE WHEN n % 30000 = 7 THEN 'scheduled' ELSE 'manual' END, ` +
      `CASE WHEN n % 50000 = 11 THEN 9 ELSE 0 END, ${created}, ${created} + 50, ${record(id(6))}, ` +
      `CASE WHEN n % 50 = 1 THEN CONCAT('f', n % 1000) END, ` +
      `CASE WHEN n % 500 = 7 THEN '${Rows.scheduleHash("nightly")}' END FROM ${numbers(sizes.done)}`
    const statements = [
      live(1, sizes.unknown, "unknown", { ready: "1", priority: "10" }),
      live(2, sizes.delayed, "send_email", { due: `${now} + 1000 + n`, priority: "20" }),
      live(3, sizes.owned / 2, "send_email", { owner: me, active: 1 }),
      live(4, sizes.owned / 2, "send_email", { owner: other, due: `${now} - 5000` }),
      live(5, sizes.ready / 2, "send_email", { ready: "1", priority: "n % 5" }),
      live(7, sizes.ready / 2, "resize", { ready: "1", priority: "n % 5" }),
      done,
      `INSERT INTO ${tables.logs.name} (task_id, line) SELECT ${id(6)}, '{"message":"hello"}' FROM ${numbers(100_000)}`,
      `INSERT INTO ${tables.attempts.name} (task_id, claim, attempt, entry) SELECT ${id(6)}, 1, 1, '{}' ` +
      `FROM ${numbers(20_000)}`,
      `INSERT INTO ${tables.tags.name} (hash, task_id, tag) SELECT CONCAT('h', ${even("n", 10)}), ${
        id(6)
      }, '["a","b"]' ` +
      `FROM ${numbers(20_000)}`,
      `INSERT INTO ${tables.tags.name} (hash, task_id, tag) SELECT '${Rows.tagHash("shared", "yes")}', ${id(6)}, ` +
      `'["shared","yes"]' FROM ${numbers(sizes.done)} WHERE n % 10 = 0`,
      `INSERT INTO ${tables.keys.name} (hash, task_id, until_at) SELECT CONCAT('k', n), ${id(6)}, NULL ` +
      `FROM ${numbers(20_000)}`,
      `INSERT INTO ${tables.batches.name} (instance, lane, n, at, outcomes) ` +
      `SELECT ${other}, 'journal', n, ${now} - 100000 + n, '1' FROM ${numbers(20_000)}`,
      `INSERT INTO ${tables.audit.name} (id, at, who, action, target, entry) SELECT ${id(6)}, ${created}, ` +
      `${auditHash("who", "anna", "n % 10000 = 3")}, ${auditHash("action", "retry", "n % 10000 = 5")}, ` +
      `${auditHash("target", "t1", "n % 10000 = 7")}, '{"id":"i","at":1}' FROM ${numbers(sizes.audit)}`,
      `INSERT INTO ${tables.errors.name} ` +
      "(fingerprint, instance, task, failures, dismissed, first_at, last_at, last_task, sample) " +
      `SELECT CONCAT('f', n), ${other}, '"send_email"', n + 1, 0, ${created}, ${created} + 5, ${id(6)}, '{}' ` +
      `FROM ${numbers(sizes.errors)}`,
      `INSERT INTO ${tables.schedules.name} ` +
      "(name, task, definition, origin, anchor, spec, defined_at, seen_at) " +
      `SELECT CONCAT('"s', n, '"'), '"resize"', '"d"', 'code', 0, '"{}"', 0, 0 FROM ${numbers(sizes.schedules)}`
    ]
    for (const statement of statements) yield* client.unsafe(statement)
    if (analyze !== null) { for (const { name } of Object.values(tables)) yield* client.unsafe(`${analyze} ${name}`) }
  })
