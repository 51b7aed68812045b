/**
 * New tasks in a transaction of the application: rows on its connection, unclaimed, seen by everybody when it commits.
 *
 * No fence and no batch: the transaction may end long after this instance was declared dead, so nothing here may belong
 * to it. A key may have to wait for another transaction; that wait is the application's.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Outcome } from "../../TaskBackend.js"
import { TaskWrongTransaction } from "../../TaskError.js"
import type { InstanceId } from "../../TaskEvent.js"
import type { TaskId } from "../../TaskId.js"
import type { TaskRecord } from "../../TaskRecord.js"
import { type Connections, isSameClient, transactionConnection } from "./connections.js"
import type { Db, Row, Sql } from "./dialect.js"
import * as Feed from "./feed.js"
import * as Keys from "./keys.js"
import { selectIn } from "./lists.js"
import { type Found, type KeyRow, planOf } from "./plan.js"
import { joinedFacts, keyHash } from "./rows.js"
import { apply } from "./write.js"

const nothing = (): Found => ({
  live: new Map(),
  keys: new Map(),
  busyKeys: new Set(),
  originals: new Map(),
  ended: new Set()
})

const until = (row: Row): number | null => row["until_at"] === null ? null : Number(row["until_at"])

const holds = (key: KeyRow | undefined, now: number): key is KeyRow =>
  key !== undefined && (key.until === null || key.until > now)

/**
 * `joinTransaction` of the port. `ours` is a connection of the backend's client, `outside` reads beside the transaction;
 * `announce` is the last statement.
 */
export const make = (
  sql: Sql,
  ours: object,
  outside: Pick<Connections, "use">,
  announce: (db: Db) => Effect.Effect<void, unknown>
) => {
  const { dialect, tables } = sql

  const keysOf = (db: Db, hashes: ReadonlyArray<string>, now: number) =>
    Effect.gen(function*() {
      const found = nothing()
      if (hashes.length === 0) return found
      for (const hash of hashes) if (dialect.lockKey !== null) yield* db.all(dialect.lockKey(tables.keys, hash))
      const read = (tail: string, list: ReadonlyArray<string>) =>
        Effect.map(Keys.read(sql, db, list, tail), (keys) => {
          for (const [hash, key] of keys) found.keys.set(hash, key)
        })
      yield* read("", hashes)
      // Only a key that is about to be taken over is locked: whoever holds one must be able to free it meanwhile.
      yield* read(dialect.forUpdate, [...found.keys].flatMap(([hash, key]) => holds(key, now) ? [] : [hash]))
      return found
    })

  const committed = (hash: string) =>
    Effect.map(outside.use((db) => Keys.read(sql, db, [hash])), (keys) => keys.get(hash))

  const take = (db: Db, hash: string, taskId: string) =>
    Effect.as(
      db.run({
        sql: `UPDATE ${tables.keys.name} SET task_id = ?, until_at = NULL WHERE hash = ?`,
        params: [taskId, hash]
      }),
      { taskId, until: null }
    )

  // A row that is there: expired, left behind by its task, this transaction's own, or taken by somebody a moment ago.
  const meetKey = (db: Db, hash: string, taskId: string, now: number): Effect.Effect<KeyRow | null, unknown> =>
    Effect.gen(function*() {
      const [row] = yield* selectIn(sql, db, tables.keys, "task_id, until_at", "hash", [hash], dialect.forUpdate)
      if (row === undefined) return null
      const met: KeyRow = { taskId: row["task_id"] as string, until: until(row) } // safe: a text column
      if (!holds(met, now)) return yield* take(db, hash, taskId)
      const known = yield* committed(hash)
      return known?.taskId !== met.taskId || holds(known, now) ? met : yield* take(db, hash, taskId)
    })

  // InnoDB keeps the lock of an insert that met a row, and of a locking read, as long as the transaction is open. Under
  // REPEATABLE READ, the default there, a plain read of the transaction may tell of a key that was freed or taken since. So
  // whether a key is held is read beside the transaction, without a lock, and only one that seems free is tried.
  const insertKey = (db: Db, hash: string, taskId: string, now: number, tries = 3): Effect.Effect<KeyRow, unknown> =>
    Effect.flatMap(committed(hash), (known) =>
      holds(known, now) ? Effect.succeed(known) : Effect.catchAll(
        Effect.as(
          Effect.forEach(dialect.insert(tables.keys, [[hash, taskId, null]]), db.run, { discard: true }),
          { taskId, until: null }
        ),
        (error) =>
          dialect.problemOf(error) !== "duplicate" || tries === 0
            ? Effect.fail(error)
            : Effect.flatMap(
              meetKey(db, hash, taskId, now),
              (met) => met === null ? insertKey(db, hash, taskId, now, tries - 1) : Effect.succeed(met)
            )
      ))

  /** Takes the keys one by one, each for the first record that wants it; answers the ones that others hold. */
  const insertKeys = (db: Db, records: ReadonlyArray<TaskRecord>, now: number) =>
    Effect.gen(function*() {
      const wanted = new Map<string, string>()
      for (const record of records) {
        const hash = keyHash(record)
        if (hash !== null && !wanted.has(hash)) wanted.set(hash, record.taskId)
      }
      const found = nothing()
      const taken = new Set<string>()
      for (const [hash, taskId] of [...wanted].sort(([a], [b]) => a < b ? -1 : 1)) {
        const row = yield* insertKey(db, hash, taskId, now)
        if (row.taskId === taskId) taken.add(hash)
        else found.keys.set(hash, row)
      }
      return { found, taken }
    })

  return (records: ReadonlyArray<TaskRecord>, now: number): Effect.Effect<ReadonlyArray<Outcome>, unknown> =>
    Effect.gen(function*() {
      const connection = Option.getOrUndefined(yield* transactionConnection)
      if (connection === undefined || !isSameClient(connection, ours)) {
        return yield* new TaskWrongTransaction({ task: records[0]?.taskName ?? "" })
      }
      const db = dialect.db(connection)
      const hashes = records.flatMap((record) => keyHash(record) ?? []).sort()
      const nobody = "" as InstanceId // safe: only batches that are written by an instance are kept
      const changes = records.map((record) => ({ _tag: "Insert", record }) as const)
      const batch = { instance: nobody, lane: "", number: 0, now, changes }
      const { found, taken } = dialect.kind === "mysql"
        ? yield* insertKeys(db, records, now)
        : { found: yield* keysOf(db, [...new Set(hashes)], now), taken: new Set<string>() }
      const plan = planOf(batch, found)
      for (const hash of taken) plan.putKeys.delete(hash)
      for (const row of plan.inserts) row.facts = joinedFacts(row.facts)
      yield* apply(sql, db, plan, now, nobody)
      yield* Feed.untold(sql, db, plan.inserts.map(({ claim, id }) => ({ claim, taskId: id as TaskId })), now) // safe: an id
      yield* announce(db)
      return plan.outcomes
    })
}
