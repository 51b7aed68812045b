/** The tables of tasks: `live` and `done`. See `schema.ts`. */
import { maybe, of, since, table } from "./table.js"

/**
 * Unfinished tasks. `ready` is 1 for what may be claimed now, 2 for the same of a suspect, null for all else; `due_at` is
 * when an unowned row becomes ready, or since when an owner holds it in its window. `active`: an attempt is under way.
 *
 * What a start changes (`status`, `active`, `attempts` and the times) is in no index and no condition of one: it is the change that
 * every task goes through, and so PostgreSQL writes no entries for it and SQLite no pages but the row's own.
 */
export const live = table("live", [
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
  roomSince: 3,
  indexes: [
    {
      name: "ready",
      columns: ["task", "version", "priority DESC", "seq"],
      where: "ready = 1",
      allColumns: ["ready", "task", "version", "priority DESC", "seq"]
    },
    { name: "suspect", columns: ["seq"], where: "ready = 2", allColumns: [] },
    {
      name: "owner",
      columns: ["owner", "active"],
      where: "owner IS NOT NULL",
      allColumns: ["owner", "active", "status"],
      until: 2
    },
    { name: "retrying", columns: ["id"], where: "status = 'running' AND owner IS NULL", allColumns: [], until: 2 },
    // MySQL finds what waits for its next attempt here too, among the rows without an owner, and whom to cancel.
    {
      name: "held",
      columns: ["owner"],
      where: "owner IS NOT NULL",
      allColumns: ["owner", "next_attempt_at", "cancel"],
      since: 3
    },
    // Only attempts that failed cost an entry here, and here only those that shall stop.
    {
      name: "between",
      columns: ["id"],
      where: "next_attempt_at IS NOT NULL AND owner IS NULL",
      allColumns: [],
      since: 3
    },
    { name: "asked", columns: ["cancel", "owner"], where: "cancel = 1", allColumns: [], since: 3 },
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
export const done = table("done", [
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
