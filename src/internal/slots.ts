/**
 * Who may run: slots of the instance and of each task name. Pure state.
 *
 * A slot is held by an attempt, never by a back-off; an attempt that waits for another task gives its slot back and takes
 * the next free one before anything new starts.
 */
import * as Effect from "effect/Effect"

/** One attempt's hold on a slot. */
export interface Slot {
  /** Ends the hold; further calls do nothing. */
  readonly release: () => void
  /** Gives the slot back around a wait; `unpark` returns with a slot again. Nested and concurrent waits count as one. */
  readonly park: Effect.Effect<void>
  readonly unpark: Effect.Effect<void>
  /** The attempt was told to stop: from now on it comes back from a wait without a slot, to its end. */
  readonly endWaits: () => void
}

export interface Slots {
  /** Free slots of the instance. */
  readonly free: () => number
  /** How many more of this name may start, whatever the instance has free. */
  readonly freeOf: (taskName: string) => number
  readonly mayStart: (taskName: string) => boolean
  /** Takes a slot. The caller has asked `mayStart`. */
  readonly take: (taskName: string) => Slot
  /** Keeps `count` slots of the instance, and of each name its own, from being taken; the answer lets them go. */
  readonly reserve: (
    count: number,
    names: ReadonlyArray<{ readonly name: string; readonly slots: number }>
  ) => () => void
  /** Attempts under way, parked ones included; of one name or of all. */
  readonly active: (taskName?: string) => number
  /** Gives free slots to attempts that come back from a wait. */
  readonly resumeParked: () => void
}

/** `limitOf` is the concurrency of a name; `onFree` is called after every change that may let something start. */
export const make = (options: {
  readonly max: number
  readonly limitOf: (taskName: string) => number
  readonly onFree: () => void
  /** Told how long each hold on a slot lasted, in milliseconds of `now`. */
  readonly held?: { readonly now: () => number; readonly onRelease: (taskName: string, millis: number) => void }
}): Slots => {
  const usedOf = new Map<string, number>()
  const activeOf = new Map<string, number>()
  let used = 0
  let reserved = 0
  let active = 0
  let returning: Array<{ readonly taskName: string; readonly resume: () => void }> = []

  const add = (counts: Map<string, number>, taskName: string, by: number): void => {
    if (by === 0) return
    const count = (counts.get(taskName) ?? 0) + by
    if (count === 0) counts.delete(taskName)
    else counts.set(taskName, count)
  }
  const hold = (taskName: string, by: 1 | -1): void => {
    used += by
    add(usedOf, taskName, by)
  }
  const free = () => Math.max(0, options.max - used - reserved)
  const freeOf = (taskName: string) => Math.max(0, options.limitOf(taskName) - (usedOf.get(taskName) ?? 0))
  const mayStart = (taskName: string) => free() > 0 && freeOf(taskName) > 0

  const resumeParked = (): void => {
    if (returning.length === 0) return
    const still: typeof returning = []
    for (const waiter of returning) {
      if (mayStart(waiter.taskName)) waiter.resume()
      else still.push(waiter)
    }
    returning = still
  }

  return {
    free,
    freeOf,
    mayStart,
    resumeParked,
    active: (taskName) => taskName === undefined ? active : activeOf.get(taskName) ?? 0,
    reserve: (count, names) => {
      reserved += count
      for (const { name, slots } of names) add(usedOf, name, slots)
      return () => {
        reserved -= count
        for (const { name, slots } of names) add(usedOf, name, -slots)
      }
    },
    take: (taskName) => {
      hold(taskName, 1)
      active += 1
      add(activeOf, taskName, 1)
      const { held } = options
      const since = held === undefined ? 0 : held.now()
      let holding = true
      let released = false
      let stopped = false
      let waits = 0
      // Branches of the attempt that are back and want the one slot.
      let back: Array<() => void> = []
      const goOn = (): void => {
        const ready = back
        back = []
        for (const resume of ready) resume()
      }
      const waiter = {
        taskName,
        resume: () => {
          holding = true
          hold(taskName, 1)
          goOn()
        }
      }
      const giveUp = (): void => {
        if (returning.length > 0) returning = returning.filter((other) => other !== waiter)
      }
      return {
        release: () => {
          if (released) return
          released = true
          held?.onRelease(taskName, held.now() - since)
          if (holding) hold(taskName, -1)
          holding = false
          giveUp()
          active -= 1
          add(activeOf, taskName, -1)
          options.onFree()
          goOn()
        },
        // Made when asked for: most attempts never wait for another task.
        get park() {
          return Effect.sync(() => {
            waits += 1
            if (released) return
            // A branch that is back goes on without a slot while another waits: had it the last slot, what the other waits
            // for might never run.
            giveUp()
            goOn()
            if (!holding) return
            holding = false
            hold(taskName, -1)
            options.onFree()
          })
        },
        endWaits: () => {
          stopped = true
          giveUp()
          goOn()
        },
        get unpark() {
          return Effect.async<void>((resume) => {
            waits -= 1
            if (waits > 0 || holding || released || stopped) return resume(Effect.void)
            const goOnWith = () => resume(Effect.void)
            back.push(goOnWith)
            if (mayStart(taskName)) return waiter.resume()
            if (!returning.includes(waiter)) returning.push(waiter)
            // Interrupted while it waits for a slot: it goes on without one, to its end.
            return Effect.sync(() => {
              back = back.filter((other) => other !== goOnWith)
              if (back.length === 0) giveUp()
            })
          })
        }
      }
    }
  }
}
