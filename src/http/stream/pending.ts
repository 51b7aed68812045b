/**
 * Which tasks the next frame of `runs` has to tell of: ids alone, each once however often it changed. Bounded, whatever
 * happens: what is too much is counted and left out. Plain mutable data of one owner.
 */
import type { TaskChange } from "../../TaskChange.js"
import { isTaskId, millisOf, type TaskId } from "../../TaskId.js"

/** What one frame tells. `over` and `sampled` are counts of what it leaves out. */
export interface Taken {
  readonly fresh: ReadonlyArray<TaskId>
  readonly updated: ReadonlyArray<TaskId>
  readonly over: number
  readonly sampled: number
}

export interface Pending {
  readonly add: (change: TaskChange) => void
  /** Whether a frame is due: something changed, or the frame before left something out and this one ends that. */
  readonly any: () => boolean
  /** Takes what goes into one frame of about `room` rows. */
  readonly take: (room: number) => Taken
  /** Gives back what could not be told. */
  readonly giveBack: (taken: Partial<Taken>) => void
  /** Forgets everything. Tasks made before `floor` (epoch milliseconds) do not count as new from now on. */
  readonly restart: (floor: number) => void
}

const most = {
  /** New ones in a frame. */
  fresh: 50,
  /** Changed ones in a frame. */
  updated: 200,
  /** Changed ones that wait for the next frames: some seconds of them. */
  waiting: 800,
  /** Between two frames. */
  held: 4_000,
  /** Tasks of which it is known that they were told as new. */
  told: 20_000
}

export const make = (): Pending => {
  const fresh = new Set<TaskId>()
  const updated = new Set<TaskId>()
  // A task is new once. Ids begin with the time they were made at, so those below the floor need not be remembered.
  const told = new Set<TaskId>()
  let floor = Number.POSITIVE_INFINITY
  let over = 0
  let sampled = 0
  let leftOut = false

  const dropOldest = (from: Set<TaskId>, keep: number): number => {
    let dropped = 0
    for (const id of from) {
      if (from.size <= keep) break
      from.delete(id)
      dropped += 1
    }
    return dropped
  }

  const tell = (id: TaskId): void => {
    told.add(id)
    if (told.size <= most.told) return
    for (const old of told) {
      if (told.size <= most.told / 2) break
      told.delete(old)
      floor = Math.max(floor, millisOf(old))
    }
  }

  const touch = (id: TaskId): void => {
    if (fresh.has(id)) return
    if (millisOf(id) < floor || told.has(id)) {
      // Last in the order: those that wait longest are told first.
      updated.add(id)
      if (updated.size > most.held) sampled += dropOldest(updated, most.held)
    } else if (fresh.size < most.held) {
      fresh.add(id)
    } else {
      tell(id)
      over += 1
    }
  }

  return {
    add: (change) => {
      if (change._tag === "Logged" || !isTaskId(change.taskId)) return
      touch(change.taskId)
      if (change._tag === "Changed" && change.retryOf !== null) touch(change.retryOf)
    },
    any: () => fresh.size > 0 || updated.size > 0 || over > 0 || sampled > 0 || leftOut,
    take: (room) => {
      const ids = Array.from(fresh)
      for (const id of ids) {
        tell(id)
        updated.delete(id)
      }
      fresh.clear()
      const tooMany = over > 0 || ids.length > most.fresh
      const news = tooMany ? [] : ids
      const changed: Array<TaskId> = []
      for (const id of updated) {
        if (changed.length >= Math.min(most.updated, room - news.length)) break
        changed.push(id)
        updated.delete(id)
      }
      const taken = {
        fresh: news,
        updated: changed,
        over: tooMany ? over + ids.length : 0,
        sampled: sampled + dropOldest(updated, most.waiting)
      }
      over = 0
      sampled = 0
      leftOut = taken.over > 0 || taken.sampled > 0
      return taken
    },
    giveBack: (taken) => {
      for (const id of taken.fresh ?? []) fresh.add(id)
      for (const id of taken.updated ?? []) updated.add(id)
      over += taken.over ?? 0
      sampled += taken.sampled ?? 0
    },
    restart: (from) => {
      fresh.clear()
      updated.clear()
      told.clear()
      floor = from
      over = 0
      sampled = 0
      leftOut = false
    }
  }
}
