/**
 * `audit`: what people did, kept as it was told, found by who, what and when.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { AuditEntry, AuditQuery } from "../../AuditStore.js"
import { hostile } from "./hostile.js"
import { about, type Case, type Stage } from "./stage.js"

const test = about("auditing")

const entryOf = ({ nextId, time }: Stage, more: Partial<AuditEntry> = {}): AuditEntry => ({
  id: nextId(),
  at: time.now,
  who: "anna",
  action: "retry",
  target: "t1",
  parameters: "{\"dryRun\":false}",
  outcome: "done",
  ...more
})

const pages = ({ backend }: Stage, query: AuditQuery) =>
  Effect.gen(function*() {
    const found: Array<AuditEntry> = []
    let cursor = query.cursor
    while (true) {
      const page = yield* backend.audit.page({ ...query, cursor })
      found.push(...page.items)
      if (page.nextCursor === null) return found
      cursor = page.nextCursor
    }
  })

/** Forty entries, a second apart but for some that share theirs; newest first. */
const trail = (stage: Stage) =>
  Effect.gen(function*() {
    const entries = Array.from({ length: 40 }, (_, n) => {
      if (n % 4 !== 0) stage.time.now += 1_000
      return entryOf(stage, {
        who: n % 3 === 0 ? "ben" : "anna",
        action: n % 2 === 0 ? "retry" : "cancel",
        target: n % 5 === 0 ? null : `t${n % 5}`,
        outcome: n % 7 === 0 ? "denied" : "done"
      })
    })
    yield* stage.backend.audit.append(entries.filter((_, n) => n % 2 === 1))
    yield* stage.backend.audit.append(entries.filter((_, n) => n % 2 === 0))
    return entries.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
  })

export const cases: ReadonlyArray<Case> = [
  test("entries stand as they were appended, newest first", function*(stage) {
    assert.deepEqual(yield* stage.backend.audit.page({}), { items: [], nextCursor: null })
    yield* stage.backend.audit.append([])
    const entries = yield* trail(stage)
    assert.deepEqual(yield* pages(stage, {}), entries)
  }),

  test("pages of every size hold each entry once", function*(stage) {
    const entries = yield* trail(stage)
    for (const limit of [1, 3, 39, 40, 0, 7.9, 10_000]) {
      const first = yield* stage.backend.audit.page({ limit })
      assert.equal(first.items.length, Math.min(40, Math.max(1, Math.floor(limit))))
      assert.deepEqual(yield* pages(stage, { limit }), entries)
    }
  }),

  test("a page holds at most 200 entries, 50 when nothing is said", function*(stage) {
    yield* stage.backend.audit.append(Array.from({ length: 230 }, () => entryOf(stage)))
    assert.equal((yield* stage.backend.audit.page({ limit: 10_000 })).items.length, 200)
    assert.equal((yield* stage.backend.audit.page({})).items.length, 50)
    assert.equal((yield* pages(stage, {})).length, 230)
  }),

  test("found by who, action, target and time, alone and together", function*(stage) {
    const entries = yield* trail(stage)
    const { at } = entries[20]!
    const queries: ReadonlyArray<readonly [AuditQuery, (entry: AuditEntry) => boolean]> = [
      [{ who: "ben" }, ({ who }) => who === "ben"],
      [{ action: "cancel" }, ({ action }) => action === "cancel"],
      [{ target: "t1" }, ({ target }) => target === "t1"],
      [{ since: at }, (entry) => entry.at >= at],
      [{ until: at }, (entry) => entry.at < at],
      [{ since: at, until: at + 1 }, (entry) => entry.at === at],
      [{ who: "anna", action: "retry" }, ({ action, who }) => who === "anna" && action === "retry"],
      [
        { who: "anna", action: "retry", target: "t2", until: at + 5_000 },
        (entry) => entry.who === "anna" && entry.action === "retry" && entry.target === "t2" && entry.at < at + 5_000
      ],
      [{ who: "carl" }, () => false]
    ]
    for (const [query, fits] of queries) {
      assert.deepEqual(yield* pages(stage, { ...query, limit: 3 }), entries.filter(fits))
    }
  }),

  test("any string stands, and is compared exactly", function*(stage) {
    const strings = [
      "",
      " ",
      "Anna",
      "anna",
      "anna ",
      "\u0000",
      "\ud800",
      "\ud83d\ude00",
      "é",
      "e\u0301",
      "x".repeat(5_000)
    ]
    const entries = strings.map((text) =>
      entryOf(stage, { who: text, action: text, target: text, parameters: JSON.stringify(text), outcome: text })
    )
    yield* stage.backend.audit.append(entries)
    for (const [index, text] of strings.entries()) {
      for (const query of [{ who: text }, { action: text }, { target: text }]) {
        assert.deepEqual((yield* stage.backend.audit.page(query)).items, [entries[index]])
      }
    }
  }),

  test("an entry appended again is there once, as it was first", function*(stage) {
    const { audit } = stage.backend
    const [first, second] = [entryOf(stage), entryOf(stage)]
    yield* audit.append([first])
    yield* audit.append([{ ...first, outcome: "otherwise" }, second, second])
    yield* Effect.all([audit.append([first, second]), audit.append([second, first])], { concurrency: "unbounded" })
    assert.deepEqual((yield* audit.page({})).items, [second, first])
  }),

  test("the cursor of an entry that is gone leads on", function*(stage) {
    const entries = yield* trail(stage)
    const { nextCursor } = yield* stage.backend.audit.page({ limit: 30 })
    yield* stage.backend.audit.deleteBefore(stage.time.now + 1, 12)
    assert.deepEqual(yield* pages(stage, { cursor: nextCursor ?? undefined }), [])
    const { nextCursor: earlier } = yield* stage.backend.audit.page({ limit: 20 })
    assert.deepEqual(yield* pages(stage, { cursor: earlier ?? undefined }), entries.slice(20, 28))
  }),

  test("what is no cursor is no failure, whatever it is", function*(stage) {
    yield* trail(stage)
    for (const cursor of hostile) {
      const { items } = yield* stage.backend.audit.page({ cursor })
      assert.ok(items.length <= 50, cursor)
    }
    assert.deepEqual(yield* stage.backend.audit.page({ who: "\u0000", action: "\ud800", target: "💥" }), {
      items: [],
      nextCursor: null
    })
  }),

  test("the oldest go first, no more than asked for, none from the cutoff on", function*(stage) {
    const { audit } = stage.backend
    const entries = yield* trail(stage)
    const cutoff = entries[9]!.at
    const old = entries.filter(({ at }) => at < cutoff).length
    assert.equal(yield* audit.deleteBefore(cutoff, 0), 0)
    assert.equal(yield* audit.deleteBefore(cutoff, 5), 5)
    assert.deepEqual(yield* pages(stage, {}), entries.slice(0, 35))
    assert.equal(yield* audit.deleteBefore(cutoff, 1_000), old - 5)
    assert.deepEqual(yield* pages(stage, {}), entries.filter(({ at }) => at >= cutoff))
    assert.equal(yield* audit.deleteBefore(cutoff, 1_000), 0)
  })
]
