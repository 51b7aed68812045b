/**
 * What is told of the fleet, as schemas: definitions, pauses, schedules, instances, groups of errors, the audit trail.
 */
import * as Schema from "effect/Schema"
import { Enqueued, InstanceId } from "../TaskEvent.js"
import { TaskId } from "../TaskId.js"
import { TaskStatus } from "../TaskStatus.js"
import { Count, ends, Json, Millis, Time } from "./TaskShapes.js"

const cursor = {
  /** The `cursor` of the next page; null at the end. */
  nextCursor: Schema.NullOr(Schema.String)
}

/** A pause in force. `taskName` null: of everything. */
export const Pause = Schema.Struct({
  taskName: Schema.NullOr(Schema.String),
  since: Time,
  by: Schema.String
}).annotations({ identifier: "TaskPause" })

/** What is paused, and which instances know. */
export const Pauses = Schema.Struct({
  items: Schema.Array(Pause),
  /** Live instances that heed exactly these, and those that have not said so yet. */
  heededBy: Schema.Array(InstanceId),
  awaiting: Schema.Array(InstanceId)
}).annotations({ identifier: "TaskPauses" })

/** What a pause did. */
export const Paused = Schema.Struct({ outcome: Schema.Literal("paused", "alreadyPaused") })
/** What a resume did. */
export const Resumed = Schema.Struct({ outcome: Schema.Literal("resumed", "notPaused") })

const RetryData = Schema.Struct({
  retries: Schema.Int,
  delay: Millis,
  backoff: Schema.Number,
  maxDelay: Schema.NullOr(Millis),
  jitter: Schema.Boolean
})

/** What is told of how a task is defined in the instance that answers. */
export const DefinitionFacts = Schema.Struct({
  version: Schema.Int,
  priority: Schema.Int,
  /** Attempts at once in one instance; null without a bound of its own. */
  concurrency: Schema.NullOr(Schema.Int),
  timeout: Schema.NullOr(Millis),
  /** As data; `schedule` when an Effect Schedule decides. */
  retry: Schema.Union(RetryData, Schema.Literal("schedule")),
  requeueOnInterrupt: Schema.Boolean,
  transactional: Schema.Boolean,
  persist: Schema.Boolean,
  eager: Schema.Boolean,
  /** Where attempts run. */
  executor: Enqueued.fields.executor,
  maxCrashes: Schema.Int,
  keyTtl: Schema.NullOr(Millis),
  /** JSON Schema of the payload's encoded form; null where there is none to give. */
  payloadSchema: Schema.NullOr(Json)
})

/** What became of the tasks of this name that ended within the last 24 hours. */
export const RecentEnds = Schema.Struct({
  ...ends,
  successRate: Schema.NullOr(Schema.Number),
  averageDuration: Schema.NullOr(Millis),
  p50Duration: Schema.NullOr(Millis),
  p95Duration: Schema.NullOr(Millis),
  p95Wait: Schema.NullOr(Millis)
})

/** A task by its name: how it is defined, where, and how it does. */
export const TaskDefinition = Schema.Struct({
  taskName: Schema.String,
  /** Null when no handler for it is in the instance that answers. */
  definition: Schema.NullOr(DefinitionFacts),
  /** Live instances that said they have a handler. */
  instances: Schema.Array(InstanceId),
  paused: Schema.Boolean,
  pending: Count,
  running: Count,
  /** The schedules of it that are not retired, by name, as far as they are among the first 1,000. */
  schedules: Schema.Array(Schema.String),
  last24h: RecentEnds
}).annotations({ identifier: "TaskDefinition" })

/** All tasks by name. */
export const TaskDefinitions = Schema.Struct({ items: Schema.Array(TaskDefinition) }).annotations({
  identifier: "TaskDefinitions"
})

/** One instance of the fleet. */
export const Instance = Schema.Struct({
  instance: InstanceId,
  /** The one that answers. */
  answering: Schema.Boolean,
  host: Schema.String,
  pid: Schema.NullOr(Schema.Int),
  state: Schema.Literal("live", "dead"),
  /** Its last heartbeat, by its own clock. */
  beatAt: Time,
  draining: Schema.Boolean,
  versions: Schema.NullOr(Schema.Struct({ app: Schema.NullOr(Schema.String), taskflow: Schema.String })),
  /** What it said with that heartbeat; null before the first. */
  slots: Schema.NullOr(Schema.Struct({ max: Schema.Int, active: Schema.Int })),
  waiting: Schema.NullOr(Schema.Int),
  /** How late its event loop was at worst, in milliseconds. */
  lag: Schema.NullOr(Schema.Number),
  /** The names it has handlers for; null when it did not say. */
  tasks: Schema.NullOr(Schema.Array(Schema.String)),
  /** When its engine started. This and what follows is null from an older version. */
  startedAt: Schema.NullOr(Time),
  /** How often it sends a heartbeat. */
  beatEvery: Schema.NullOr(Millis),
  /** Of its process, in bytes; `heapLimit` is what the heap may grow to. */
  memory: Schema.NullOr(Schema.Struct({ rss: Schema.Number, heapUsed: Schema.Number, heapLimit: Schema.Number })),
  /** How long tasks waited that first started in it within five minutes, the latest 1,000 of them. */
  waits: Schema.NullOr(Schema.Struct({ count: Schema.Int, p95: Schema.NullOr(Millis) })),
  /** Names with a bound of their own (`concurrency`), and how much of it is used in it: the fullest 50. */
  limits: Schema.NullOr(
    Schema.Array(Schema.Struct({ taskName: Schema.String, max: Schema.Int, active: Schema.Int }))
  )
}).annotations({ identifier: "TaskInstance" })

