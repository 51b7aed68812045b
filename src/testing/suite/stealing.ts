/**
 * `stealAfter`: an idle instance starts what another holds in its window and does not start.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import { claimedAndStarted, failAttempt, heldBy, insert, start, startedBy, succeed, unclaim } from "./changes.js"
import { about, applied, type Case, idsOf, lost } from "./stage.js"

const test = about("stealing")

const atOnce = { concurrency: "unbounded" } as const
const nothing = { started: [], pending: [], more: [], nextDueAt: null, joined: [] }
const late = { stealAfter: 1_000 }

export const cases: ReadonlyArray<Case> = [
  test("what was not started for longer is taken over, started", function*({ a, b, get, task, time }) {
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    time.now += 1_000
    assert.deepEqual(yield* b.claim({ send_email: [1, 1] }, late), nothing)
    assert.deepEqual(yield* get(held), held)
    time.now += 1
    const expected = claimedAndStarted(held, b.id, time.now)
    assert.deepEqual(yield* b.claim({ send_email: [1, 1] }, late), { ...nothing, started: [expected] })
    assert.deepEqual([expected.owner, expected.claim, expected.attempts], [b.id, 2, 1])
    assert.deepEqual(yield* get(held), expected)
  }),

  test("who held it before can do nothing with it any more", function*({ a, b, get, task, time }) {
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    time.now += 2_000
    const { started } = yield* b.claim({ send_email: [1, 0] }, late)
    for (const change of [start(held, time.now), unclaim(held), succeed(start(held, time.now).record, time.now)]) {
      assert.deepEqual(yield* a.write(change), [lost])
      assert.deepEqual(yield* get(held), started[0])
    }
    const end = succeed(started[0]!, time.now)
    yield* b.commit(end)
    assert.deepEqual(yield* get(held), end.record)
  }),

  test("a one-off effect is left where its code is", function*({ a, b, get, task, time }) {
    const held = heldBy(task({ kind: "effect" }), a.id)
    yield* a.commit(insert(held))
    time.now += 86_400_000
    assert.deepEqual(yield* b.claim({ send_email: [9, 9] }, late), nothing)
    yield* a.commit(start(held, time.now))
    assert.equal((yield* get(held)).owner, a.id)
  }),

  test("nothing is taken over unless it is asked for", function*({ a, b, get, task, time }) {
    const held = heldBy(task(), a.id)
    yield* a.commit(insert(held))
    time.now += 86_400_000
    assert.deepEqual(yield* b.claim({ send_email: [9, 9] }), nothing)
    yield* a.commit(start(held, time.now))
    assert.equal((yield* get(held)).owner, a.id)
  }),

  test("nothing is taken over into a window", function*({ a, b, get, task, time }) {
    const held = [heldBy(task(), a.id), heldBy(task(), a.id)]
    yield* a.commit(...held.map(insert))
    time.now += 2_000
    assert.deepEqual(yield* b.claim({ send_email: [0, 9] }, late), nothing)
    assert.deepEqual(yield* b.claim({ send_email: [9, 9] }, { ...late, slots: 0 }), nothing)
    const { pending, started } = yield* b.claim({ send_email: [1, 9] }, late)
    assert.deepEqual([started.length, pending.length], [1, 0])
    assert.deepEqual(yield* get(held[1]!), held[1])
  }),

  test("what is ready goes first; only slots that are left take over", function*({ a, b, get, task, time }) {
    const held = heldBy(task({ priority: 9 }), a.id)
    const ready = [task(), task()]
    yield* a.commit(insert(held), ...ready.map(insert))
    time.now += 2_000
    const first = yield* b.claim({ send_email: [1, 0] }, late)
    assert.deepEqual([idsOf(first.started), first.more], [[ready[0]!.taskId], ["send_email"]])
    const second = yield* b.claim({ send_email: [2, 0] }, late)
    assert.deepEqual([...idsOf(second.started)].sort(), [...idsOf([held, ready[1]!])].sort())
    assert.deepEqual(second.more, [])
    assert.equal((yield* get(held)).owner, b.id)
  }),

  test("by priority, then arrival, within both bounds", function*({ a, b, instance, task, time }) {
    const c = instance()
    const [low, high, first, second, other] = [
      heldBy(task({ priority: -5 }), a.id),
      heldBy(task({ priority: 5 }), c.id),
      heldBy(task(), a.id),
      heldBy(task(), c.id),
      heldBy(task({ taskName: "resize" }), a.id)
    ]
    for (const held of [low, high, first, second, other]) yield* (held.owner === a.id ? a : c).commit(insert(held))
    time.now += 2_000
    const claim = (slots: number, resize: number, all = 9) =>
      Effect.map(b.claim({ send_email: [slots, 0], resize: [resize, 0] }, { ...late, slots: all }), (claimed) => {
        assert.deepEqual(claimed.more, [], "what others hold is not ready")
        return idsOf(claimed.started)
      })
    assert.deepEqual(yield* claim(1, 0), [high.taskId])
    assert.deepEqual(yield* claim(9, 9, 1), [first.taskId])
    assert.deepEqual(yield* claim(1, 1), idsOf([second, other]))
    assert.deepEqual(yield* claim(9, 9), [low.taskId])
  }),

  test("only of names and versions that were asked for", function*({ a, b, task, time }) {
    const newer = heldBy(task({ definitionVersion: 2 }), a.id)
    yield* a.commit(insert(newer), insert(heldBy(task({ taskName: "resize" }), a.id)))
    time.now += 2_000
    assert.deepEqual(yield* b.claim({ send_email: [9, 9] }, late), nothing)
    assert.deepEqual(idsOf((yield* b.claim({ send_email: [9, 9, 2] }, late)).started), [newer.taskId])
  }),

  test("neither one's own window nor what runs", function*({ a, b, task, time }) {
    const mine = heldBy(task(), b.id)
    yield* b.commit(insert(mine))
    yield* a.commit(insert(startedBy(task(), a.id, time.now)))
    time.now += 2_000
    assert.deepEqual(yield* b.claim({ send_email: [9, 9] }, late), nothing)
    yield* b.commit(start(mine, time.now))
  }),

  test("also what waits for a further attempt in a window", function*({ a, b, get, time }) {
    const running = yield* a.run()
    yield* a.commit(failAttempt(running, time.now, time.now))
    const { pending } = yield* a.claim({ send_email: [0, 1] })
    time.now += 2_000
    const expected = claimedAndStarted(pending[0]!, b.id, time.now)
    assert.deepEqual((yield* b.claim({ send_email: [1, 0] }, late)).started, [expected])
    assert.deepEqual([expected.attempts, expected.claim], [2, 3])
    assert.deepEqual(yield* get(running), expected)
  }),

  test("what counts is how long it has been in that window", function*({ a, b, task, time }) {
    const record = task()
    yield* a.commit(insert(record))
    for (let round = 0; round < 2; round += 1) {
      time.now += 5_000
      const { pending } = yield* a.claim({ send_email: [0, 1] })
      time.now += 900
      assert.deepEqual(yield* b.claim({ send_email: [1, 1] }, late), nothing)
      if (round === 0) yield* a.commit(unclaim(pending[0]!))
    }
    time.now += 101
    assert.deepEqual(idsOf((yield* b.claim({ send_email: [1, 1] }, late)).started), [record.taskId])
  }),

  test("what its owner means to keep for a while is left alone until then", function*({ a, b, get, task, time }) {
    const kept = heldBy(task(), a.id)
    const keyed = heldBy(task({ idempotencyKey: "k" }), a.id)
    yield* a.commit({ ...insert(kept), heldUntil: time.now + 60_000 })
    yield* a.commit({ ...insert(keyed), heldUntil: time.now + 60_000 })
    assert.deepEqual(yield* get(kept), kept, "the record says nothing of it")
    time.now += 61_000
    assert.deepEqual(yield* b.claim({ send_email: [9, 9] }, late), nothing)
    time.now += 1
    const { started } = yield* b.claim({ send_email: [9, 9] }, late)
    assert.deepEqual([...idsOf(started)].sort(), idsOf([kept, keyed]))
  }),

  test("what was kept is ready at once when it is given back", function*({ a, b, bury, task, time }) {
    const [kept, orphan] = [heldBy(task(), a.id), heldBy(task(), a.id)]
    yield* a.commit(...[kept, orphan].map((one) => ({ ...insert(one), heldUntil: time.now + 3_600_000 })))
    yield* a.commit(unclaim(kept))
    assert.deepEqual(idsOf((yield* b.claim({ send_email: [9, 9] })).started), [kept.taskId])
    yield* bury(a)
    assert.deepEqual(idsOf((yield* b.claim({ send_email: [9, 9] })).started), [orphan.taskId])
  }),

  test("a task is taken over once, however many ask", function*({ a, instance, task, time }) {
    const held = Array.from({ length: 9 }, () => heldBy(task(), a.id))
    yield* a.commit(...held.map(insert))
    time.now += 2_000
    const thieves = Array.from({ length: 4 }, instance)
    yield* Effect.forEach(thieves, ({ attach }) => attach)
    const claimed = yield* Effect.forEach(thieves, (thief) => thief.claim({ send_email: [9, 0] }, late), atOnce)
    let taken = claimed.flatMap(({ started }) => started)
    // A backend may leave alone what another is just taking.
    taken = [...taken, ...(yield* thieves[0]!.claim({ send_email: [9, 0] }, late)).started]
    assert.deepEqual([...idsOf(taken)].sort(), idsOf(held))
    for (const { claim } of taken) assert.equal(claim, 2)
  }),

  test("a take-over and a start at once: one of them has it", function*({ a, b, get, task, time }) {
    for (let round = 0; round < 10; round += 1) {
      const held = heldBy(task(), a.id)
      yield* a.commit(insert(held))
      time.now += 2_000
      const begun = start(held, time.now)
      const [[outcome], { started }] = yield* Effect.all(
        [a.write(begun), b.claim({ send_email: [1, 0] }, late)],
        atOnce
      )
      assert.deepEqual(outcome, started.length === 0 ? applied : lost)
      const winner = started[0] ?? begun.record
      assert.deepEqual(yield* get(held), winner)
      yield* (started.length === 0 ? a : b).commit(succeed(winner, time.now))
    }
  })
]
