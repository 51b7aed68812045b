/** From the facts of a call of `enqueue` to a record. Pure. */
import type { TaskId } from "../TaskId.js"
import { fromEnqueued, type TaskRecord } from "../TaskRecord.js"
import type { Definition } from "./definition.js"
import type { Prepared } from "./prepare.js"

/** The record of a new task: what a call gave, and what its definition says about every task of it. Nobody owns it. */
export const newRecord = (
  definition: Definition,
  prepared: Prepared,
  taskId: TaskId,
  now: number,
  trace: string | null,
  kind: TaskRecord["kind"] = "task"
): TaskRecord =>
  fromEnqueued({
    _tag: "Enqueued",
    taskId,
    at: now,
    taskName: definition.taskName,
    kind,
    payload: prepared.payload,
    priority: prepared.priority,
    tags: prepared.tags,
    idempotencyKey: prepared.idempotencyKey,
    keyTtl: definition.keyTtl,
    source: "manual",
    schedule: null,
    executor: kind === "effect" ? "fiber" : definition.executor,
    requeueOnInterrupt: definition.requeueOnInterrupt,
    maxCrashes: definition.maxCrashes,
    definitionVersion: definition.version,
    runAt: prepared.runAt,
    retryOf: null,
    trace,
    owner: null
  })
