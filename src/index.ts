// The vocabulary
export * as TaskId from "./TaskId.js"
export * as TaskStatus from "./TaskStatus.js"
export * as TaskEvent from "./TaskEvent.js"
export * as TaskRecord from "./TaskRecord.js"
export * as TaskError from "./TaskError.js"
export * as RetryPolicy from "./RetryPolicy.js"
export {
  type EnqueueError,
  InstanceFenced,
  TaskAlreadyRetried,
  TaskArgumentError,
  TaskBackendError,
  TaskDecryptionError,
  TaskDefect,
  TaskDefinitionError,
  TaskflowWiringError,
  TaskHoldLimit,
  TaskInTransaction,
  TaskKeyBusy,
  TaskKeyHeld,
  TaskNotFound,
  TaskNotRegistered,
  TaskScheduleError,
  TaskScheduleNotFound,
  TaskStopped,
  TaskTimeout,
  TaskWrongStatus,
  TaskWrongTransaction
} from "./TaskError.js"

// 1 define
export * as Task from "./Task.js"

// 2 enqueue
export { type CancelOutcome, type EnqueueResult, TaskManager, type TaskManagerService } from "./TaskManager.js"
export { BackgroundTasks, type BackgroundTasksOptions, type BackgroundTasksService } from "./BackgroundTasks.js"

// 3 queue, 4 run: inside a handler
export { TaskContext } from "./TaskContext.js"
export * as TaskLog from "./TaskLog.js"
export * as TaskProgress from "./TaskProgress.js"

// 6 observe; files, the console and memory are a subpath: /observers
export * as TaskObserver from "./TaskObserver.js"
export { type Recorded } from "./TaskEvents.js"
export { type TaskChanges } from "./TaskFeed.js"
export * as TaskChange from "./TaskChange.js"
export * as TaskMetrics from "./TaskMetrics.js"

// 7 persist: the port, and memory; databases are subpaths: /sqlite, /postgres, /mysql, /redis, /sql
export * as MemoryBackend from "./backend/MemoryBackend.js"
export * as TaskCipher from "./TaskCipher.js"
export {
  type AttemptEntry,
  type BackendInfo,
  type Batch,
  type CancelResult,
  type Change,
  type Claimed,
  type ClaimRequest,
  type Counted,
  type CountQuery,
  type Durability,
  type ListPage,
  type ListQuery,
  type Outcome,
  type Rollup,
  type RollupQuery,
  type Stats,
  TaskBackend,
  type Unfinished
} from "./TaskBackend.js"
export { type Distribution } from "./TaskRollup.js"
export { type AuditEntry, type AuditPage, type AuditQuery, type AuditStore } from "./AuditStore.js"
export { type Control, type ControlStore, type ControlTarget, type Paused, type PauseOutcome } from "./ControlStore.js"
export { type ErrorGroup, type ErrorPage, type ErrorQuery, type ErrorStore, type FailureSample } from "./ErrorStore.js"
export {
  type StoredSchedule,
  type ScheduleDefinition,
  type SchedulePage,
  type ScheduleStore,
  type SlotOutcome,
  type SlotRequest
} from "./ScheduleStore.js"
export {
  type Heartbeat,
  type InstanceFacts,
  type InstanceInfo,
  type Peer,
  type Reaped,
  type Vitals
} from "./TaskPeer.js"
export { type FeedPage, type FeedQuery, type Hint } from "./TaskChange.js"

// 8 schedule
export * as TaskSchedule from "./TaskSchedule.js"
export { type TaskSchedules } from "./TaskSchedules.js"
export {
  type Misfire,
  type Overlap,
  type ScheduleFacts,
  type TaskScheduleInfo,
  type TaskSchedulePage,
  type Trigger
} from "./TaskScheduleInfo.js"

// Wiring
export { TaskflowLayer } from "./Taskflow.js"
export type { TaskflowOptions } from "./TaskflowConfig.js"
