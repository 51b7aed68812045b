/**
 * Any string comes back as it went in: NUL, lone surrogates, emoji, quotes, a megabyte.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { LogLine, TaskFailure } from "../../TaskEvent.js"
import { fail, failAttempt, insert, line, log, progress, startedBy, succeed } from "./changes.js"
import { about, type Case, idsOf } from "./stage.js"

const test = about("strings")

const awkward: ReadonlyArray<string> = [
  "",
  " ",
  "trailing ",
  "nul \u0000 inside",
  "\u0000",
  "lone high \ud800 surrogate",
  "lone low \udfff",
  "\ud83d\ude00 emoji, \ud83d\udc69\u200d\ud83d\udcbb joined",
  "e\u0301 is not \u00e9",
  "line\nfeed\r\ntab\t\u2028\u2029\u0085\u007f",
  "'; DROP TABLE live; --",
  "\"quoted\" \\ back\\slash \\u0000 \\\\u0000",
  "% _ * ? [a] {p} $1 :name ?1 @@x",
  "{\"json\":true}",
  "null",
  "\ufeffbom \ufffd replacement \uffff",
  "\u202eright to left",
  "__proto__"
]

const mebi = 1024 * 1024

export const cases: ReadonlyArray<Case> = [
  test("as payload, tags, key and trace", function*({ a, get, listAll, task }) {
    const records = awkward.map((text) =>
      task({
        payload: text,
        // A computed name, so that "__proto__" is a tag like any other.
        tags: { [`tag ${text}`]: text, [text === "" ? "-" : text]: "value" },
        idempotencyKey: `key ${text}`,
        trace: text
      })
    )
    yield* a.commit(...records.map(insert))
    for (const record of records) assert.deepEqual(yield* get(record), record)
    assert.deepEqual(yield* listAll({ order: "oldest" }), records)
    const { pending } = yield* a.claim({ send_email: [0, 100] })
    assert.deepEqual(pending, records.map((record) => ({ ...record, owner: a.id, claim: 1 })))
  }),

  test("as result and progress", function*({ a, get, time }) {
    for (const text of awkward) {
      const running = yield* a.run()
      yield* a.commit(progress(running, 0.5, text))
      const end = succeed({ ...running, progress: { value: 0.5, message: text } }, time.now, text)
      yield* a.commit(end)
      assert.deepEqual(yield* get(running), end.record)
    }
  }),

  test("as failure of an attempt and of a task", function*({ a, backend, get, time }) {
    for (const text of awkward) {
      const failure: TaskFailure = { kind: "error", name: text, message: text, stack: text, error: text }
      const running = yield* a.run()
      const release = failAttempt(running, time.now, time.now)
      const attempt = { ...release.attempt, failure }
      yield* a.commit({ ...release, attempt, record: { ...release.record, failure } })
      assert.deepEqual(yield* backend.attempts(running.taskId), [attempt])
      assert.deepEqual((yield* get(running)).failure, failure)
      const { started } = yield* a.claim({ send_email: [1, 0] })
      const end = fail(started[0]!, time.now)
      yield* a.commit({ ...end, record: { ...end.record, failure } })
      assert.deepEqual(yield* get(running), { ...end.record, failure })
    }
  }),

  test("as lines", function*({ a, backend, get, time }) {
    const running = yield* a.run()
    const lines = awkward.map((text, index): LogLine => ({
      ...line(running, index + 1, time.now, text),
      annotations: text
    }))
    yield* a.commit(...lines.map((one) => log(running, one)))
    assert.deepEqual(yield* backend.logs(running.taskId, { after: 0, limit: 100 }), lines)
    const { logBytes, logLines } = yield* get(running)
    assert.deepEqual([logLines, logBytes], [lines.length, 2 * awkward.join("").length])
  }),

  test("as a tag that is looked for", function*({ a, backend, task }) {
    const records = awkward.map((text) => task({ tags: { text, [`named ${text}`]: "yes" } }))
    yield* a.commit(...records.map(insert))
    for (const [index, text] of awkward.entries()) {
      const found = [{ tag: ["text", text] }, { tag: [`named ${text}`, "yes"] }] as const
      for (const query of found) {
        const { items } = yield* backend.list(query)
        assert.deepEqual(idsOf(items), [records[index]!.taskId], `by ${JSON.stringify(query)}`)
      }
    }
  }),

  test("as a task name: of 200 characters, exactly compared", function*({ a, backend, task }) {
    const names = [
      "Send_email",
      "send_email ",
      "send-\u00e9mail",
      "send-e\u0301mail",
      "\ud83d\ude00".repeat(200),
      "x".repeat(199),
      "x".repeat(200),
      "lone \ud800",
      "lone \ud801",
      "'; --",
      "a/b:c{d}*"
    ]
    const records = names.map((taskName) => task({ taskName }))
    yield* a.commit(...records.map(insert))
    for (const [index, taskName] of names.entries()) {
      assert.deepEqual((yield* backend.list({ taskName })).items, [records[index]])
      assert.equal((yield* backend.stats({ taskName })).counts.pending, 1)
      const { more, pending } = yield* a.claim({ [taskName]: [0, 5] })
      assert.deepEqual([idsOf(pending), more], [[records[index]!.taskId], []])
    }
  }),

  test("a megabyte, and several in one batch", function*({ a, get, task, time }) {
    const pattern = "a \ud83d\ude00 \u0000 \ud800 \\ \" \u00e9"
    const big = pattern.repeat(Math.ceil(mebi / pattern.length)).slice(0, mebi)
    const records = [1, 2, 3, 4].map(() => startedBy(task({ payload: big }), a.id, time.now))
    yield* a.commit(...records.map(insert))
    for (const record of records) assert.ok((yield* get(record)).payload === big, "the payload came back changed")
    const end = succeed(records[0]!, time.now, big)
    yield* a.commit(end)
    assert.ok((yield* get(records[0]!)).result === big, "the result came back changed")
  }),

  test("numbers come back exactly: large times, fractions of progress", function*({ a, get, task }) {
    const runAt = Number.MAX_SAFE_INTEGER
    const record = task({ runAt, keyTtl: Number.MAX_SAFE_INTEGER, priority: -2_147_483_647, maxCrashes: 2_147_483_647 })
    yield* a.commit(insert(record))
    assert.deepEqual(yield* get(record), record)
    const { nextDueAt } = yield* a.claim({ send_email: [1, 1] })
    assert.equal(nextDueAt, runAt)
    const running = yield* a.run()
    yield* Effect.forEach([0, 0.1 + 0.2, 1e-9, 1 / 3, 1], (value) =>
      Effect.gen(function*() {
        yield* a.commit(progress(running, value))
        assert.equal((yield* get(running)).progress?.value, value)
      }))
  })
]