/** The instances that are alive, or being taken over. */
export const Instances = Schema.Struct({ items: Schema.Array(Instance) }).annotations({ identifier: "TaskInstances" })

/** Whether an instance claims no more. */
export const Drained = Schema.Struct({ instance: InstanceId, draining: Schema.Boolean })

/** When its slots are. */
const Trigger = Schema.Union(
  Schema.Struct({ every: Millis }),
  Schema.Struct({ cron: Schema.String, timezone: Schema.String })
)

/**
 * What it says (`trigger` to `executor`) is null where it cannot be read here; `problem` tells why then. `payload` is there only
 * where `displayArguments` and the caller's access show it, secrets replaced.
 */
export const StoredSchedule = Schema.Struct({
  name: Schema.String,
  taskName: Schema.String,
  origin: Schema.Literal("code", "dynamic"),
  trigger: Schema.NullOr(Trigger),
  /** The same for people, as `every 5 minutes` or `0 3 * * * (Europe/Rome)`. */
  when: Schema.NullOr(Schema.String),
  /** The same in English, as `every day at 03:00`; null where that would only be almost right. */
  words: Schema.NullOr(Schema.String),
  misfire: Schema.NullOr(Schema.Literal("skip", "once", "all")),
  maxCatchUp: Schema.NullOr(Schema.Int),
  overlap: Schema.NullOr(Schema.Literal("allow", "skip")),
  runOnStartup: Schema.NullOr(Schema.Boolean),
  priority: Schema.NullOr(Schema.Int),
  tags: Schema.NullOr(Schema.Record({ key: Schema.String, value: Schema.String })),
  executor: Schema.NullOr(Enqueued.fields.executor),
  problem: Schema.NullOr(Schema.String),
  /** Null while it is paused, too. */
  nextSlot: Schema.NullOr(Time),
  /** The next five; of a paused one those that would come. */
  nextSlots: Schema.Array(Time),
  /** The latest one that is settled: fired, passed over, or not missed because of a pause. */
  lastSlot: Schema.NullOr(Time),
  /** The task of the latest one that fired. */
  lastTask: Schema.NullOr(TaskId),
  /** Of that task; null when it was removed. */
  lastStatus: Schema.NullOr(TaskStatus),
  lastDuration: Schema.NullOr(Millis),
  definedAt: Time,
  /** When an instance last said that this is what it says. */
  seenAt: Time,
  pausedAt: Schema.NullOr(Time),
  /** Not defined by any program any more. */
  retiredAt: Schema.NullOr(Time),
  payload: Schema.optional(Json),
  hidden: Schema.Array(Schema.Literal("payload"))
}).annotations({ identifier: "TaskSchedule" })

/** A task that a schedule enqueued, or somebody who ran it by hand: `source` says which. */
export const ScheduleRun = Schema.Struct({
  taskId: TaskId,
  /** The moment it stands for. */
  slot: Schema.NullOr(Time),
  source: Enqueued.fields.source,
  status: TaskStatus,
  createdAt: Time,
  startedAt: Schema.NullOr(Time),
  endedAt: Schema.NullOr(Time),
  duration: Schema.NullOr(Millis)
}).annotations({ identifier: "TaskScheduleRun" })

/**
 * A slot that passed without a run of its own. `overlap`: the run before had not ended. `passed`: nobody was there to fire it, the
 * schedule was paused then, its idempotency key was held, or somebody removed the run.
 */
export const ScheduleGap = Schema.Struct({
  slot: Time,
  reason: Schema.Literal("overlap", "passed")
}).annotations({ identifier: "TaskScheduleGap" })

/** The last runs of a schedule, and its slots without one. */
export const ScheduleRuns = Schema.Struct({
  items: Schema.Array(ScheduleRun),
  /** Among the newest 120 slots since the oldest of these, the newest first. None from before a run may have been removed by age. */
  gaps: Schema.Array(ScheduleGap)
}).annotations({
  identifier: "TaskScheduleRuns"
})

/** The schedule that was forgotten. */
export const ScheduleRemoved = Schema.Struct({ schedule: Schema.String })

/** A page of schedules, by name. */
export const Schedules = Schema.Struct({ items: Schema.Array(StoredSchedule), ...cursor }).annotations({
  identifier: "TaskSchedules"
})

/** Failed tasks of one name that are the same to a person. */
export const ErrorGroup = Schema.Struct({
  fingerprint: Schema.String,
  taskName: Schema.String,
  count: Count,
  /** How many of them were there when somebody dismissed the group. */
  dismissed: Count,
  firstSeenAt: Time,
  lastSeenAt: Time,
  lastTask: TaskId,
  sample: Schema.Struct({
    kind: Schema.String,
    name: Schema.String,
    message: Schema.String,
    frame: Schema.NullOr(Schema.String)
  })
}).annotations({ identifier: "TaskErrorGroup" })

/** A page of groups of errors, the latest first. */
export const ErrorGroups = Schema.Struct({ items: Schema.Array(ErrorGroup), ...cursor }).annotations({
  identifier: "TaskErrorGroups"
})

/** The group of errors that was dismissed. */
export const Dismissed = Schema.Struct({ fingerprint: Schema.String })

/** What somebody did, or was not allowed to. */
export const AuditEntry = Schema.Struct({
  id: Schema.String,
  at: Time,
  who: Schema.String,
  /** As `retry` or `schedule.pause`. */
  action: Schema.String,
  target: Schema.NullOr(Schema.String),
  parameters: Json,
  /** `done`, `denied`, or the tag of what went wrong. */
  outcome: Schema.String
}).annotations({ identifier: "TaskAuditEntry" })

/** A page of what people did, the latest first. */
export const AuditTrail = Schema.Struct({ items: Schema.Array(AuditEntry), ...cursor }).annotations({
  identifier: "TaskAuditTrail"
})
