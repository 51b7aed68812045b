/**
 * Running engines as they see each other: who is there, who is alive, who died. Plain data between the port and the lease.
 */
import type { Paused } from "./ControlStore.js"
import type { InstanceId } from "./TaskEvent.js"
import type { TaskId } from "./TaskId.js"
import type { TaskRecord } from "./TaskRecord.js"

/**
 * A running engine, as its neighbours see it. `process` is what lets one on the same machine prove its death: a pid alone
 * proves nothing (it is given again, and another container has the same), so it counts only together with all the others.
 */
export interface InstanceFacts {
  readonly id: InstanceId
  readonly host: string
  readonly process: {
    /** Of this boot of the kernel, and of the namespace the pid belongs to. */
    readonly bootId: string
    readonly pidNamespace: string
    readonly pid: number
    /** When the process began, in the kernel's own ticks since boot. */
    readonly startTicks: string
  } | null
  /** For people. */
  readonly versions?: { readonly app: string | null; readonly taskflow: string } | undefined
}

/** How an instance is doing, as it says with its heartbeats. For people: nothing is decided by it. */
export interface Vitals {
  readonly slots: { readonly max: number; readonly active: number }
  /** Tasks that wait in its window. */
  readonly waiting: number
  /** How late its event loop was at worst since the heartbeat before, in milliseconds. */
  readonly lag: number
  /** A digest of the pauses that it heeds, to compare with that of another; null from an older version. */
  readonly heeds?: string | null
  /** The names it has handlers for, the first 500 in order; null from an older version. */
  readonly tasks?: ReadonlyArray<string> | null
  /** Null from an older version, as all below. */
  readonly process?: ProcessVitals | null
  /** How often it beats, in milliseconds. */
  readonly beatEvery?: number | null
  /** Waits of tasks whose first start was here within the last five minutes, the latest 1,000 of them. */
  readonly waits?: { readonly count: number; readonly p95: number | null } | null
  /** Names with a bound of their own, and how much of it is used here: the fullest 50. */
  readonly limits?: ReadonlyArray<TaskLimit> | null
}

/** Of the process that an instance is in. Bytes. */
export interface ProcessVitals {
  /** When the engine started, as the time is told to the backend: epoch milliseconds. */
  readonly startedAt: number
  readonly rss: number
  readonly heapUsed: number
  /** What the heap may grow to. */
  readonly heapLimit: number
}

/** How many attempts of a name one instance runs at once, and how many it runs now. */
export interface TaskLimit {
  readonly task: string
  readonly max: number
  readonly active: number
}

/** An instance as others list it. `vitals` null until its first heartbeat. */
export interface InstanceInfo extends InstanceFacts {
  readonly state: "live" | "dead"
  readonly beat: number
  /** Its last heartbeat, by its own clock as it corrects it: epoch milliseconds. */
  readonly beatAt: number
  readonly vitals: Vitals | null
  /** It was asked to claim nothing more. */
  readonly draining: boolean
}

/** Another instance: `beat` counts its heartbeats. `dead`: declared so; what it owned is being given back. */
export interface Peer extends InstanceFacts {
  readonly beat: number
  readonly state: "live" | "dead"
}

/**
 * What a heartbeat answers. `alive` false: this instance was declared dead, whatever it writes from now on is refused.
 * `cancels`: its own running tasks that were asked to stop. `backendNow`: the backend's own clock (epoch milliseconds), as
 * a fact to compare with; null where it has none of its own. `paused`: what no claim hands out for now.
 */
export interface Heartbeat {
  readonly alive: boolean
  readonly cancels: ReadonlyArray<TaskId>
  readonly peers: ReadonlyArray<Peer>
  readonly backendNow: number | null
  readonly paused: Paused
  /** It was asked to claim nothing more. */
  readonly draining: boolean
}

/** What a reap changed, as it stands afterwards. `left`: tasks of the dead instance that are still to be done. */
export interface Reaped {
  readonly records: ReadonlyArray<TaskRecord>
  readonly left: boolean
}
