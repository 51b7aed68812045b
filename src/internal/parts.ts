/** What the sides of TaskManager share. */
import type { TaskBackend } from "../TaskBackend.js"
import type { TaskDispatcher } from "../TaskDispatcher.js"
import type { TaskExecutor } from "../TaskExecutor.js"
import type { TaskflowConfig } from "../TaskflowConfig.js"
import type { TaskIds } from "../TaskId.js"
import type { TaskInstance } from "../TaskInstance.js"
import type { TaskJournal } from "../TaskJournal.js"
import type { TaskLease } from "../TaskLease.js"
import type { TaskRegistry } from "../TaskRegistry.js"
import type { TaskRunner } from "../TaskRunner.js"
import type { TaskScheduler } from "../TaskScheduler.js"
import type { TaskStore } from "../TaskStore.js"
import type { TaskVolatile } from "../TaskVolatile.js"

export interface Parts {
  readonly backend: TaskBackend["Type"]
  readonly config: TaskflowConfig["Type"]
  readonly dispatcher: TaskDispatcher["Type"]
  readonly executor: TaskExecutor["Type"]
  readonly ids: TaskIds["Type"]
  readonly instance: TaskInstance["Type"]
  readonly journal: TaskJournal["Type"]
  readonly lease: TaskLease["Type"]
  readonly registry: TaskRegistry["Type"]
  readonly runner: TaskRunner["Type"]
  readonly scheduler: TaskScheduler["Type"]
  readonly store: TaskStore["Type"]
  readonly volatile: TaskVolatile["Type"]
}
