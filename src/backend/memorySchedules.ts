/** The schedules of MemoryBackend. Plain data, no effects. */
import { pageLimit } from "../internal/pageLimit.js"
import * as ScheduleRow from "../internal/scheduleRow.js"
import type { ScheduleDefinition, SchedulePage, SlotOutcome, SlotRequest, StoredSchedule } from "../ScheduleStore.js"
import type { Outcome } from "../TaskBackend.js"
import type { InstanceId } from "../TaskEvent.js"
import type { TaskId } from "../TaskId.js"

export interface Tasks {
  readonly isLive: (taskId: TaskId) => boolean
  /** Inserts it and tells of it. */
  readonly insert: (record: SlotRequest["record"], now: number, by: InstanceId) => Outcome
}

export const make = (tasks: Tasks) => {
  const rows = new Map<string, StoredSchedule>()

  const put = (row: StoredSchedule): StoredSchedule => {
    rows.set(row.name, row)
    return row
  }

  const change = (to: (row: StoredSchedule, now: number) => StoredSchedule) => (name: string, now: number) => {
    const row = rows.get(name)
    return row === undefined ? null : put(to(row, now))
  }

  return {
    define: (definition: ScheduleDefinition, now: number): StoredSchedule =>
      put(ScheduleRow.define(rows.get(definition.name) ?? null, definition, now)),
    get: (name: string): StoredSchedule | null => rows.get(name) ?? null,
    list: (
      { cursor, limit: asked }: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    ): SchedulePage => {
      const limit = pageLimit(asked)
      const names = [...rows.keys()].filter((name) => cursor === undefined || name > cursor).sort()
      const items = names.slice(0, limit).map((name) => rows.get(name)!)
      return { items, nextCursor: names.length > limit ? names[limit - 1]! : null }
    },
    pause: change(ScheduleRow.pause),
    resume: change(ScheduleRow.resume),
    retire: change(ScheduleRow.retire),
    remove: (name: string): boolean => rows.delete(name),

    fireSlot: (request: SlotRequest): SlotOutcome => {
      const { name, now, overlap, record, slot } = request
      const row = rows.get(name) ?? null
      const look = ScheduleRow.look(row, request)
      if (look._tag !== "Due" || row === null) return look._tag === "Due" ? { _tag: "NotFound" } : look
      if (overlap === "skip" && row.lastTask !== null && tasks.isLive(row.lastTask)) {
        put(ScheduleRow.settled(row, slot, null))
        return { _tag: "Overlapping", running: row.lastTask }
      }
      const outcome = tasks.insert(record, now, request.instance)
      const taskId = outcome._tag === "Duplicate" ? outcome.taskId : record.taskId
      put(ScheduleRow.settled(row, slot, taskId))
      return outcome._tag === "Duplicate" ? outcome : { _tag: "Fired" }
    }
  }
}
