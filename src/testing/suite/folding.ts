/**
 * `rollups` in the long run: how finely what is old is kept, how much is answered at most, and random ends against a model.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Runtime from "effect/Runtime"
import { finishes, insert, startedBy, succeed } from "./changes.js"
import { type End, rollupsOf } from "./rollupModel.js"
import { about, type Case } from "./stage.js"
import { always, hour, many, minute, runFor, total } from "./summing.js"

const test = about("folding")

interface EndOf {
  readonly wait: number
  readonly late: number
  readonly runs: number
  readonly delayed: boolean
  readonly name: string
  readonly status: keyof typeof finishes
}

export const cases: ReadonlyArray<Case> = [
  test("minutes are kept for three hours, hours for thirty days, and the sums of all time for ever", function*(stage) {
    const { backend, time } = stage
    time.now = Math.ceil(time.now / hour) * hour
    const from = time.now
    for (const wait of [0, minute, minute, hour]) {
      time.now += wait
      yield* runFor(stage, "send_email", wait / minute)
      yield* runFor(stage, "resize", 7)
    }
    const seen = (width = minute) =>
      Effect.map(backend.rollups({ since: from, until: time.now + 1, width }), (found) => many(found, from))
    const sums = yield* backend.rollups({ ...always, byTask: true })
    const stats = yield* backend.stats({})
    const last = hour + 2 * minute
    time.now = from + 3 * hour + minute
    yield* backend.maintain(time.now)
    assert.deepEqual(yield* seen(), [[0, 2], [minute, 2], [2 * minute, 2], [last, 2]], "kept for three hours")
    time.now += 2 * minute
    yield* backend.maintain(time.now)
    assert.deepEqual(yield* seen(), [[0, 6], [last, 2]], "at the beginning of their hour")
    time.now += 20 * hour
    yield* backend.maintain(time.now)
    yield* backend.maintain(time.now)
    assert.deepEqual(yield* seen(), [[0, 6], [hour, 2]])
    assert.deepEqual(
      yield* seen(24 * hour),
      many(yield* backend.rollups({ since: from, until: time.now + 1, width: 24 * hour }), from)
    )
    assert.deepEqual(yield* backend.rollups({ ...always, byTask: true }), sums, "nothing is lost")
    time.now = from + 31 * 24 * hour
    yield* backend.maintain(time.now)
    yield* backend.maintain(time.now)
    assert.deepEqual(yield* seen(24 * hour), [])
    assert.deepEqual(yield* backend.rollups({ since: 0, until: 1, width: 24 * hour, byTask: true }), sums)
    assert.deepEqual(yield* backend.stats({}), stats)
    // And what ends now is by the minute again.
    yield* runFor(stage, "resize", 0)
    assert.deepEqual(yield* seen(), [[Math.floor(time.now / minute) * minute - from, 1]])
  }),

  test("of more slots than 1,500 the last are answered, and odd numbers have an answer", function*(stage) {
    const { backend, time } = stage
    time.now = Math.ceil(time.now / hour) * hour
    const from = time.now
    yield* runFor(stage, "send_email", 0)
    time.now += minute
    yield* runFor(stage, "send_email", 0)
    const slots = (since: number, until: number, width: number) =>
      Effect.map(backend.rollups({ since, until, width }), (found) => many(found, from))
    assert.deepEqual(yield* slots(from, from + 1_500 * minute, minute), [[0, 1], [minute, 1]])
    assert.deepEqual(yield* slots(from, from + 1_501 * minute, minute), [[minute, 1]])
    assert.deepEqual(yield* slots(0, from + 2 * minute, minute), [[0, 1], [minute, 1]])
    assert.deepEqual(yield* slots(Number.NEGATIVE_INFINITY, from + 2 * minute, Number.POSITIVE_INFINITY), [[-from, 2]])
    assert.deepEqual(yield* slots(from + 0.5, from + 1.5, -5), [[0, 1]])
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.deepEqual(yield* slots(odd, from + hour, minute), [])
    }
    assert.deepEqual(yield* slots(from, Number.NaN, minute), [])
    assert.deepEqual(yield* slots(from, from + hour, Number.NaN), [])
    assert.deepEqual(yield* slots(from, Number.POSITIVE_INFINITY, minute), [])
  }),

  test("of more than a thousand names those with the most ends are answered", function*(stage) {
    const { a, backend, task, time } = stage
    const names = Array.from({ length: 1_001 }, (_, index) => `n${String(index).padStart(4, "0")}`)
    const twice = [...names, ...names].filter((_, index) => index !== 1_001 + 500)
    for (let from = 0; from < twice.length; from += 500) {
      const running = twice.slice(from, from + 500).map((taskName) => startedBy(task({ taskName }), a.id, time.now))
      yield* a.commit(...running.map(insert))
      yield* a.commit(...running.map((one) => succeed(one, time.now)))
    }
    const found = yield* backend.rollups({ ...always, byTask: true })
    assert.deepEqual(found.map(({ taskName }) => taskName), names.filter((name) => name !== "n0500"))
    assert.ok(found.every(({ ends }) => ends.success === 2))
    assert.equal((yield* total(stage)).ends.success, 2_001)
  }),

  test("random ends add up to what their records say", function*(stage) {
    const runtime = yield* Effect.runtime<never>()
    const end = FastCheck.record({
      wait: FastCheck.nat(90_000),
      late: FastCheck.nat(2_000),
      runs: FastCheck.nat(40_000),
      delayed: FastCheck.boolean(),
      name: FastCheck.constantFrom("send_email", "resize", "a \"b\""),
      status: FastCheck.constantFrom(...(["success", "failed", "interrupted", "cancelled"] as const))
    })
    const play = (ends: ReadonlyArray<EndOf>, width: number) =>
      Effect.gen(function*() {
        const { a, b, backend, task, time } = stage
        // Behind everything that ended before.
        time.now = (Math.floor(time.now / (24 * hour)) + 1) * 24 * hour
        const since = time.now
        const known: Array<End> = []
        for (const [index, one] of ends.entries()) {
          const by = index % 2 === 0 ? a : b
          const record = task({ taskName: one.name, runAt: one.delayed ? time.now + one.wait : null })
          time.now += one.wait + one.late
          const running = startedBy(record, by.id, time.now)
          yield* by.commit(insert(running))
          time.now += one.runs
          const change = finishes[one.status](running, time.now)
          yield* by.commit(change)
          known.push({ at: time.now, record: change.record })
        }
        for (const byTask of [false, true]) {
          for (const taskName of [undefined, "resize"]) {
            const query = { since, until: time.now + 1, width, byTask, taskName }
            assert.deepEqual(yield* backend.rollups(query), rollupsOf(known, query))
          }
        }
      })
    const property = FastCheck.asyncProperty(
      FastCheck.array(end, { minLength: 1, maxLength: 20 }),
      FastCheck.constantFrom(minute, 2 * minute, 15 * minute, hour),
      (ends, width) => Runtime.runPromise(runtime)(Effect.asVoid(play(ends, width)))
    )
    const details = yield* Effect.promise(() =>
      FastCheck.check(property, { numRuns: 30, interruptAfterTimeLimit: 5_000 })
    )
    if (details.failed) {
      assert.fail((yield* Effect.promise(() => FastCheck.asyncDefaultReportMessage(details))) ?? "failed")
    }
  })
]
