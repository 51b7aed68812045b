/**
 * Tables that grew from nothing a moment ago: their database has not counted them yet, and PostgreSQL plans as if one row fitted
 * each condition. What a claim, a write, a cancel, a heartbeat and a reap read must not depend on the backlog even then.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { type TaskBackend, TaskRecord } from "effect-taskflow"
import { type Planned, planned } from "../support/plans.js"
import { backendOn, claimOf, databases, facts, instance, now, successOf, task } from "../support/sql.js"
import { type Place, testOn } from "../support/testOn.js"

const backlog = 3_000
const together = 500

type Changes = Parameters<TaskBackend["Type"]["write"]>[0]["changes"]

// Or the server counts them while the test runs, and nothing is shown.
const uncounted = (client: SqlClient, { tables }: Place) => {
  const word = client.onDialectOrElse({
    sqlite: () => null,
    pg: () => "SET (autovacuum_enabled = off)",
    orElse: () => "STATS_AUTO_RECALC = 0"
  })
  return word === null
    ? Effect.void
    : Effect.forEach(Object.values(tables), ({ name }) => client.unsafe(`ALTER TABLE ${name} ${word}`), {
      discard: true
    })
}

const fill = (write: (changes: Changes) => Effect.Effect<unknown, unknown>) =>
  Effect.gen(function*() {
    for (let from = 0; from < backlog; from += together) {
      yield* write(Array.from({ length: together }, (_, index) => ({
        _tag: "Insert",
        record: task(index % 3 === 0 ? { runAt: now + 60_000 + from + index } : {})
      })))
    }
  })

const startOf = (record: TaskRecord.TaskRecord): Changes[number] => {
  const started = TaskRecord.apply(record, {
    _tag: "Started",
    taskId: record.taskId,
    at: now,
    instance,
    claim: record.claim
  })
  if (started._tag === "None") throw new Error("not legal")
  return { _tag: "Start", record: started.value }
}

const holding = (window: number) => ({
  instance,
  tasks: ["send_email"].map((name) => ({ name, version: 1, slots: 0, window })),
  slots: 0,
  window,
  stealAfter: null,
  now
})

// Of each name sixteen more than are asked for are looked at, and some for what locks keep.
const claimed = 20
const mostRows = 10 * claimed

for (const database of databases) {
  describe.skipIf(!database.present)(`on ${database.name}, in tables that nobody counted`, () => {
    testOn(database)(`no statement of a busy engine reads as many rows as wait`, (place) =>
      Effect.gen(function*() {
        const plain = yield* place.open
        const { client, during, seen } = planned(plain)
        const backend = yield* backendOn(client, place)
        yield* uncounted(plain, place)
        yield* backend.attach(facts(), now)
        let number = 0
        const write = (changes: Changes) =>
          backend.write({ instance, lane: "journal", number: number += 1, now, changes })
        yield* fill(write)
        const { started } = yield* during("claim", claimOf(backend, claimed))
        expect(started.length).toBe(claimed)
        yield* during("claim once more", claimOf(backend, claimed))
        yield* during("finish", write(started.map((record) => successOf(record))))
        yield* during("write", write([{ _tag: "Insert", record: task() }]))
        const [first, second] = yield* during("hold", backend.claim(holding(claimed))).pipe(
          Effect.map(({ pending }) => pending)
        )
        yield* during("start", write([startOf(first!)]))
        yield* during("cancel", backend.cancel(second!.taskId, now))
        yield* during(
          "heartbeat",
          backend.heartbeat(instance, now, { slots: { max: 1, active: 1 }, waiting: 0, lag: 0 })
        )
        yield* during("detach", backend.detach(instance, now))
        yield* during("reap", backend.reap({ suspect: instance, beat: 1, now, limit: claimed }))
        const { batches, done, live } = place.tables
        const large = new Set([batches.name, done.name, live.name])
        // SQLite does not count rows, but says what it goes through.
        const tooMany = ({ rows, whole }: Planned) => (rows ?? 0) > mostRows || whole.some((name) => large.has(name))
        expect(seen.filter(tooMany).map(({ during, plan, rows, text }) => `${during}: ${text} [${rows}] ${plan}`))
          .toEqual([])
        expect(seen.length).toBeGreaterThan(10)
      }))
  })
}
