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

  const fits = (requests: ReadonlyArray<Request>): boolean => {
    const expected = requests.map((request) => took(request) ?? options.guess(request, took))
    return performance.now() - begun + expected.reduce((sum, value) => sum + value, 0) <= options.budget
  }

  return {
    /** What was measured so far, one answer for each round. */
    answers: (request: Request): ReadonlyArray<Answer> => known.get(keyOf(request))?.answers ?? [],
    /** All groups of a round, then the next round. */
    run: async (groups: ReadonlyArray<Group<Request>>, rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round += 1) {
        for (const { optionalFrom, requests } of groups) {
          if (round >= optionalFrom && !fits(requests)) continue
          for (const request of requests) await measure(request)
        }
      }
    }
  }
}
