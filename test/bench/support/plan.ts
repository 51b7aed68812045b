/**
 * Runs measurements in interleaved rounds, each in a process of its own, and keeps the answers. Within a budget: what is
 * optional is left out once it would not fit, and the number of rounds beside each value says so.
 */
import { ask } from "./child.js"

/** Measured one after another, and left out together: what is compared with each other belongs in one group. */
export interface Group<Request> {
  readonly requests: ReadonlyArray<Request>
  /** The round from which on it may be left out, from 0. */
  readonly optionalFrom: number
}

/** `budget` in milliseconds. `guess`: how long a request may take that was not measured before. */
export const make = <Request, Answer>(options: {
  readonly budget: number
  readonly guess: (request: Request, took: (request: Request) => number | undefined) => number
}) => {
  const begun = performance.now()
  const known = new Map<string, { readonly answers: Array<Answer>; took: number }>()
  const keyOf = (request: Request): string => JSON.stringify(request)
  const took = (request: Request): number | undefined => known.get(keyOf(request))?.took

  const measure = async (request: Request): Promise<void> => {
    const from = performance.now()
    const answer = await ask<Request, Answer>(request)
    const before = known.get(keyOf(request))?.answers ?? []
    const lasted = performance.now() - from
    known.set(keyOf(request), { answers: [...before, answer], took: lasted })
    process.stderr.write(`${(lasted / 1_000).toFixed(1).padStart(7)} s  ${keyOf(request)}\n`)
  }

  const expected = (groups: ReadonlyArray<Group<Request>>): number =>
    groups.flatMap(({ requests }) => requests)
      .reduce((sum, request) => sum + (took(request) ?? options.guess(request, took)), 0)

  return {
    /** What was measured so far, one answer for each round. */
    answers: (request: Request): ReadonlyArray<Answer> => known.get(keyOf(request))?.answers ?? [],
    /** All groups of a round, then the next round. Time for what must still be measured is kept free. */
    run: async (groups: ReadonlyArray<Group<Request>>, rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round += 1) {
        for (const [index, group] of groups.entries()) {
          if (round >= group.optionalFrom) {
            const later = Array.from(
              { length: rounds - round },
              (_, more) => groups.slice(more === 0 ? index + 1 : 0).filter((other) => round + more < other.optionalFrom)
            )
            const needed = expected([group, ...later.flat()])
            if (performance.now() - begun + needed > options.budget) continue
          }
          for (const request of group.requests) await measure(request)
        }
      }
    }
  }
}
