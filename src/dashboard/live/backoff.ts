/** When to try a broken line again. Pure. */

const first = 500
const longest = 30_000

/** How long to wait after so many failures: doubling, spread by chance so that not all come back at once. */
export const backoff = (failures: number, random: number): number =>
  Math.round(Math.min(longest, first * 2 ** Math.min(failures, 10)) * (0.6 + 0.4 * random))
