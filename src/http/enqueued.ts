/** What came of an enqueue, as the JSON of `TaskApi`. Pure. */
import type { EnqueueResult } from "../TaskManager.js"
import type * as TaskApi from "./TaskApi.js"

export type EnqueueAnswer = typeof TaskApi.TaskEnqueued.Type | typeof TaskApi.TaskDeduplicated.Type

export const enqueued = ({ _tag, taskId }: EnqueueResult): EnqueueAnswer =>
  _tag === "Enqueued" ? { outcome: "enqueued", taskId } : { outcome: "deduplicated", taskId }
