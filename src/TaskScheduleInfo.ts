/**
 * A schedule as people and programs look at it: what is kept of it, with its text read and its next slot worked out.
 */
import type { StoredSchedule } from "./ScheduleStore.js"
import type { TaskRecord } from "./TaskRecord.js"

/** When slots are: every so many milliseconds from the anchor, or as a cron expression says in a time zone. */
export type Trigger =
  | { readonly _tag: "Every"; readonly millis: number }
  | { readonly _tag: "Cron"; readonly expression: string; readonly timezone: string }

/** What happens to slots that no instance was there to fire: none of them, the newest, or all (the newest `maxCatchUp`). */
export type Misfire = "skip" | "once" | "all"

/** Whether a slot fires while the task of the one before has not ended. */
export type Overlap = "allow" | "skip"

/** What a schedule says. */
export interface ScheduleFacts {
  readonly trigger: Trigger
  readonly misfire: Misfire
  readonly maxCatchUp: number
  readonly overlap: Overlap
  readonly runOnStartup: boolean
  /** JSON text in the encoded form of the task's payload. */
  readonly payload: string
  readonly priority: number
  readonly tags: Readonly<Record<string, string>>
  readonly idempotencyKey: string | null
  readonly keyTtl: number | null
  readonly executor: TaskRecord["executor"]
  readonly requeueOnInterrupt: boolean
  readonly maxCrashes: number
  readonly definitionVersion: number
}

/** A schedule as it is known. Times are epoch milliseconds. */
export interface TaskScheduleInfo extends Omit<StoredSchedule, "spec" | "definition"> {
  /** Null when its text cannot be read here: written by a newer version, or encrypted with a key this program does not have. */
  readonly facts: ScheduleFacts | null
  /** The next slot; null while it is paused, when it is retired, when it has none, and when its text cannot be read. */
  readonly nextSlot: number | null
}

/** One page of schedules by name; the next begins behind `nextCursor`, null at the end. */
export interface TaskSchedulePage {
  readonly items: ReadonlyArray<TaskScheduleInfo>
  readonly nextCursor: string | null
}
