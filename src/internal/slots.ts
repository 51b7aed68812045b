/**
 * Who may run: slots of the instance, of each task name, and of the group that a name belongs to. Pure state.
 *
 * A slot is held by an attempt, never by a back-off; an attempt that waits for another task gives its slot back and takes
 * the next free one before anything new starts. A group is the workers of one pool: its names share so many slots, so no
 * attempt counts as running while it only waits for a worker.
 */
import * as Effect from "effect/Effect"

/** Names that share slots. Compared by identity. */
export interface Group {
  readonly max: number
}

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
  /** How many more of this name may start, by its own limit and its group's, whatever the instance has free. */
  readonly freeOf: (taskName: string) => number
  readonly mayStart: (taskName: string) => boolean
  /** Takes a slot. The caller has asked `mayStart`. */
  readonly take: (taskName: string) => Slot
  /** How many more of this group may start, whatever the instance has free. */
  readonly freeIn: (group: Group) => number
  /**
   * Keeps `count` slots of the instance, of each name its own, and of each group no more than it has free, from being taken;
   * the answer lets them go.
   */
  readonly reserve: (
    count: number,
    names: ReadonlyArray<{ readonly name: string; readonly slots: number }>
  ) => () => void
  /** Attempts under way, parked ones included; of one name or of all. */
  readonly active: (taskName?: string) => number
  /** Gives free slots to attempts that come back from a wait. */
  readonly resumeParked: () => void
}

// A parked attempt that wants a slot again.
interface Returning {
  readonly taskName: string
  readonly group: Group | null
  readonly resume: () => void
}

// What the slots of one instance share.
interface Pool {
  readonly hold: (slot: Returning, by: 1 | -1) => void
  readonly mayStart: (slot: Returning) => boolean
  /** Counts an attempt that begins or ends. */
  readonly begin: (taskName: string, by: 1 | -1) => void
  readonly line: (waiter: Returning) => void
  readonly leave: (waiter: Returning) => void
  readonly onFree: () => void
  readonly now: () => number
  /** An attempt that ended had a slot, and the waits for others in between, for so many milliseconds. */
  readonly heldFor: (taskName: string, millis: number) => void
}

const nobody: ReadonlyArray<() => void> = []

// A class: an object of closures for each attempt allocated more than the attempt's record.
class SlotImpl implements Slot, Returning {
  private holding = true
  private released = false
  private stopped = false
  private waits = 0
  /** Branches of the attempt that are back and want the one slot. */
  private back = nobody

  private readonly since: number

  // The group is that of the start: its handler may have left when the slot is given back.
  constructor(readonly taskName: string, readonly group: Group | null, private readonly pool: Pool) {
    this.since = pool.now()
    pool.hold(this, 1)
    pool.begin(taskName, 1)
  }

  private goOn(): void {
    if (this.back.length === 0) return
    const ready = this.back
    this.back = nobody
    for (const resume of ready) resume()
  }

  resume(): void {
    this.holding = true
    this.pool.hold(this, 1)
    this.goOn()
  }

  // Callers take it along as a function.
  readonly release = (): void => {
    if (this.released) return
    this.released = true
    this.pool.heldFor(this.taskName, this.pool.now() - this.since)
    if (this.holding) this.pool.hold(this, -1)
    this.holding = false
    this.pool.leave(this)
    this.pool.begin(this.taskName, -1)
    this.pool.onFree()
    this.goOn()
  }

  // Made when asked for: most attempts never wait for another task.
  get park() {
    return Effect.sync(() => {
      this.waits += 1
      if (this.released) return
      // A branch that is back goes on without a slot while another waits: had it the last slot, what the other waits
      // for might never run.
      this.pool.leave(this)
      this.goOn()
      if (!this.holding) return
      this.holding = false
      this.pool.hold(this, -1)
      this.pool.onFree()
    })
  }

  endWaits(): void {
    this.stopped = true
    this.pool.leave(this)
    this.goOn()
  }

