/**
 * What is done to a fleet, and when: decided by a seed before anything starts, so that it can be printed, and done again.
 *
 * One after the other, with time in between for the fleet to recover. Every fault comes once before any comes again. Into one that
 * lasts sometimes falls another one, on another process: troubles seldom come alone.
 */
import { random } from "./random.js"

/** What a plan has to know of a fault. */
export interface Plannable {
  readonly name: string
  /** For how long, in milliseconds: at least, at most. Both 0: a moment. */
  readonly lasts: readonly [least: number, most: number]
  /** Whether it may fall into another one, on another process. */
  readonly joins: boolean
}

export interface Strike {
  /** Milliseconds from the beginning of the run. */
  readonly at: number
  readonly fault: string
  /** Whom it hits, where it hits a process. */
  readonly slot: number
  /** Milliseconds; 0: a moment. */
  readonly lasts: number
  /** Decides what else the fault leaves to chance. */
  readonly seed: number
  /** It falls into the one before it. */
  readonly within: boolean
}

export interface PlanOptions {
  readonly seed: number
  readonly seconds: number
  readonly slots: number
  readonly faults: ReadonlyArray<Plannable>
}

// Milliseconds: before the first one, behind the last one, and between two.
const warmUp = 2_000
const calm = 1_000
const gap = { least: 700, most: 5_000 }
// How many of those that last have another one fall into them.
const accompanied = 0.3

const shuffled = <A>(all: ReadonlyArray<A>, next: () => number): Array<A> => {
  const order = all.map((one) => ({ one, by: next() }))
  return order.sort((a, b) => a.by - b.by).map(({ one }) => one)
}

export const make = ({ faults, seconds, seed, slots }: PlanOptions): ReadonlyArray<Strike> => {
  const next = random(seed)
  const between = (least: number, most: number) => Math.round(least + next() * (most - least))
  const joining = faults.filter(({ joins }) => joins)
  const until = seconds * 1_000 - calm
  const needed = faults.reduce((sum, { lasts }) => sum + (lasts[0] + lasts[1]) / 2, 0)
  // As much calm as lets each of them come once.
  const usual = Math.min(gap.most, Math.max(gap.least, (until - warmUp - needed) / Math.max(1, faults.length)))
  const strikes: Array<Strike> = []
  let at = warmUp
  while (faults.length > 0) {
    for (const { lasts, name } of shuffled(faults, next)) {
      const strike = {
        at,
        fault: name,
        slot: Math.floor(next() * slots),
        lasts: between(...lasts),
        seed: between(0, 2 ** 31)
      }
      if (at + strike.lasts > until) return strikes
      strikes.push({ ...strike, within: false })
      const companion = joining[Math.floor(next() * joining.length)]
      const during = at + between(0, strike.lasts)
      const elsewhere = (strike.slot + 1 + Math.floor(next() * (slots - 1))) % slots
      const own = between(0, 2 ** 31)
      if (next() < accompanied && companion !== undefined && strike.lasts > 0 && slots > 1) {
        strikes.push({ at: during, fault: companion.name, slot: elsewhere, lasts: 0, seed: own, within: true })
      }
      at += strike.lasts + Math.round(usual * (0.6 + next() * 0.6))
    }
  }
  return strikes
}
