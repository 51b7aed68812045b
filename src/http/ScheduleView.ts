/**
 * What people and programs are shown of a schedule, as the JSON of `TaskApi`. Pure.
 */
import type { Definition } from "../internal/definition.js"
import * as Trigger from "../internal/trigger.js"
import { durationOf, type TaskRecord } from "../TaskRecord.js"
import type { ScheduleFacts, TaskScheduleInfo } from "../TaskScheduleInfo.js"
import { cronInWords } from "./cronWords.js"
import type * as TaskApi from "./TaskApi.js"
import * as TaskView from "./TaskView.js"

const { iso, isoOrNull } = TaskView

/** What else is known of a schedule that is shown. */
export interface Around {
  readonly nextSlots: ReadonlyArray<number>
  /** The task of its latest slot; null when there is none, or it was removed. */
  readonly last: TaskRecord | null
  /** How its task is defined here. */
  readonly definition: Definition | undefined
  readonly visible: TaskView.Visible
}

/** Why what it says is not shown. */
export const unreadable = "what it says cannot be read here: a newer version wrote it, or it is encrypted with a key " +
  "that this server does not have"

const triggerShown = ({ trigger }: ScheduleFacts) =>
  trigger._tag === "Every"
    ? { every: trigger.millis }
    : { cron: trigger.expression, timezone: trigger.timezone }

const factsShown = (
  { facts, taskName }: Pick<TaskScheduleInfo, "facts" | "taskName">,
  { definition, visible: { payload: visible, redaction } }: Around
) => {
  if (facts === null) {
    return {
      trigger: null,
      when: null,
      words: null,
      misfire: null,
      maxCatchUp: null,
      overlap: null,
      runOnStartup: null,
      priority: null,
      tags: null,
      executor: null,
      problem: unreadable,
      hidden: ["payload" as const]
    }
  }
  const { definitionVersion, executor, maxCatchUp, misfire, overlap, payload, priority, runOnStartup, tags } = facts
  const shown = visible
    ? TaskView.payload({ kind: "task", taskName, payload, definitionVersion }, definition, redaction)
    : undefined
  return {
    trigger: triggerShown(facts),
    when: Trigger.text(facts.trigger),
    words: facts.trigger._tag === "Every" ? Trigger.text(facts.trigger) : cronInWords(facts.trigger.expression),
    misfire,
    maxCatchUp,
    overlap,
    runOnStartup,
    priority,
    tags: TaskView.shownTags({ tags, taskName }, redaction),
    executor,
    problem: null,
    ...shown === undefined ? { hidden: ["payload" as const] } : { payload: shown, hidden: [] }
  }
}

/** A schedule as it is shown. Its payload follows the rules of a task's: hidden unless this server knows its secrets. */
export const schedule = (info: TaskScheduleInfo, around: Around): typeof TaskApi.StoredSchedule.Type => ({
  name: info.name,
  taskName: info.taskName,
  origin: info.origin,
  ...factsShown(info, around),
  nextSlot: isoOrNull(info.nextSlot),
  nextSlots: around.nextSlots.map(iso),
  lastSlot: isoOrNull(info.lastSlot),
  lastTask: info.lastTask,
  lastStatus: around.last?.status ?? null,
  lastDuration: around.last === null ? null : durationOf(around.last),
  definedAt: iso(info.definedAt),
  seenAt: iso(info.seenAt),
  pausedAt: isoOrNull(info.pausedAt),
  retiredAt: isoOrNull(info.retiredAt)
})

/** A task of a schedule, as little of it as a row of marks needs. */
export const run = (record: TaskRecord): typeof TaskApi.ScheduleRun.Type => ({
  taskId: record.taskId,
  slot: isoOrNull(record.schedule?.slot ?? null),
  source: record.source,
  status: record.status,
  createdAt: iso(record.createdAt),
  startedAt: isoOrNull(record.startedAt),
  endedAt: isoOrNull(record.endedAt),
  duration: durationOf(record)
})
