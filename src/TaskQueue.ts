/**
 * The window: tasks held by this instance, ready to start, in the order they will start.
 *
 * Highest priority first, first come first served among equals, bounded. A name that reached its own concurrency is passed
 * over and keeps its place. Used by TaskDispatcher alone, inside one synchronous step; pure state, no IO.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ChurnMap } from "./internal/churnMap.js"
import { count } from "./internal/counts.js"
import * as PriorityFifo from "./internal/priorityFifo.js"
import { TaskflowConfig } from "./TaskflowConfig.js"
import type { TaskId } from "./TaskId.js"
import type { TaskRecord } from "./TaskRecord.js"

export class TaskQueue extends Context.Tag("effect-taskflow/TaskQueue")<TaskQueue, {
  readonly size: () => number
  /** How many more fit. */
  readonly room: () => number
  /** How many of this name are held. */
  readonly sizeOf: (taskName: string) => number
  /** Adds behind its equals. The bound is the caller's to keep; `room` says it. */
  readonly offer: (record: TaskRecord) => void
  /** The next task whose name `mayStart`, removed; or undefined. */
  readonly take: (mayStart: (taskName: string) => boolean) => TaskRecord | undefined
  /** Whether `take` would give a task. */
  readonly canTake: (mayStart: (taskName: string) => boolean) => boolean
  /** Removes one task; whether it was held. */
  readonly remove: (taskId: TaskId) => boolean
  /** Removes the last task of the lowest priority, of all names. One-off effects stay. */
  readonly evict: () => TaskRecord | undefined
  /** The lowest priority that `evict` could remove, or undefined. */
  readonly lowestPriority: () => number | undefined
  /** Removes everything. */
  readonly takeAll: () => ReadonlyArray<TaskRecord>
}>() {}

interface Lane {
  readonly key: string
  readonly name: string
  /** One-off effects live in memory alone, so they never leave the window for the backend. */
  readonly evictable: boolean
  readonly fifo: PriorityFifo.PriorityFifo<TaskRecord>
}

export const make = Effect.map(TaskflowConfig, ({ windowSize }) => {
  // One lane for each name: a name at its limit is passed over in one step, however many of it wait.
  const lanes = new Map<string, Lane>()
  const removers = new ChurnMap<TaskId, { readonly lane: Lane; readonly remove: () => boolean }>()
  let arrivals = 0

  const best = (mayStart: (taskName: string) => boolean): Lane | undefined => {
    let found: Lane | undefined
    let foundHead: { readonly priority: number; readonly sequence: number } | undefined
    for (const lane of lanes.values()) {
      const head = lane.fifo.peek()
      if (head === undefined) continue
      const ahead = foundHead === undefined || head.priority > foundHead.priority ||
        (head.priority === foundHead.priority && head.sequence < foundHead.sequence)
      if (ahead && mayStart(lane.name)) {
        found = lane
        foundHead = head
      }
    }
    return found
  }

  const lowest = (): Lane | undefined => {
    let found: Lane | undefined
    let foundPriority: number | undefined
    for (const lane of lanes.values()) {
      const priority = lane.evictable ? lane.fifo.lowestPriority() : undefined
      if (priority !== undefined && (foundPriority === undefined || priority < foundPriority)) {
        found = lane
        foundPriority = priority
      }
    }
    return found
  }

  const forget = (lane: Lane, record: TaskRecord): TaskRecord => {
    removers.delete(record.taskId)
    count.queued(-1)
    if (lane.fifo.size() === 0) lanes.delete(lane.key)
    return record
  }

  const take = (mayStart: (taskName: string) => boolean): TaskRecord | undefined => {
    const lane = best(mayStart)
    const record = lane?.fifo.take()
    return lane === undefined || record === undefined ? undefined : forget(lane, record)
  }

  return TaskQueue.of({
    size: () => removers.size,
    room: () => Math.max(0, windowSize - removers.size),
    sizeOf: (taskName) => lanes.get(taskName)?.fifo.size() ?? 0,
    offer: (record) => {
      const key = record.kind === "effect" ? `effect\u0000${record.taskName}` : record.taskName
      let lane = lanes.get(key)
      if (lane === undefined) {
        lane = { key, name: record.taskName, evictable: record.kind === "task", fifo: PriorityFifo.make() }
        lanes.set(key, lane)
      }
      arrivals += 1
      count.queued(1)
      removers.set(record.taskId, { lane, remove: lane.fifo.add(record.priority, arrivals, record) })
    },
    take,
    canTake: (mayStart) => best(mayStart) !== undefined,
    remove: (taskId) => {
      const held = removers.get(taskId)
      if (held === undefined || !held.remove()) return false
      removers.delete(taskId)
      count.queued(-1)
      if (held.lane.fifo.size() === 0) lanes.delete(held.lane.key)
      return true
    },
    evict: () => {
      const lane = lowest()
      const record = lane?.fifo.takeLast()
      return lane === undefined || record === undefined ? undefined : forget(lane, record)
    },
    lowestPriority: () => lowest()?.fifo.lowestPriority(),
    takeAll: () => {
      const all: Array<TaskRecord> = []
      for (let record = take(() => true); record !== undefined; record = take(() => true)) all.push(record)
      return all
    }
  })
})

export const layer: Layer.Layer<TaskQueue, never, TaskflowConfig> = Layer.effect(TaskQueue, make)
