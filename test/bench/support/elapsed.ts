/**
 * How long something took: by the clock, and in processor time of this process with all its threads.
 *
 * On a machine that others use as well, processor time moves far less than the clock does.
 */

/** In milliseconds. */
export interface Elapsed {
  readonly wall: number
  readonly cpu: number
}

/** Starts to measure; the answer tells what passed since. */
export const start = (): () => Elapsed => {
  const cpuFrom = process.cpuUsage()
  const from = performance.now()
  return () => {
    const wall = performance.now() - from
    const { system, user } = process.cpuUsage(cpuFrom)
    return { wall, cpu: (user + system) / 1_000 }
  }
}
