/**
 * Schedules as a program, a router or an operator deals with them at run time: `TaskManager.schedules`.
 *
 * Those of the code (`TaskSchedule.layer`) and those that were made here are looked at and steered alike, from any instance.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Options } from "./internal/scheduleOptions.js"
import type { SlotGap } from "./internal/slotGaps.js"
import type { Any } from "./Task.js"
import type {
  EnqueueError,
  TaskArgumentError,
  TaskBackendError,
  TaskScheduleError,
  TaskScheduleNotFound
} from "./TaskError.js"
import type { EnqueueResult } from "./TaskManager.js"
import type { TaskRecord } from "./TaskRecord.js"
import type { TaskScheduleInfo, TaskSchedulePage } from "./TaskScheduleInfo.js"

/** Schedules at run time: looked at, steered, made and removed. */
export interface TaskSchedules {
  /** By name, retired ones too. `limit`: 1 to 200, default 50. */
  readonly list: (
    page?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
  ) => Effect.Effect<TaskSchedulePage, TaskBackendError>
  /** Null: there is no such schedule. */
  readonly get: (name: string) => Effect.Effect<TaskScheduleInfo | null, TaskBackendError>
  /** No slot fires until it is resumed, here at once and by no other instance either. Null: there is no such schedule. */
  readonly pause: (name: string) => Effect.Effect<TaskScheduleInfo | null, TaskBackendError>
  /** What was due meanwhile is not missed. Null: there is no such schedule. */
  readonly resume: (name: string) => Effect.Effect<TaskScheduleInfo | null, TaskBackendError>
  /**
   * Enqueues one run now, whatever its slots and also while it is paused. No slot is settled by it. The task's `source` is
   * `manual`, its `schedule` has the moment of the call.
   */
  readonly trigger: (name: string) => Effect.Effect<EnqueueResult, TaskScheduleNotFound | EnqueueError>
  /**
   * Makes a schedule that is kept in the backend and fired by every instance, until it is removed: it needs no code to stay.
   * Another one of the same name is replaced, its slots up to now stay settled. A name that the code of a program has is
   * refused. Default name: the task's.
   */
  readonly upsert: <T extends Any>(
    task: T,
    options: Options<T>
  ) => Effect.Effect<
    TaskScheduleInfo,
    TaskScheduleError | TaskArgumentError | TaskBackendError,
    T["payloadSchema"]["Context"]
  >
  /**
   * Forgets the schedule and which slots of it fired; its tasks stay. One that the code of a running program has is defined
   * anew. Answers whether it was there.
   */
  readonly remove: (name: string) => Effect.Effect<boolean, TaskBackendError>
  /** The next slots after now, of a paused one too: at most `count` (1 to 100). None of one that is retired or unreadable. */
  readonly next: (schedule: TaskScheduleInfo, count: number) => ReadonlyArray<number>
  /**
   * Slots up to the last settled one that have no run among these, the newest first: at most 120 slots are looked at. `areAll`:
   * the schedule has no other runs. Nothing is said of times of which retention may have removed a run.
   */
  readonly gaps: (
    schedule: TaskScheduleInfo,
    runs: ReadonlyArray<TaskRecord>,
    areAll: boolean
  ) => ReadonlyArray<SlotGap>
  /** For `TaskSchedule.layer`: the schedule is the code's until the scope closes. What is wrong with it is a defect. */
  readonly register: <T extends Any>(
    task: T,
    options: Options<T>
  ) => Effect.Effect<void, never, T["payloadSchema"]["Context"] | Scope.Scope>
}
