/**
 * What this instance believes to be waiting in the backend, and how much of it it may take. Pure state.
 *
 * A name is in the backlog from the moment something of it was written unclaimed until a claim came back short. A name
 * that reached its own concurrency takes little of the window, so it cannot keep others out.
 */
import type { Claimed, ClaimRequest } from "../TaskBackend.js"
import type { InstanceId } from "../TaskEvent.js"
import type { TaskQueue } from "../TaskQueue.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { TaskRegistry } from "../TaskRegistry.js"
import type { Group, Slots } from "./slots.js"

// What another instance holds and did not start for so long (milliseconds) may be taken when nothing else waits.
const stealAfter = 1_000

export type Backlog = ReturnType<typeof make>

export const make = (options: {
  readonly windowSize: number
  /** Whether other instances may hold something that they do not start. */
  readonly shared: boolean
  readonly queue: TaskQueue["Type"]
  readonly slots: Slots
  readonly registry: TaskRegistry["Type"]
  /** How many of a name run at once here, by its own limit and its group's. */
  readonly limitOf: (taskName: string) => number
  readonly groupOf: (taskName: string) => Group | null
  /** Whether claims of this name bring nothing for the time being. */
  readonly isPaused: (taskName: string) => boolean
  /** How many of a name are worth holding. */
  readonly most: (taskName: string) => number
}) => {
  const { limitOf, queue, registry, shared, slots, windowSize } = options
  const isClaimed = (taskName: string): boolean => registry.get(taskName) !== undefined && !options.isPaused(taskName)
  // Each name with the moment it was last added: a claim only settles what was there when it was asked.
  const waiting = new Map<string, number>()
  let moment = 0
  const wait = (taskName: string): void => {
    moment += 1
    waiting.set(taskName, moment)
  }
  // Names of which others may have left something: worth a look, but no reason to keep new tasks from starting.
  const looking = new Set<string>()
  // The claim that was asked for last only looks, and how much of the window it may fill.
  let look: { readonly window: number } | null = null
  const arrivingOf = new Map<string, number>()
  const unhandled = new Map<string, number>()
  let arriving = 0
  // Tasks written unclaimed that rank before something in the window: nothing starts until a claim has placed them.
  let urgent = 0
  const urgentOf = new Map<string, number>()
  let urgentPriority = Number.NEGATIVE_INFINITY

  // Those that a claim has seen; one that came while it was under way stays urgent.
  const settleUrgent = (count: number): void => {
    urgent -= count
    if (urgent > 0) return
    urgentOf.clear()
    urgentPriority = Number.NEGATIVE_INFINITY
  }

  const share = (taskName: string): number => Math.min(windowSize, limitOf(taskName) * 2, options.most(taskName))

  // Beyond the share of a name there is room for what is urgent.
  const roomFor = (taskName: string, urgent: number): number => {
    const own = share(taskName) - queue.sizeOf(taskName) - (arrivingOf.get(taskName) ?? 0)
    return Math.max(0, Math.min(queue.room() - arriving - (look?.window ?? 0), Math.max(0, own) + urgent))
  }
  const windowRoom = (taskName: string): number => roomFor(taskName, 0)

  const startable = (taskName: string): number => Math.min(slots.free(), slots.freeOf(taskName))

  const handledWaiting = (): Array<string> => [...new Set([...waiting.keys(), ...looking])].filter(isClaimed)

  /** The groups that several of these names are in, with what each has room for. */
  const sharing = (names: ReadonlyArray<string>): NonNullable<ClaimRequest["groups"]> => {
    const groups = new Map<Group, Array<string>>()
    for (const name of names) {
      const group = options.groupOf(name)
      if (group === null) continue
      const others = groups.get(group)
      if (others === undefined) groups.set(group, [name])
      else others.push(name)
    }
    return [...groups]
      .filter(([, names]) => names.length > 1)
      .map(([group, names]) => ({ names, slots: slots.freeIn(group) }))
  }

  const handled = (names: Iterable<string>): boolean => {
    for (const taskName of names) if (isClaimed(taskName)) return true
    return false
  }

  // Whether a claim of these names could bring something now. The window is refilled when half of it is used, not row by row.
  const couldBring = (names: Iterable<string>): boolean => {
    // Asked at every end of an attempt: while all is busy and the window half full, no name has to be looked at.
    if (slots.free() === 0 && queue.size() * 2 > windowSize) return false
    for (const taskName of names) {
      if (!isClaimed(taskName)) continue
      if (startable(taskName) > 0) return true
      if (
        queue.size() * 2 <= windowSize && queue.sizeOf(taskName) * 2 <= share(taskName) && windowRoom(taskName) > 0
      ) {
        return true
      }
    }
    return false
  }

  return {
    /** What has a handler here. */
    names: () => registry.names(),
    windowRoom,
    arriving: () => arriving,
    urgent: () => urgent,
    /** Now, for `replace`. */
    moment: () => moment,
    arrive: (taskName: string, by: 1 | -1): void => {
      arriving += by
      const count = (arrivingOf.get(taskName) ?? 0) + by
      if (count === 0) arrivingOf.delete(taskName)
      else arrivingOf.set(taskName, count)
    },

    add: (taskName: string, priority?: number): void => {
      wait(taskName)
      if (priority === undefined || !isClaimed(taskName)) return
      const lowest = queue.lowestPriority()
      if (lowest === undefined || priority <= lowest) return
      urgent += 1
      urgentOf.set(taskName, (urgentOf.get(taskName) ?? 0) + 1)
      urgentPriority = Math.max(urgentPriority, priority)
    },
    addAll: (): void => {
      for (const taskName of registry.names()) wait(taskName)
    },
    /** What a claim found: of the names asked for, only these have more. `seen`: as `urgent` and `moment` said before. */
    replace: (
      asked: ReadonlyArray<string>,
      claimed: Claimed,
      seen: { readonly urgent: number; readonly moment: number }
    ): void => {
      const rows = claimed.started.length + claimed.pending.length
      // A claim that came back full may have left urgent ones behind; one that came back short has not.
      settleUrgent(claimed.more.length > 0 && rows > 0 ? Math.min(seen.urgent, rows) : seen.urgent)
      look = null
      for (const taskName of asked) looking.delete(taskName)
      for (const taskName of asked) if ((waiting.get(taskName) ?? 0) <= seen.moment) waiting.delete(taskName)
      for (const taskName of claimed.more) wait(taskName)
    },

    /** Has a look at every name, as soon as something of it could be taken. */
    look: (): void => {
      for (const taskName of registry.names()) looking.add(taskName)
    },
    /** Whether the claim that is under way only looks. */
    isLooking: (): boolean => look !== null,
    /** No claim is under way any more, whatever became of it. */
    endLook: (): void => {
      look = null
    },
    /** Whether something waits that a claim could bring now, so that new tasks have to line up behind it. */
    holdsUp: (): boolean => waiting.size > 0 && (urgent > 0 || couldBring(waiting.keys())),
    /** Whether a claim could bring something now. */
    claimable: (): boolean =>
      (waiting.size > 0 && (urgent > 0 || couldBring(waiting.keys()))) || (looking.size > 0 && couldBring(looking)),

    /** Takes from the window what an urgent one outranks, as far as it stands in the way of all of them. */
    makeRoomForUrgent: (): ReadonlyArray<TaskRecord> => {
      const evicted: Array<TaskRecord> = []
      while (queue.room() < urgent && (queue.lowestPriority() ?? urgentPriority) < urgentPriority) {
        const record = queue.evict()
        if (record === undefined) break
        evicted.push(record)
      }
      return evicted
    },

    /** What to ask the backend for, or null when nothing could be taken. */
    request: (instance: InstanceId, now: number): ClaimRequest | null => {
      // While something in the window could start, what is claimed has to line up behind it.
      const canStart = queue.canTake(slots.mayStart) ? 0 : slots.free()
      // A look leaves half of everything to what comes meanwhile.
      const looks = urgent === 0 && !handled(waiting.keys())
      const free = looks ? Math.ceil(canStart / 2) : canStart
      const room = looks ? Math.ceil(queue.room() / 2) : queue.room()
      const tasks = handledWaiting()
        .map((name) => ({
          name,
          version: registry.get(name)?.definition.version ?? 0,
          slots: Math.min(free, startable(name)),
          window: Math.min(room, roomFor(name, urgentOf.get(name) ?? 0))
        }))
        .filter((task) => task.slots + task.window > 0)
      if (tasks.length === 0) {
        settleUrgent(urgent)
        return null
      }
      look = looks ? { window: room } : null
      const groups = sharing(tasks.map(({ name }) => name))
      const request = { instance, tasks, slots: free, window: room, stealAfter: shared ? stealAfter : null, now }
      return groups.length === 0 ? request : { ...request, groups }
    },

    /** Counts a task whose name nobody handles here; true when it is the first. */
    countUnhandled: (taskName: string): boolean => {
      const count = unhandled.get(taskName) ?? 0
      unhandled.set(taskName, count + 1)
      return count === 0
    },
    /** How many were counted, and forgets them. */
    takeUnhandled: (taskName: string): number => {
      const count = unhandled.get(taskName) ?? 0
      unhandled.delete(taskName)
      return count
    }
  }
}
