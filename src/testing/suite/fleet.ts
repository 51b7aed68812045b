/** The instances as people see them: how each is doing, and asking one to claim nothing more. */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import { InstanceId } from "../../TaskEvent.js"
import type { InstanceInfo, Vitals } from "../../TaskPeer.js"
import { hostile } from "./hostile.js"
import { about, type Case, type Instance, type Stage } from "./stage.js"

const test = about("the fleet")

const vitals = (active: number): Vitals => ({ slots: { max: 50, active }, waiting: 7, lag: 12.5, tasks: ["a", "é 💥"] })

const listed = ({ backend }: Stage, { id }: Instance) =>
  Effect.map(backend.instances, (all) => all.find((one) => one.id === id))

const states = (info: InstanceInfo | undefined) => info && [info.state, info.beat, info.beatAt, info.draining]

export const cases: ReadonlyArray<Case> = [
  test("an instance is listed with what it says of itself", function*(stage) {
    const { backend, instance, time } = stage
    const [plain, full] = [instance(), instance()]
    yield* plain.attach
    const facts = { ...full.facts, versions: { app: "1.2.3-é", taskflow: "0.1.0" } }
    yield* backend.attach(facts, time.now)
    assert.deepEqual(yield* listed(stage, full), {
      ...facts,
      state: "live",
      beat: 0,
      beatAt: time.now,
      vitals: null,
      draining: false
    })
    time.now += 10_000
    yield* backend.heartbeat(full.id, time.now, vitals(3))
    assert.deepEqual((yield* listed(stage, full))?.vitals, vitals(3))
    time.now += 10_000
    yield* backend.heartbeat(full.id, time.now)
    assert.deepEqual((yield* listed(stage, full))?.vitals, vitals(3), "they stay as they were last told")
    assert.deepEqual(states(yield* listed(stage, full)), ["live", 2, time.now, false])
    assert.deepEqual(states(yield* listed(stage, plain)), ["live", 0, time.now - 20_000, false])
  }),

  test("one that died is listed until its tasks are given back, one that left is not", function*(stage) {
    const { a, b, backend, bury, time } = stage
    yield* a.run()
    yield* a.run()
    yield* b.attach
    yield* b.detach
    assert.equal(yield* listed(stage, b), undefined)
    yield* backend.reap({ suspect: a.id, beat: 0, now: time.now, limit: 1 })
    assert.deepEqual(states(yield* listed(stage, a)), ["dead", 0, time.now, false])
    yield* bury(a)
    assert.equal(yield* listed(stage, a), undefined)
  }),

  test("a drained instance hears of it with every heartbeat, until it is to go on", function*(stage) {
    const { a, b, backend, task, time } = stage
    yield* a.attach
    yield* b.attach
    assert.equal((yield* a.heartbeat).draining, false)
    assert.equal(yield* backend.drain(a.id, true), true)
    for (let times = 0; times < 2; times += 1) assert.equal((yield* a.heartbeat).draining, true)
    assert.equal((yield* b.heartbeat).draining, false)
    assert.deepEqual(states(yield* listed(stage, a)), ["live", 3, time.now, true])
    // It is asked, not fenced.
    yield* a.commit({ _tag: "Insert", record: task() })
    assert.equal(yield* backend.drain(a.id, true), true)
    assert.equal(yield* backend.drain(a.id, false), true)
    assert.equal((yield* a.heartbeat).draining, false)
    assert.equal((yield* listed(stage, a))?.draining, false)
  }),

  test("only who is alive can be drained", function*(stage) {
    const { a, b, backend, bury, instance } = stage
    assert.equal(yield* backend.drain(instance().id, true), false)
    for (const id of hostile) assert.equal(yield* backend.drain(InstanceId.make(id), true), false, id)
    yield* a.attach
    yield* bury(a)
    assert.equal(yield* backend.drain(a.id, true), false)
    yield* b.attach
    yield* b.detach
    assert.equal(yield* backend.drain(b.id, true), false)
  })
]
