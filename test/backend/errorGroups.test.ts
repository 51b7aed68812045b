/** How failures are counted beyond the port: rows of each instance, folded and bounded, in the statement that ends a task. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { type Change, MemoryBackend, TaskEvent, TaskRecord } from "effect-taskflow"
import { maxErrorGroups } from "../../src/ErrorStore.js"
import { fingerprintOf } from "../../src/internal/fingerprint.js"
import { backendOn, databases, facts, instance, now, rowsOf, task, watched } from "../support/sql.js"
import { testInTurn } from "../support/testOn.js"

const other = TaskEvent.InstanceId.make("00000000-0000-4000-8000-000000000002")

const after = (record: TaskRecord.TaskRecord, event: TaskEvent.TaskEvent) =>
  Option.getOrThrow(TaskRecord.apply(record, event))

/** A new task that runs on the instance, and the end that makes it fail. */
const failing = (message: string, owner = instance): readonly [Change, Change] => {
  const pending = task()
  const { taskId } = pending
  const running = after(pending, { _tag: "Started", taskId, at: now, instance: owner, claim: 1 })
  const failure = { kind: "error", name: "Bounced", message, stack: "", error: null } as const
  const record = after(running, { _tag: "Failed", taskId, at: now, failure, stopReason: "retriesSpent" })
  const attempt = {
    claim: 1,
    attempt: 1,
    instance: owner,
    startedAt: now,
    endedAt: now,
    outcome: "failed",
    failure
  } as const
  return [{ _tag: "Insert", record: running }, { _tag: "Finish", record, owner, claim: 1, attempt }]
}

const batch = (number: number, changes: ReadonlyArray<Change>, of = instance) => ({
  instance: of,
  lane: "journal",
  number,
  now,
  changes
})

// "a" to "z" and beyond: digits would be values.
const word = (n: number): string => [...String(n)].map((digit) => "abcdefghij"[Number(digit)]).join("")

for (const database of databases) {
  const test = testInTurn(database)

  describe.skipIf(!database.present)(`groups of errors on ${database.name}`, () => {
    test("have a row for each instance, and one for all that are gone", ({ open, prefix, tables }) =>
      Effect.gen(function*() {
        const client = yield* open
        const backend = yield* backendOn(client, { prefix })
        for (const [n, one] of [instance, other].entries()) {
          yield* backend.attach(facts(one), now)
          const [insert, finish] = failing(`no box ${n}`, one)
          yield* backend.write(batch(1, [insert], one))
          yield* backend.write(batch(2, [finish], one))
        }
        expect(yield* rowsOf(client, tables.errors.name)).toBe(2)
        yield* backend.maintain(now)
        expect(yield* rowsOf(client, tables.errors.name)).toBe(2)
        yield* backend.detach(instance, now)
        yield* backend.detach(other, now)
        yield* backend.maintain(now)
        expect(yield* rowsOf(client, tables.errors.name)).toBe(1)
        expect((yield* backend.errors.list({})).items.map(({ count }) => count)).toEqual([2])
      }))

    test("are counted in the one statement or transaction that ends their tasks", ({ open, prefix, tables }) =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const plain = yield* open
        const client = watched(plain, ({ run, text }) => Effect.zipRight(Effect.sync(() => seen.push(text)), run))
        const backend = yield* backendOn(client, { prefix })
        yield* backend.attach(facts(), now)
        const pairs = Array.from({ length: 3 }, (_, n) => failing(`no box ${n}`))
        yield* backend.write(batch(1, pairs.map(([insert]) => insert)))
        seen.length = 0
        yield* backend.write(batch(2, pairs.map(([, finish]) => finish)))
        const counting = seen.filter((text) => text.includes(`INSERT INTO ${tables.errors.name}`))
        expect(counting.length).toBe(1)
        if (database.kind === "postgres") expect(seen).toEqual(counting)
        expect((yield* backend.errors.list({})).items.map(({ count }) => count)).toEqual([3])
      }))

    test("are no more than twice ten thousand rows after maintain", ({ open, prefix, tables }) =>
      Effect.gen(function*() {
        const client = yield* open
        const backend = yield* backendOn(client, { prefix })
        const { columns, name } = tables.errors
        const row = (n: number) =>
          `('f${n}', '${instance}', '"send_email"', 1, 0, ${now + n}, ${now + n}, '${instance}', '{}')`
        const many = 2 * maxErrorGroups + 1_200
        for (let from = 0; from < many; from += 400) {
          const rows = Array.from({ length: 400 }, (_, n) => row(from + n)).join(",")
          yield* client.unsafe(`INSERT INTO ${name} (${columns.map((one) => one.name).join()}) VALUES ${rows}`)
        }
        yield* backend.maintain(now)
        expect(yield* rowsOf(client, name)).toBe(2 * maxErrorGroups)
        expect((yield* backend.errors.list({ limit: 1 })).items[0]?.fingerprint).toBe(`f${many - 1}`)
        expect(yield* backend.errors.get("f1199")).toBe(null)
      }))
  })
}

describe("groups of errors in memory", () => {
  it.effect("are no more than ten thousand, the ones that were seen last", () =>
    Effect.gen(function*() {
      const backend = yield* MemoryBackend.make()
      yield* backend.attach(facts(), now)
      const pairs = Array.from({ length: maxErrorGroups + 3 }, (_, n) => failing(`no ${word(n)}`))
      yield* backend.write(batch(1, pairs.flat()))
      yield* backend.write(batch(2, failing(`no ${word(3)}`)))
      const fingerprints = (n: number) => {
        const [, finish] = pairs[n]!
        return finish._tag === "Finish" ? fingerprintOf(finish.record)!.fingerprint : ""
      }
      // Three more than fit: the first three are gone, the fourth was seen again.
      for (const n of [0, 1, 2]) expect(yield* backend.errors.get(fingerprints(n))).toBe(null)
      for (const n of [3, 4, maxErrorGroups + 2]) {
        expect((yield* backend.errors.get(fingerprints(n)))?.count).toBe(n === 3 ? 2 : 1)
      }
    }))

  it.effect("and entries of the audit are no more than ten thousand, the newest", () =>
    Effect.gen(function*() {
      const { audit } = yield* MemoryBackend.make()
      const entry = (n: number) => ({
        id: String(n).padStart(6, "0"),
        at: n,
        who: "w",
        action: "a",
        target: null,
        parameters: "{}",
        outcome: "done"
      })
      yield* audit.append(Array.from({ length: 10_005 }, (_, n) => entry(n)))
      expect((yield* audit.page({ until: 6 })).items.map(({ at }) => at)).toEqual([5])
    }))
})
