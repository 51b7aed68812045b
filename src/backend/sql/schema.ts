/**
 * The tables of the SQL backends, as data: what the DDL, the bulk writes and the reads are made from.
 *
 * `live` holds what has not ended, `done` what has: the small table is the busy one, the large one is written once. Every
 * text a user can choose is JSON text, so NUL and lone surrogates survive in every database and no collation can make two
 * different ones equal.
 */

import { maybe, of, type Table, table } from "./table.js"
import { done, live } from "./taskTables.js"

export { asOf, type Column, type ColumnType, type Index, type Table } from "./table.js"

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

/**
 * `suspects`: how many ran when the instance was declared dead; null until somebody begins to give its tasks back. What `fence`
 * is for is said in `fence.ts`.
 */
const instances = table("instances", [
  of("uuid")("id"),
  of("word")("state"),
  of("bigint")("beat"),
  of("bigint")("beat_at"),
  maybe("int")("suspects"),
  of("text")("facts")
], { key: ["id"], indexes: [{ name: "fence", columns: [], allColumns: ["id", "state"], unique: true, since: 4 }] })

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
 * again. Rows of the status `wait` count beside them how long these tasks had waited for their first start. An instance writes rows of its own, so no two wait for each other.
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

/** `last_slot` only grows: a slot fires once however many instances there are. `spec` is the scheduler's own. */
const schedules = table("schedules", [
  of("name")("name"),
  of("name")("task"),
  of("name")("definition"),
  of("word")("origin"),
  of("bigint")("anchor"),
  of("text")("spec"),
  maybe("bigint")("last_slot"),
  maybe("uuid")("last_task"),
  of("bigint")("defined_at"),
  of("bigint")("seen_at"),
  maybe("bigint")("paused_at"),
  maybe("bigint")("retired_at")
], { key: ["name"], keyOnly: true, since: 2 })

/** What is paused: `scope` says whether it is one task name or everything, of which the name is empty. */
const controls = table("controls", [
  of("word")("scope"),
  of("name")("task"),
  of("bigint")("since"),
  of("text")("by_whom")
], { key: ["scope", "task"], keyOnly: true, since: 2 })

/** Hashes find exactly what was written, whatever its length; `entry` is the whole of it. */
const audit = table("audit", [
  of("uuid")("id"),
  of("bigint")("at"),
  of("hash")("who"),
  of("hash")("action"),
  maybe("hash")("target"),
  of("text")("entry")
], {
  key: ["id"],
  keyOnly: true,
  since: 2,
  indexes: [
    { name: "at", columns: ["at", "id"] },
    { name: "who", columns: ["who", "at", "id"] },
    { name: "action", columns: ["action", "at", "id"] },
    { name: "target", columns: ["target", "at", "id"], where: "target IS NOT NULL" }
  ]
})

/**
 * Failed tasks counted by the fingerprint of their failure. An instance writes rows of its own, as in `rollups`; those of the
 * gone are folded into one. `dismissed`: how many of the failures a person has seen enough of. `sample` is the latest.
 */
const errors = table("errors", [
  of("hash")("fingerprint"),
  of("uuid")("instance"),
  of("name")("task"),
  of("bigint")("failures"),
  of("bigint")("dismissed"),
  of("bigint")("first_at"),
  of("bigint")("last_at"),
  of("uuid")("last_task"),
  of("text")("sample")
], {
  key: ["fingerprint", "instance"],
  keyOnly: true,
  since: 2,
  indexes: [{ name: "instance", columns: ["instance"] }, { name: "last", columns: ["last_at"] }]
})

/** Tasks that a transaction of the application made or ended, until the feed has told of them. */
const untold = table("untold", [of("uuid")("task_id"), of("int")("claim"), of("bigint")("at")], {
  key: ["task_id", "claim"],
  keyOnly: true,
  since: 2,
  indexes: [{ name: "at", columns: ["at"] }]
})

/** How each instance is doing, in its own words, and whether it was asked to claim nothing more. */
const vitals = table("vitals", [of("uuid")("id"), of("int")("draining"), maybe("text")("vitals")], {
  key: ["id"],
  keyOnly: true,
  since: 2
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
  schedules,
  controls,
  audit,
  errors,
  untold,
  vitals
} as const

/** The version that all of this is. What came with an earlier one stays as it is: databases have it. */
export const version = 4

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