  get unpark() {
    return Effect.async<void>((resume) => {
      this.waits -= 1
      if (this.waits > 0 || this.holding || this.released || this.stopped) return resume(Effect.void)
      const goOnWith = () => resume(Effect.void)
      this.back = [...this.back, goOnWith]
      if (this.pool.mayStart(this)) return this.resume()
      this.pool.line(this)
      // Interrupted while it waits for a slot: it goes on without one, to its end.
      return Effect.sync(() => {
        this.back = this.back.filter((other) => other !== goOnWith)
        if (this.back.length === 0) this.pool.leave(this)
      })
    })
  }
}

/**
 * `limitOf` is the concurrency of a name, `groupOf` the group it is in at the moment; `onFree` is called after every change that
 * may let something start.
 */
export const make = (options: {
  readonly max: number
  readonly limitOf: (taskName: string) => number
  readonly groupOf?: (taskName: string) => Group | null
  readonly onFree: () => void
  /** Told of every attempt that begins or ends. */
  readonly onActive?: (taskName: string, by: 1 | -1) => void
  /** Told how long each hold on a slot lasted, in milliseconds of `now`. */
  readonly held?: { readonly now: () => number; readonly onRelease: (taskName: string, millis: number) => void }
}): Slots => {
  const { groupOf = () => null } = options
  const usedOf = new Map<string, number>()
  const usedIn = new Map<Group, number>()
  const activeOf = new Map<string, number>()
  let used = 0
  let reserved = 0
  let active = 0
  let returning: Array<Returning> = []

  const add = <K>(counts: Map<K, number>, key: K, by: number): void => {
    if (by === 0) return
    const count = (counts.get(key) ?? 0) + by
    if (count === 0) counts.delete(key)
    else counts.set(key, count)
  }
  const free = () => Math.max(0, options.max - used - reserved)
  const freeIn = (group: Group) => Math.max(0, group.max - (usedIn.get(group) ?? 0))
  const freeBy = (taskName: string, group: Group | null) => {
    const own = Math.max(0, options.limitOf(taskName) - (usedOf.get(taskName) ?? 0))
    return group === null ? own : Math.min(own, freeIn(group))
  }
  const freeOf = (taskName: string) => freeBy(taskName, groupOf(taskName))
  const mayStart = (taskName: string) => free() > 0 && freeOf(taskName) > 0
  const mayReturn = ({ group, taskName }: Returning) => free() > 0 && freeBy(taskName, group) > 0

  const pool: Pool = {
    hold: ({ group, taskName }, by) => {
      used += by
      add(usedOf, taskName, by)
      if (group !== null) add(usedIn, group, by)
    },
    mayStart: mayReturn,
    begin: (taskName, by) => {
      active += by
      options.onActive?.(taskName, by)
      add(activeOf, taskName, by)
    },
    line: (waiter) => {
      if (!returning.includes(waiter)) returning.push(waiter)
    },
    leave: (waiter) => {
      if (returning.length > 0) returning = returning.filter((other) => other !== waiter)
    },
    onFree: options.onFree,
    now: options.held?.now ?? (() => 0),
    heldFor: options.held?.onRelease ?? (() => {})
  }

  const resumeParked = (): void => {
    if (returning.length === 0) return
    const still: typeof returning = []
    for (const waiter of returning) {
      if (mayReturn(waiter)) waiter.resume()
      else still.push(waiter)
    }
    returning = still
  }

  return {
    free,
    freeOf,
    freeIn,
    mayStart,
    resumeParked,
    active: (taskName) => taskName === undefined ? active : activeOf.get(taskName) ?? 0,
    reserve: (count, names) => {
      const groups = new Map<Group, number>()
      for (const { name, slots } of names) {
        const group = groupOf(name)
        if (group !== null) groups.set(group, Math.min(freeIn(group), (groups.get(group) ?? 0) + slots))
      }
      const keep = (by: 1 | -1): void => {
        reserved += by * count
        for (const { name, slots } of names) add(usedOf, name, by * slots)
        for (const [group, slots] of groups) add(usedIn, group, by * slots)
      }
      keep(1)
      return () => keep(-1)
    },
    take: (taskName) => new SlotImpl(taskName, groupOf(taskName), pool)
  }
}
