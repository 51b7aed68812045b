/** Carries a plan out. */
import { Console, Effect, Exit } from "effect"
import type { Fault, World } from "../faults/Fault.js"
import type { Strike } from "./plan.js"
import { random } from "./random.js"
import type { Inflicted } from "./result.js"
import { realNow } from "./witness.js"

const sleepUntil = (moment: number) => Effect.suspend(() => Effect.sleep(Math.max(0, moment - realNow())))

/**
 * Returns when the last one is over. One that takes longer than planned delays the ones behind it; those that fall into another one
 * wait for nobody.
 */
export const carryOut = (options: {
  readonly plan: ReadonlyArray<Strike>
  readonly faults: ReadonlyArray<Fault>
  readonly world: World
  readonly verbose: boolean
  /** Milliseconds behind its time after which a fault is left out: a machine that is too slow for the plan ends all the same. */
  readonly tooLate: number
}) =>
  Effect.gen(function*() {
    const { faults, plan, tooLate, verbose, world } = options
    const begun = realNow()
    const inflicted: Array<Inflicted> = []
    const problems: Array<string> = []
    let skipped = 0

    const strike = ({ at, fault, lasts, seed, slot }: Strike) =>
      Effect.gen(function*() {
        const one = faults.find(({ name }) => name === fault)!
        yield* sleepUntil(begun + at)
        const from = realNow()
        if (from - begun - at > tooLate) {
          skipped += 1
          return
        }
        if (verbose) yield* Console.error(`${from - begun} ms: ${fault} on ${slot} for ${lasts} ms`)
        const exit = yield* Effect.exit(Effect.scoped(
          Effect.zipRight(one.inflict(world, { slot, lasts, random: random(seed) }), Effect.sleep(lasts))
        ))
        if (Exit.isFailure(exit)) problems.push(`the fault ${fault} could not be inflicted: ${exit.cause}`)
        inflicted.push({ fault, slot, from, until: realNow() })
      })

    const main = plan.filter(({ within }) => !within)
    const companions = plan.filter(({ within }) => within)
    yield* Effect.all([
      Effect.forEach(main, strike, { discard: true }),
      Effect.forEach(companions, strike, { discard: true, concurrency: "unbounded" })
    ], { concurrency: "unbounded" })
    return { inflicted: inflicted.sort((a, b) => a.from - b.from), problems, skipped }
  })
