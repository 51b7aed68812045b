/** What a supervisor tells a process of the fleet, and what that answers. Plain data. */
import type { Place } from "./places.js"
import type { SqliteFault } from "./sqliteFaults.js"

/** Which version of the application: `older` and `newer` know different tasks, `both` knows all of them. */
export type Deployment = "both" | "older" | "newer"

/** The whole life of one process, given on its command line. */
export interface Orders {
  /** `follower`: enqueues and runs nothing, follows the feed and cancels. */
  readonly role: "worker" | "follower"
  readonly slot: number
  readonly life: string
  readonly deployment: Deployment
  /** How the database is reached. */
  readonly place: Place
  readonly files: string
  /** Milliseconds. */
  readonly lease: number
  readonly sameHost: boolean
  /** Tasks a second that this process enqueues. */
  readonly rate: number
  /** How often the schedule has a slot, in milliseconds. */
  readonly every: number
  readonly seed: number
  /** What the disk does when this process starts. */
  readonly disk: SqliteFault
  /** A first life waits for `Go`, a later one begins at once. */
  readonly waits: boolean
}

export type ToWorker =
  | { readonly _tag: "Go" }
  /** Enqueue nothing more. */
  | { readonly _tag: "Quiet" }
  /** Keep the thread busy. */
  | { readonly _tag: "Block"; readonly millis: number }
  /** What the disk below SQLite does from now on. */
  | { readonly _tag: "Disk"; readonly fault: SqliteFault }

export type FromWorker = { readonly _tag: "Ready" }
