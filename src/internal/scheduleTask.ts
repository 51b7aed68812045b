/** The task of a slot, from what its schedule says. Pure. */
import type { TaskId } from "../TaskId.js"
import { fromEnqueued, type TaskRecord } from "../TaskRecord.js"
import type { ScheduleFacts } from "../TaskScheduleInfo.js"

export const recordOf = (
  { facts, name, taskName }: { readonly name: string; readonly taskName: string; readonly facts: ScheduleFacts },
  slot: number,
  source: TaskRecord["source"],
  taskId: TaskId,
  now: number,
  trace: string | null
): TaskRecord =>
  fromEnqueued({
    _tag: "Enqueued",
    taskId,
    at: now,
    taskName,
    kind: "task",
    payload: facts.payload,
    priority: facts.priority,
    tags: facts.tags,
    idempotencyKey: facts.idempotencyKey,
    keyTtl: facts.keyTtl,
    source,
    schedule: { name, slot },
    executor: facts.executor,
    requeueOnInterrupt: facts.requeueOnInterrupt,
    maxCrashes: facts.maxCrashes,
    definitionVersion: facts.definitionVersion,
    runAt: null,
    retryOf: null,
    trace,
    owner: null
  })
