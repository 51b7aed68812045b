/**
 * The six statuses of a task and the table of moves between them.
 *
 * The table is the only place that says which event may leave which status; TaskRecord.apply obeys it, the docs print it.
 */
import * as Schema from "effect/Schema"
import type { TaskEvent } from "./TaskEvent.js"

/** Lower case on the wire. A task between two attempts is `running` with `nextAttemptAt` set. */
export const TaskStatus = Schema.Literal("pending", "running", "success", "failed", "interrupted", "cancelled")

/** Lower case on the wire. A task between two attempts is `running` with `nextAttemptAt` set. */
export type TaskStatus = typeof TaskStatus.Type

/** Every status, in the order in which a task meets them. */
export const all: ReadonlyArray<TaskStatus> = TaskStatus.literals

/** Nothing leaves these. */
export type Terminal = "success" | "failed" | "interrupted" | "cancelled"

/** Whether a task in this status will never change again. */
export const isTerminal = (status: TaskStatus): status is Terminal => status !== "pending" && status !== "running"

/** The statuses from which a person may retry: the work did not succeed, and will not be tried again by itself. */
export const isRetryable = (status: TaskStatus): boolean => isTerminal(status) && status !== "success"

/** Event tag → status it leaves → status it leads to. What is absent is an illegal transition. */
export const transitions: {
  readonly [Tag in TaskEvent["_tag"]]: { readonly [From in TaskStatus]?: TaskStatus }
} = {
  Enqueued: {},
  Started: { pending: "running", running: "running" },
  AttemptFailed: { running: "running" },
  Snoozed: { running: "running" },
  Succeeded: { running: "success" },
  Failed: { running: "failed" },
  CancelRequested: { running: "running" },
  Cancelled: { pending: "cancelled", running: "cancelled" },
  Interrupted: { running: "interrupted" },
  Requeued: { running: "pending" },
  Logged: { running: "running" },
  Progressed: { running: "running" }
}
