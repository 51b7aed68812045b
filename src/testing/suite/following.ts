/**
 * How the feed is followed: from where one was, in steps, and what happens to who was away for too long.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { TaskChange } from "../../TaskChange.js"
import { insert } from "./changes.js"
import { reader, told } from "./feeding.js"
import { about, type Case, type Instance } from "./stage.js"

const test = about("following the feed")

export const cases: ReadonlyArray<Case> = [
  test("misses nothing of several writers, read in steps, one of whom came later", function*(stage) {
    const { a, b, instance, task, time } = stage
    yield* a.attach
    yield* b.attach
    const { all, page, seen } = reader(stage, 1)
    yield* page
    const written = new Map<Instance, Array<string>>()
    const changes: Array<TaskChange> = []
    const late = instance()
    for (let round = 0; round < 6; round += 1) {
      for (const writer of round < 3 ? [a, b] : [a, b, late]) {
        const records = [task(), task()]
        yield* writer.commit(...records.map(insert))
        written.set(writer, [...written.get(writer) ?? [], ...records.map(({ taskId }) => taskId)])
        time.now += 1
      }
      if (round % 2 === 0) changes.push(...(yield* page).changes)
    }
    changes.push(...yield* all)
    for (const [writer, ids] of written) {
      assert.deepEqual(changes.filter(({ by }) => by === writer.id).map(({ taskId }) => taskId), ids)
    }
    assert.equal(changes.length, 30)
    assert.ok(seen.pages.some(({ more }) => more))
  }),

  test("goes on from any page, as often as one likes", function*(stage) {
    const { a, backend, task, time } = stage
    yield* a.attach
    const { all, page, seen } = reader(stage)
    const { cursor } = yield* page
    yield* a.commit(insert(task()))
    yield* a.commit(insert(task()), insert(task()))
    const first = yield* all
    const again = yield* backend.feed({ cursor, limit: 100, now: time.now })
    assert.deepEqual(again.changes, first)
    assert.equal(again.cursor, seen.cursor)
  }),

  test("says when what was to be read is forgotten", function*(stage) {
    const { a, b, backend, task, time } = stage
    yield* a.attach
    yield* b.attach
    const { all, page, seen } = reader(stage)
    yield* page
    const old = seen.cursor
    for (let round = 0; round < 3; round += 1) yield* a.commit(insert(task()))
    yield* b.commit(insert(task()))
    assert.equal((yield* all).length, 4)
    time.now += 11 * 60_000
    for (const one of [a, b]) yield* one.heartbeat
    yield* backend.maintain(time.now)
    yield* a.commit(insert(task()))
    const late = yield* backend.feed({ cursor: old, limit: 100, now: time.now })
    assert.deepEqual([late.changes, late.more, late.reset], [[], false, true])
    const record = task()
    yield* a.commit(insert(record))
    const next = yield* backend.feed({ cursor: late.cursor, limit: 100, now: time.now })
    assert.deepEqual([next.changes, next.reset], [[told(record, a, time.now)], false])
  }),

  test("wakes who follows it, for what is written here too", function*(stage) {
    const { a, backend, task } = stage
    yield* a.attach
    yield* reader(stage).page
    const woken = yield* Effect.fork(Stream.runHead(backend.hints("changes")))
    // It need not listen yet when the first is written.
    while (Option.isNone(yield* Fiber.poll(woken))) {
      yield* a.commit(insert(task()))
      yield* Effect.yieldNow()
    }
    assert.ok(Option.isSome(yield* Fiber.join(woken)))
  }),

  test("takes a cursor that is none of its own for one that is too old", function*(stage) {
    const { a, backend, task, time } = stage
    yield* a.commit(insert(task()))
    for (const cursor of ["", "0", "null", "[]", "{}", "[\"a\"]", "[1,2]", "[1,[\"a\",3]]", "a/1", "\u0000"]) {
      const page = yield* backend.feed({ cursor, limit: 100, now: time.now })
      assert.deepEqual([page.changes, page.reset], [[], true], cursor)
      assert.equal((yield* backend.feed({ cursor: page.cursor, limit: 1, now: time.now })).reset, false)
    }
  })
]
