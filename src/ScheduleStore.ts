/**
 * What the backend port keeps of schedules: their definitions, and which slot of each fired last. Encoded, time as an argument.
 *
 * When the next slot is comes from the schedule's own `spec`, which a backend stores and never reads. A slot is the moment it
 * stands for, in epoch milliseconds.
 */
import type * as Effect from "effect/Effect"
import type { InstanceFenced, TaskBackendError } from "./TaskError.js"
import type { InstanceId } from "./TaskEvent.js"
import type { TaskId } from "./TaskId.js"
import type { TaskRecord } from "./TaskRecord.js"

/** A schedule as a program, or a person at run time, defines it. */
export interface ScheduleDefinition {
  /** At most 200 characters; exactly compared. */
  readonly name: string
  readonly taskName: string
  /** What tells this definition from another one of the same name; at most 200 characters. */
  readonly definition: string
  readonly origin: "code" | "dynamic"
  /** Where slots are counted from: epoch milliseconds. */
  readonly anchor: number
  /** Everything else, as JSON text. */
  readonly spec: string
}

/** A schedule as it is kept. Times are epoch milliseconds. */
export interface StoredSchedule extends ScheduleDefinition {
  /** The latest slot that is settled: fired, passed over, or not missed because of a pause. Null: none yet. Only grows. */
  readonly lastSlot: number | null
  /** The task of the latest slot that fired; it may have been removed since. */
  readonly lastTask: TaskId | null
  /** When this definition came, or the first of those before it that have its anchor. */
  readonly definedAt: number
  /** When somebody last said that the definition stands. */
  readonly seenAt: number
  readonly pausedAt: number | null
  /** Not defined any more, and shown as such. */
  readonly retiredAt: number | null
}

/** A slot that is due, as an instance with this definition sees it. */
export interface SlotRequest {
  readonly instance: InstanceId
  readonly name: string
  readonly definition: string
  readonly slot: number
  /** The task of this slot: new, pending, unclaimed. Asked again after a lost answer, it is the same one. */
  readonly record: TaskRecord
  /** `skip`: the slot passes while the task of the one before has not ended. */
  readonly overlap: "allow" | "skip"
  readonly now: number
}

/**
 * What became of a slot.
 *
 * - `Fired`: its task is there; also when it had been by this very record.
 * - `Duplicate`: it fired, and the idempotency key of its task is held by another one, which is its task then.
 * - `Overlapping`: it passed, because `running` has not ended.
 * - `AlreadyFired`: it, or a later one, was settled before.
 * - `Paused`, `OtherDefinition`, `NotFound` (also when it is retired): nothing changed.
 * - `KeyBusy`: nothing changed, the idempotency key is being decided in somebody's open transaction: ask again.
 */
export type SlotOutcome =
  | { readonly _tag: "Fired" }
  | { readonly _tag: "Duplicate"; readonly taskId: TaskId }
  | { readonly _tag: "Overlapping"; readonly running: TaskId }
  | { readonly _tag: "AlreadyFired"; readonly lastSlot: number; readonly lastTask: TaskId | null }
  | { readonly _tag: "Paused" | "OtherDefinition" | "NotFound" | "KeyBusy" }

/** One page, in an order of the backend's own that does not change; the next begins behind `nextCursor`, null at the end. */
export interface SchedulePage {
  readonly items: ReadonlyArray<StoredSchedule>
  readonly nextCursor: string | null
}

/** The schedules of a backend. */
export interface ScheduleStore {
  /**
   * Makes the schedule what it is defined as, and answers it. The same definition again only says that it stands: its anchor
   * stays. Another definition of the name replaces the one before: with another anchor it is counted from `now` on, with the
   * same one `definedAt` stays. `lastSlot`, `lastTask` and a pause outlive both. One that was retired is back, and has missed
   * no slot up to `now`.
   */
  readonly define: (definition: ScheduleDefinition, now: number) => Effect.Effect<StoredSchedule, TaskBackendError>
  readonly get: (name: string) => Effect.Effect<StoredSchedule | null, TaskBackendError>
  /** Retired ones too. `limit` is taken as a whole number from 1 to 200, default 50. */
  readonly list: (
    page: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
  ) => Effect.Effect<SchedulePage, TaskBackendError>
  /** No slot fires until `resume`. Answers the schedule, null when there is none. */
  readonly pause: (name: string, now: number) => Effect.Effect<StoredSchedule | null, TaskBackendError>
  /** Slots up to `now` are settled, not missed. Of one that is not paused nothing changes. */
  readonly resume: (name: string, now: number) => Effect.Effect<StoredSchedule | null, TaskBackendError>
  /** No slot fires until it is defined again; it stays to be seen. */
  readonly retire: (name: string, now: number) => Effect.Effect<StoredSchedule | null, TaskBackendError>
  /** Forgets it and its slots; its tasks stay. Answers whether it was there. */
  readonly remove: (name: string) => Effect.Effect<boolean, TaskBackendError>
  /**
   * Settles the slot and inserts its task as one unit, if the slot is later than every settled one: across all instances, each
   * slot fires at most once, whatever their clocks say. Refused like a write when the instance is not alive.
   */
  readonly fireSlot: (request: SlotRequest) => Effect.Effect<SlotOutcome, TaskBackendError | InstanceFenced>
  /**
   * Settles slots of one schedule, oldest first and asked for by one instance, as one unit: each as `fireSlot` would behind the one
   * before it, and none of them when it fails. Their tasks have no idempotency key. The answers are in the order of the requests. A
   * backend may be without it: one slot is asked for after the other then.
   */
  readonly fireSlots?: (
    requests: ReadonlyArray<SlotRequest>
  ) => Effect.Effect<ReadonlyArray<SlotOutcome>, TaskBackendError | InstanceFenced>
}
