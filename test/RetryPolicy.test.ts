import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, FastCheck as fc, Fiber, Option, Random, Ref, Schedule, TestClock } from "effect"
import * as RetryPolicy from "../src/RetryPolicy.js"
import { TaskDefect, TaskTimeout } from "../src/TaskError.js"

type Input = RetryPolicy.RetryInput<string>
type Policy = RetryPolicy.Retry<string>

const longEnough = Duration.days(365)

/** When `Effect.retry` ran an effect that takes `work` ms and fails with each error in turn (the last one for ever). */
const failuresUnderRetry = (
  schedule: Schedule.Schedule<unknown, Input>,
  errors: ReadonlyArray<Input>,
  work: (run: number) => number = () => 0
) =>
  Effect.gen(function*() {
    const failures = yield* Ref.make<ReadonlyArray<RetryPolicy.PastFailure<string>>>([])
    const attempt = Effect.gen(function*() {
      const run = (yield* Ref.get(failures)).length
      const takes = work(run)
      if (takes > 0) yield* Effect.sleep(takes)
      const at = yield* Clock.currentTimeMillis
      const error = errors[Math.min(run, errors.length - 1)]!
      yield* Ref.update(failures, (all) => [...all, { at, error }])
      return yield* Effect.fail(error)
    })
    const fiber = yield* Effect.fork(Effect.exit(Effect.retry(attempt, schedule)))
    yield* TestClock.adjust(longEnough)
    expect(Exit.isFailure(yield* Fiber.join(fiber))).toBe(true)
    return yield* Ref.get(failures)
  })

/** What the data form says after each of these failures, in a row; ends with the first None. */
const delaysOf = (policy: Policy, errors: ReadonlyArray<Input>, random = () => 0.5) =>
  Effect.gen(function*() {
    const past: Array<RetryPolicy.PastFailure<string>> = []
    const delays: Array<number> = []
    let at = 0
    for (let failures = 1; failures < 100; failures += 1) {
      const last = { at, error: errors[Math.min(failures, errors.length) - 1]! }
      const delay = yield* RetryPolicy.next(policy, { failures, past: [...past], last, random })
      if (Option.isNone(delay)) return delays
      delays.push(delay.value)
      past.push(last)
      at += delay.value
    }
    return delays
  })

const gapsOf = (failures: ReadonlyArray<RetryPolicy.PastFailure<string>>, work: (run: number) => number = () => 0) =>
  failures.slice(1).map(({ at }, index) => at - failures[index]!.at - work(index + 1))

const closeTo = (actual: ReadonlyArray<number>, expected: ReadonlyArray<number>) => {
  expect(actual).toHaveLength(expected.length)
  actual.forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 2))
}

const options = fc.record({
  retries: fc.nat({ max: 5 }),
  delay: fc.option(fc.nat({ max: 5_000 }), { nil: undefined }),
  backoff: fc.option(fc.constantFrom(0, 0.5, 1, 1.5, 2, 3), { nil: undefined }),
  maxDelay: fc.option(fc.nat({ max: 8_000 }), { nil: undefined })
})

