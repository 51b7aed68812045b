/**
 * The tables of the SQL backends, as data: what the DDL, the bulk writes and the reads are made from.
 *
 * `live` holds what has not ended, `done` what has: the small table is the busy one, the large one is written once. Every
 * text a user can choose is JSON text, so NUL and lone surrogates survive in every database and no collation can make two
 * different ones equal.
 */

import { maybe, of, since, type Table, table } from "./table.js"

export { asOf, type Column, type ColumnType, type Index, type Table } from "./table.js"

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
  of("text")("facts"),
  since(2, maybe("hash")("schedule"))
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
    // Where it can be partial, what no schedule asked for costs nothing here.
    { name: "schedule", columns: ["schedule", "id"], where: "schedule IS NOT NULL", allColumns: [], since: 2 },
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

/**
 * Finished tasks. `record` is the whole record but for `retriedAs`; `removable_at` is what retention compares;
 * `fingerprint` is of the failure of what failed.
 */
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
  of("text")("record"),
  since(2, maybe("hash")("fingerprint")),
  since(2, maybe("hash")("schedule"))
], {
  key: ["id"],
  keyOnly: true,
  indexes: [
    { name: "status", columns: ["status", "id"] },
    { name: "task", columns: ["task", "status", "id"] },
    { name: "source", columns: ["source", "id"], where: "source <> 'manual'", allColumns: ["source", "id"] },
    { name: "priority", columns: ["priority", "id"], where: "priority <> 0", allColumns: ["priority", "id"] },
    { name: "removable", columns: ["status", "removable_at"] },
    { name: "fingerprint", columns: ["fingerprint", "id"], where: "fingerprint IS NOT NULL", since: 2 },
    { name: "schedule", columns: ["schedule", "id"], where: "schedule IS NOT NULL", since: 2 }
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
export const version = 2

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
