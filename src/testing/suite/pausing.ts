/**
 * `controls`: what is paused is not claimed, by nobody, until it is resumed.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import type { Control, ControlTarget } from "../../ControlStore.js"
import { maxPausedNames } from "../../ControlStore.js"
import { failAttempt, heldBy, insert, startedBy, succeed } from "./changes.js"
import { about, type Case, idsOf } from "./stage.js"

const test = about("pausing")

const named = (name: string): ControlTarget => ({ _tag: "Task", name })
const everything: ControlTarget = { _tag: "Everything" }

export const cases: ReadonlyArray<Case> = [
  test("a paused name is claimed by nobody, the others are", function*({ a, b, backend, task, time }) {
    const [mail, image] = [task(), task({ taskName: "resize" })]
    yield* a.commit(insert(mail), insert(image))
    assert.equal(yield* backend.controls.pause(named("send_email"), "anna", time.now), "Paused")
    const claimed = yield* b.claim({ send_email: [5, 5], resize: [5, 5] })
    assert.deepEqual([idsOf(claimed.started), claimed.pending, claimed.more], [[image.taskId], [], []])
    assert.deepEqual((yield* a.claim({ send_email: [0, 5] })).pending, [])
    assert.equal(yield* backend.controls.resume(named("send_email")), true)
    assert.deepEqual(idsOf((yield* a.claim({ send_email: [5, 0] })).started), [mail.taskId])
  }),

  test("everything paused is every name, and a name of its own stays paused behind it", function*(stage) {
    const { a, backend, task, time } = stage
    const [mail, image] = [task(), task({ taskName: "resize" })]
    yield* a.commit(insert(mail), insert(image))
    yield* backend.controls.pause(named("resize"), "anna", time.now)
    assert.equal(yield* backend.controls.pause(everything, "anna", time.now), "Paused")
    const { more, pending, started } = yield* a.claim({ send_email: [5, 5], resize: [5, 5] })
    assert.deepEqual([started, pending, more], [[], [], []])
    assert.equal(yield* backend.controls.resume(everything), true)
    assert.deepEqual(idsOf((yield* a.claim({ send_email: [5, 5], resize: [5, 5] })).started), [mail.taskId])
    yield* backend.controls.resume(named("resize"))
    assert.deepEqual(idsOf((yield* a.claim({ resize: [5, 5] })).started), [image.taskId])
  }),

  test("a name like any other is not everything", function*({ a, backend, task, time }) {
    for (const taskName of ["", "*", "everything", "Send_email", "send_email "]) {
      yield* backend.controls.pause(named(taskName), "anna", time.now)
    }
    const mail = task()
    yield* a.commit(insert(mail))
    assert.deepEqual(idsOf((yield* a.claim({ send_email: [1, 0] })).started), [mail.taskId])
  }),

  test("what waits for its time or its next attempt is not claimed while it is paused", function*(stage) {
    const { a, backend, task, time } = stage
    const delayed = task({ runAt: time.now + 100 })
    const running = yield* a.run()
    yield* a.commit(insert(delayed), failAttempt(running, time.now, time.now + 50))
    yield* backend.controls.pause(named("send_email"), "anna", time.now)
    time.now += 100
    assert.deepEqual((yield* a.claim({ send_email: [5, 5] })).started, [])
    yield* backend.controls.resume(named("send_email"))
    const { started } = yield* a.claim({ send_email: [5, 5] })
    assert.deepEqual(new Set(idsOf(started)), new Set([running.taskId, delayed.taskId]))
  }),

  test("what another instance holds is not taken over while it is paused", function*({ a, b, backend, task, time }) {
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    yield* backend.controls.pause(named("send_email"), "anna", time.now)
    time.now += 10_000
    const steal = b.claim({ send_email: [1, 0] }, { stealAfter: 1_000 })
    assert.deepEqual((yield* steal).started, [])
    yield* backend.controls.resume(named("send_email"))
    assert.deepEqual(idsOf((yield* steal).started), [held.taskId])
  }),

  test("what runs goes on, and writes do what they are told", function*({ a, backend, get, task, time }) {
    const running = yield* a.run()
    yield* backend.controls.pause(everything, "anna", time.now)
    const end = succeed(running, time.now)
    const handed = startedBy(task(), a.id, time.now)
    yield* a.commit(end, insert(handed), insert(heldBy(task(), a.id)), insert(task()))
    assert.deepEqual(yield* get(running), end.record)
    assert.deepEqual(yield* get(handed), handed)
  }),

  test("a heartbeat tells what is paused", function*({ a, backend, time }) {
    yield* a.attach
    const paused = Effect.map(a.heartbeat, (beat) => ({ ...beat.paused, names: [...beat.paused.names].sort() }))
    assert.deepEqual(yield* paused, { everything: false, names: [] })
    yield* backend.controls.pause(named("b"), "anna", time.now)
    yield* backend.controls.pause(named("a"), "anna", time.now)
    assert.deepEqual(yield* paused, { everything: false, names: ["a", "b"] })
    yield* backend.controls.pause(everything, "anna", time.now)
    yield* backend.controls.resume(named("b"))
    assert.deepEqual(yield* paused, { everything: true, names: ["a"] })
    yield* backend.controls.resume(everything)
    yield* backend.controls.resume(named("a"))
    assert.deepEqual(yield* paused, { everything: false, names: [] })
  }),

  test("the list says what, since when, by whom, the latest first", function*({ backend, time }) {
    assert.deepEqual(yield* backend.controls.list, [])
    const expected: Array<Control> = []
    for (const target of [named("a\u0000\ud800"), everything, named("b")]) {
      time.now += 10
      yield* backend.controls.pause(target, "anna \ud83d\ude00", time.now)
      expected.unshift({ target, since: time.now, by: "anna \ud83d\ude00" })
    }
    assert.deepEqual(yield* backend.controls.list, expected)
    assert.equal(yield* backend.controls.resume(everything), true)
    assert.deepEqual(yield* backend.controls.list, expected.filter(({ target }) => target._tag === "Task"))
  }),

  test("paused twice is paused once, by the first; resumed twice is resumed once", function*({ backend, time }) {
    for (const target of [named("a"), everything]) {
      const answers = yield* Effect.all(
        ["anna", "ben", "carl"].map((by) => backend.controls.pause(target, by, time.now)),
        { concurrency: "unbounded" }
      )
      assert.deepEqual([...answers].sort(), ["AlreadyPaused", "AlreadyPaused", "Paused"])
      const [{ by, since } = { by: "", since: 0 }] = yield* backend.controls.list
      time.now += 10
      assert.equal(yield* backend.controls.pause(target, "dora", time.now), "AlreadyPaused")
      assert.deepEqual(yield* backend.controls.list, [{ target, since, by }])
      assert.deepEqual([yield* backend.controls.resume(target), yield* backend.controls.resume(target)], [true, false])
      assert.deepEqual(yield* backend.controls.list, [])
    }
  }),

  test("of names, a thousand can be paused", function*({ a, backend, time }) {
    yield* a.attach
    for (let n = 0; n < maxPausedNames; n += 1) {
      assert.equal(yield* backend.controls.pause(named(`task_${n}`), "anna", time.now), "Paused")
    }
    assert.equal(yield* backend.controls.pause(named("one_more"), "anna", time.now), "TooMany")
    assert.equal(yield* backend.controls.pause(named("task_7"), "anna", time.now), "AlreadyPaused")
    assert.equal(yield* backend.controls.pause(everything, "anna", time.now), "Paused")
    assert.equal((yield* a.heartbeat).paused.names.length, maxPausedNames)
    yield* backend.controls.resume(named("task_7"))
    assert.equal(yield* backend.controls.pause(named("one_more"), "anna", time.now), "Paused")
  })
]
