/** What the API answers, as types alone: those of the server itself. */
import type * as Actions from "../../http/ActionShapes.js"
import type * as AuthApi from "../../http/auth/AuthApi.js"
import type * as Batches from "../../http/BatchShapes.js"
import type * as Charts from "../../http/ChartShapes.js"
import type * as Fleet from "../../http/FleetShapes.js"
import type * as Shapes from "../../http/TaskShapes.js"

/** One run in a list: what the API calls the summary of a task. */
export type Run = typeof Shapes.TaskSummary.Type
export type RunDetail = typeof Shapes.TaskDetail.Type
export type RunPage = typeof Shapes.TaskPage.Type
export type LogLine = typeof Shapes.TaskLogLine.Type
export type LogPage = typeof Shapes.TaskLogPage.Type
export type Attempt = typeof Shapes.TaskAttempt.Type
export type Attempts = typeof Shapes.TaskAttempts.Type
export type Facets = typeof Charts.Facets.Type
export type WindowStats = typeof Charts.WindowStats.Type
export type Bucket = typeof Charts.Bucket.Type
export type Buckets = typeof Charts.Buckets.Type
export type Overview = typeof Charts.Overview.Type
export type OverviewTask = typeof Charts.OverviewTask.Type
export type Durations = typeof Charts.Durations.Type
export type Suggestion = typeof Charts.Suggestion.Type
export type Suggestions = typeof Charts.Suggestions.Type
export type Session = typeof AuthApi.LoggedIn.Type
export type Permission = Session["permissions"][number]
export type Retried = typeof Actions.TaskRetried.Type
export type Cancelled = typeof Actions.TaskCancelled.Type | typeof Actions.TaskCancelRequested.Type
export type ManyRetried = typeof Actions.TasksRetried.Type
export type ManyCancelled = typeof Actions.TasksCancelled.Type
export type Batch = typeof Batches.Batch.Type
export type BatchAccepted = typeof Batches.BatchAccepted.Type
export type BatchList = typeof Batches.Batches.Type
export type BatchStopped = typeof Batches.BatchStopped.Type
export type HistoryDeleted = typeof Actions.HistoryDeleted.Type
export type Definition = typeof Fleet.TaskDefinition.Type
export type Definitions = typeof Fleet.TaskDefinitions.Type
export type ErrorGroup = typeof Fleet.ErrorGroup.Type
export type ErrorGroups = typeof Fleet.ErrorGroups.Type
export type Paused = typeof Fleet.Paused.Type
export type Pauses = typeof Fleet.Pauses.Type
export type Resumed = typeof Fleet.Resumed.Type
export type Schedule = typeof Fleet.StoredSchedule.Type
export type Schedules = typeof Fleet.Schedules.Type
export type ScheduleRun = typeof Fleet.ScheduleRun.Type
export type ScheduleRuns = typeof Fleet.ScheduleRuns.Type
export type Triggered = typeof Actions.TaskEnqueued.Type | typeof Actions.TaskDeduplicated.Type
export type Instance = typeof Fleet.Instance.Type
export type Instances = typeof Fleet.Instances.Type
export type AuditEntry = typeof Fleet.AuditEntry.Type
export type AuditTrail = typeof Fleet.AuditTrail.Type

/** What is sent to enqueue a task: as the API reads it, before it is read. */
export interface EnqueueBody {
  readonly payload?: unknown
  readonly idempotencyKey?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly priority?: number
  /** Milliseconds. */
  readonly delay?: number
  /** ISO 8601. */
  readonly runAt?: string
}

/** A status as it is shown: a run that waits for its next attempt is retrying. */
export type ShownStatus = Run["status"] | "retrying"

export const shownStatus = ({ nextAttemptAt, status }: Pick<Run, "nextAttemptAt" | "status">): ShownStatus =>
  status === "running" && nextAttemptAt !== null ? "retrying" : status

export const isEnded = ({ status }: Pick<Run, "status">): boolean => status !== "pending" && status !== "running"
