/** The handlers of example 21: loaded by workers alone. */
import { isMainThread } from "node:worker_threads"
import { Effect } from "effect"
import { Task, TaskLog, TaskProgress } from "effect-taskflow"
import { CountPrimes, Spin, TooFar } from "./21-cpu-bound.tasks.js"

const isPrime = (n: number): boolean => {
  for (let factor = 2; factor * factor <= n; factor += 1) if (n % factor === 0) return false
  return n > 1
}

export default Task.worker(CountPrimes, ({ below }) =>
  Effect.gen(function*() {
    if (below > 10_000_000) return yield* new TooFar({ most: 10_000_000 })
    yield* TaskLog.info("counting", { below })
    let primes = 0
    for (let n = 0; n < below; n += 1) {
      if (isPrime(n)) primes += 1
      if (n % 50_000 === 0) yield* TaskProgress.set(n / below)
    }
    return { primes, inMainThread: isMainThread }
  }))

// What nobody should write. It says so, and then never lets go of its thread.
export const spin = Task.worker(Spin, () =>
  Effect.zipRight(
    TaskProgress.set(0, "spinning"),
    Effect.sync(() => {
      for (;;);
    })
  ))