describe("RetryPolicy", () => {
  describe("data form", () => {
    it.effect("3 retries, 1 second, backoff 2: waits 1, 2, 4 seconds, then stops", () =>
      Effect.gen(function*() {
        const policy = { retries: 3, delay: "1 second", backoff: 2 } as const
        expect(yield* delaysOf(policy, ["boom"])).toEqual([1_000, 2_000, 4_000])
        expect(gapsOf(yield* failuresUnderRetry(RetryPolicy.toSchedule(policy), ["boom"]))).toEqual([
          1_000,
          2_000,
          4_000
        ])
      }))

    it.effect("by default waits nothing, evenly; without retries there is none", () =>
      Effect.gen(function*() {
        expect(yield* delaysOf({ retries: 2 }, ["boom"])).toEqual([0, 0])
        expect(yield* delaysOf({ retries: 3, delay: "2 seconds" }, ["boom"])).toEqual([2_000, 2_000, 2_000])
        expect(yield* delaysOf({ retries: 0 }, ["boom"])).toEqual([])
        expect(yield* delaysOf(RetryPolicy.none, ["boom"])).toEqual([])
      }))

    it.effect("no wait is longer than maxDelay", () =>
      Effect.gen(function*() {
        const policy = { retries: 4, delay: "1 second", backoff: 3, maxDelay: "5 seconds" } as const
        expect(yield* delaysOf(policy, ["boom"])).toEqual([1_000, 3_000, 5_000, 5_000])
      }))

    it.effect.prop("jitter is a factor from 0.8 to 1.2, also after the cap", [
      options,
      fc.integer({ min: 1, max: 5 }),
      fc.double({ min: 0, max: 1, noNaN: true })
    ], ([data, failures, draw]) =>
      Effect.gen(function*() {
        const at = (random: number) =>
          RetryPolicy.next({ ...data, jitter: true }, {
            failures,
            past: [],
            last: { at: 0, error: "boom" },
            random: () => random
          })
        const plain = RetryPolicy.delayMillis(data, failures)
        if (failures > data.retries) {
          expect(yield* at(draw)).toEqual(Option.none())
          return
        }
        expect(plain).toBeLessThanOrEqual(data.maxDelay ?? Number.POSITIVE_INFINITY)
        expect(Option.getOrThrow(yield* at(0))).toBeCloseTo(plain * 0.8, 6)
        expect(Option.getOrThrow(yield* at(1))).toBeCloseTo(plain * 1.2, 6)
        expect(Option.getOrThrow(yield* at(draw))).toBeCloseTo(plain * (0.8 + 0.4 * draw), 6)
      }))

    it.effect("is not drawn without jitter", () =>
      Effect.gen(function*() {
        const random = () => {
          throw new Error("drawn")
        }
        expect(yield* delaysOf({ retries: 1, delay: 10 }, ["boom"], random)).toEqual([10])
      }))

    it.prop("every wait is a time: a number from 0, however many retries", [
      fc.constantFrom(0, 1, 1_000, Number.POSITIVE_INFINITY),
      fc.oneof(fc.constantFrom(0, 1, 2), fc.double({ min: 0, noNaN: true })),
      fc.option(fc.nat(), { nil: undefined }),
      fc.integer({ min: 1, max: 100_000 })
    ], ([delay, backoff, maxDelay, n]) => {
      const wait = RetryPolicy.delayMillis({ retries: n, delay, backoff, maxDelay }, n)
      expect(Number.isFinite(wait) && wait >= 0).toBe(true)
    })
  })

  describe("while", () => {
    const onlySoft = (error: Input) => error === "soft"
    const hardAfterTwo: ReadonlyArray<Input> = ["soft", "soft", "hard"]

    it.effect("ends the task at the first error it refuses, in the data form and as a Schedule", () =>
      Effect.gen(function*() {
        const policy = { retries: 5, delay: 100, while: onlySoft }
        expect(yield* delaysOf(policy, hardAfterTwo)).toEqual([100, 100])
        expect(gapsOf(yield* failuresUnderRetry(RetryPolicy.toSchedule(policy), hardAfterTwo))).toEqual([100, 100])
        expect(yield* delaysOf(policy, ["hard"])).toEqual([])
        expect(yield* failuresUnderRetry(RetryPolicy.toSchedule(policy), ["hard"])).toHaveLength(1)
      }))

    it.effect("is asked about timeouts and defects too", () =>
      Effect.gen(function*() {
        const seen: Array<Input> = []
        const policy = {
          retries: 9,
          while: (error: Input) => {
            seen.push(error)
            return !(error instanceof TaskDefect)
          }
        }
        const timeout = new TaskTimeout({ millis: 5 })
        const defect = new TaskDefect({ name: "TypeError", message: "x" })
        expect(yield* delaysOf(policy, ["typed", timeout, defect])).toEqual([0, 0])
        expect(seen).toEqual(["typed", timeout, defect])
      }))
  })

  describe("toSchedule", () => {
    it.effect.prop(
      "runs at the times the data form says",
      [options, fc.array(fc.constantFrom("soft", "hard"), { minLength: 1, maxLength: 5 }), fc.boolean()],
      ([data, errors, picky]) =>
        Effect.gen(function*() {
          const policy = { ...data, ...(picky ? { while: (error: Input) => error === "soft" } : {}) }
          const gaps = gapsOf(yield* failuresUnderRetry(RetryPolicy.toSchedule(policy), errors))
          closeTo(gaps, yield* delaysOf(policy, errors))
        }),
      { fastCheck: { numRuns: 25 } }
    )

    it.effect.prop(
      "draws the same jitter from the same random",
      [options, fc.constantFrom(0, 0.25, 0.5, 0.9)],
      ([data, draw]) =>
        Effect.gen(function*() {
          const policy = { ...data, jitter: true }
          const gaps = gapsOf(
            yield* Effect.withRandom(
              failuresUnderRetry(RetryPolicy.toSchedule(policy), ["boom"]),
              Random.fixed([draw])
            )
          )
          closeTo(gaps, yield* delaysOf(policy, ["boom"], () => draw))
        }),
      { fastCheck: { numRuns: 10 } }
    )

    it.effect("keeps jitter within 0.8 and 1.2 of each wait", () =>
      Effect.gen(function*() {
        const policy = { retries: 30, delay: 1_000, jitter: true } as const
        const gaps = gapsOf(yield* failuresUnderRetry(RetryPolicy.toSchedule(policy), ["boom"]))
        expect(gaps).toHaveLength(30)
        expect(Math.min(...gaps)).toBeGreaterThanOrEqual(800)
        expect(Math.max(...gaps)).toBeLessThanOrEqual(1_200)
        expect(new Set(gaps).size).toBeGreaterThan(5)
      }))
  })

  describe("a Schedule given directly", () => {
    const schedules: ReadonlyArray<readonly [string, Schedule.Schedule<unknown, Input>]> = [
      ["exponential ∩ recurs", Schedule.exponential("100 millis").pipe(Schedule.intersect(Schedule.recurs(5)))],
      [
        "exponential ∪ spaced, 8 times",
        Schedule.exponential("1 second").pipe(
          Schedule.union(Schedule.spaced("5 seconds")),
          Schedule.intersect(Schedule.recurs(8))
        )
      ],
      [
        "recurs while the error is soft",
        Schedule.recurs(20).pipe(
          Schedule.addDelay(() => "1 second"),
          Schedule.whileInput((error: Input) => error === "soft")
        )
      ],
      ["spaced until 10 seconds are over", Schedule.spaced("1500 millis").pipe(Schedule.upTo("10 seconds"))],
      ["fixed", Schedule.fixed("1 second").pipe(Schedule.intersect(Schedule.recurs(4)))],
      ["fibonacci", Schedule.fibonacci("1 second").pipe(Schedule.intersect(Schedule.recurs(6)))],
      [
        "one after the other",
        Schedule.recurs(2).pipe(Schedule.andThen(Schedule.spaced("1 minute")), Schedule.upTo("5 minutes"))
      ],
      ["never", Schedule.stop],
      [
        "the data form",
        RetryPolicy.toSchedule({ retries: 3, delay: "1 second", backoff: 2, while: (e) => e === "soft" })
      ]
    ]

    for (const [name, schedule] of schedules) {
      it.effect.prop(
        `replayed through its past gives what Effect.retry does: ${name}`,
        [
          fc.array(fc.constantFrom("soft", "soft", "soft", "hard"), { minLength: 1, maxLength: 12 }),
          fc.array(fc.nat({ max: 2_500 }), { minLength: 1, maxLength: 12 })
        ],
        ([errors, takes]) =>
          Effect.gen(function*() {
            const work = (run: number) => takes[run % takes.length]!
            const failures = yield* failuresUnderRetry(schedule, errors, work)
            const delays: Array<Option.Option<number>> = []
            for (let index = 0; index < failures.length; index += 1) {
              delays.push(
                yield* RetryPolicy.next(schedule, {
                  failures: index + 1,
                  past: failures.slice(0, index),
                  last: failures[index]!,
                  random: () => 0.5
                })
              )
            }
            const gaps = gapsOf(failures, work)
            closeTo(delays.slice(0, -1).map(Option.getOrThrow), gaps)
            expect(delays.at(-1)).toEqual(Option.none())
          }),
        { fastCheck: { numRuns: 6 } }
      )
    }

    it.effect("that ended in the past does not begin again", () =>
      Effect.gen(function*() {
        const schedule = Schedule.recurs(1)
        const past = [0, 1, 2].map((at) => ({ at, error: "boom" }))
        const last = { at: 3, error: "boom" }
        expect(yield* RetryPolicy.next(schedule, { failures: 4, past, last, random: () => 0 })).toEqual(Option.none())
      }))

    it("is the only form that needs its past", () => {
      expect(RetryPolicy.needsHistory(Schedule.recurs(1))).toBe(true)
      expect(RetryPolicy.needsHistory({ retries: 1 })).toBe(false)
    })
  })

  describe("problemOf", () => {
    it.each([
      [{ retries: -1 }, "retry.retries is -1: a whole number from 0"],
      [{ retries: 1.5 }, "retry.retries is 1.5: a whole number from 0"],
      [{ retries: Number.NaN }, "retry.retries is NaN: a whole number from 0"],
      [{ retries: Number.POSITIVE_INFINITY }, "retry.retries is Infinity: a whole number from 0"],
      [{ retries: 1, backoff: -1 }, "retry.backoff is -1: a number from 0"],
      [{ retries: 1, backoff: Number.NaN }, "retry.backoff is NaN: a number from 0"],
      [{ retries: 1, delay: "5 parsecs" as never }, "retry.delay is \"5 parsecs\": a duration, as \"1 second\""],
      [{ retries: 1, maxDelay: "soon" as never }, "retry.maxDelay is \"soon\": a duration, as \"1 second\""]
    ])("%o", (policy, problem) => {
      expect(RetryPolicy.problemOf(policy)).toEqual(Option.some(problem))
    })

    it.each([
      [{ retries: 0 }],
      [{ retries: 3, backoff: 0 }],
      [{ retries: 3, backoff: undefined, delay: undefined, jitter: true }],
      [Schedule.forever]
    ])("%o is fine", (policy) => {
      expect(RetryPolicy.problemOf(policy as Policy)).toEqual(Option.none())
    })
  })

  describe("warningOf", () => {
    it("speaks of a bare number under 100: milliseconds here, seconds elsewhere", () => {
      expect(RetryPolicy.warningOf({ retries: 1, delay: 1 })).toEqual(
        Option.some("retry.delay is the bare number 1, which is 1 ms: write a unit, as \"1 second\"")
      )
      expect(Option.isSome(RetryPolicy.warningOf({ retries: 1, delay: 99 }))).toBe(true)
    })

    it.each([
      [{ retries: 1 }],
      [{ retries: 1, delay: 0 }],
      [{ retries: 1, delay: 100 }],
      [{ retries: 1, delay: "1 millis" }],
      [Schedule.spaced(1)]
    ])("says nothing of %o", (policy) => {
      expect(RetryPolicy.warningOf(policy as Policy)).toEqual(Option.none())
    })
  })
})
