/**
 * Runs what shall begin once the current step is over: all of it in one microtask, in order.
 *
 * A fiber that is forked to begin later makes a runner, a promise and an entry in a WeakMap for its start alone; begun from
 * here it makes them only if it has to wait for something. It also is in the set of all running fibers for the length of its
 * synchronous part, so that the tables that such a set leaves behind keep few of them (see `ChurnMap`).
 */
export interface Starter {
  readonly later: (begin: () => void) => void
}

export const make = (): Starter => {
  let waiting: Array<() => void> = []

  const schedule = (): void => {
    void Promise.resolve().then(drain)
  }

  const drain = (): void => {
    const begun = waiting
    waiting = []
    let next = 0
    try {
      while (next < begun.length) begun[next++]!()
    } finally {
      // One that throws is an unhandled rejection, and no reason for the others not to begin.
      if (next < begun.length) {
        waiting = [...begun.slice(next), ...waiting]
        schedule()
      }
    }
  }

  return {
    later: (begin) => {
      waiting.push(begin)
      if (waiting.length === 1) schedule()
    }
  }
}
