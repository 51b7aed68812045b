/**
 * One batch as the instance that does it keeps it: plain mutable data of one owner, and what is shown of it.
 */
import * as Deferred from "effect/Deferred"
import * as FiberId from "effect/FiberId"
import type { InstanceId } from "../../TaskEvent.js"
import type { SkipReason } from "../ActionShapes.js"
import type * as Shapes from "../BatchShapes.js"
import { iso, isoOrNull } from "../TaskView.js"

export type State = typeof Shapes.BatchState.Type

/** How a batch can have ended. */
export type EndState = Exclude<State, "waiting" | "running">

/** What does not change. */
export interface Asked {
  readonly id: string
  readonly action: typeof Shapes.BatchAction.Type
  readonly who: string
  readonly q: string | null
  readonly perSecond: number | null
  readonly createdAt: number
  readonly total: number
  readonly totalIsFloor: boolean
}

export interface Kept extends Asked {
  /** Done when its undo window is over, or when it is told to stop in it. */
  readonly begun: Deferred.Deferred<void>
  /** Done when it is told to stop. */
  readonly halted: Deferred.Deferred<void>
  state: State
  v: number
  startsAt: number
  endedAt: number | null
  stopRequested: boolean
  /** Why it was told to stop, when that was no person. */
  stopReason: string | null
  error: string | null
  done: number
  readonly reasons: Map<SkipReason, number>
}

export const make = (asked: Asked, startsAt: number): Kept => ({
  ...asked,
  begun: Deferred.unsafeMake(FiberId.none),
  halted: Deferred.unsafeMake(FiberId.none),
  state: "waiting",
  v: 1,
  startsAt,
  endedAt: null,
  stopRequested: false,
  stopReason: null,
  error: null,
  done: 0,
  reasons: new Map()
})

export const isEnded = (kept: Kept): kept is Kept & { readonly state: EndState } =>
  kept.state !== "waiting" && kept.state !== "running"

/** Those that were left alone, by reason. */
export const skips = ({ reasons }: Kept) => {
  const all = Array.from(reasons, ([reason, count]) => ({ reason, count }))
  return { skipped: all.reduce((sum, { count }) => sum + count, 0), reasons: all }
}

/** As clients are shown it. */
export const shown = (kept: Kept, instance: InstanceId): Shapes.Batch => ({
  id: kept.id,
  v: kept.v,
  action: kept.action,
  who: kept.who,
  q: kept.q,
  state: kept.state,
  stopRequested: kept.stopRequested,
  perSecond: kept.perSecond,
  createdAt: iso(kept.createdAt),
  startsAt: iso(kept.startsAt),
  endedAt: isoOrNull(kept.endedAt),
  done: kept.done,
  ...skips(kept),
  total: kept.total,
  totalIsFloor: kept.totalIsFloor,
  error: kept.error,
  instance
})
