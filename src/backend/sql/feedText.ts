/**
 * What a batch's own row says of its changes: written with every batch, so short and made without detours; read by the feed.
 *
 * One JSON array: the task names first, then an array for each change, whose place of the name is -1 for new lines and -2
 * for progress. The same row has the outcomes in front, behind a line break.
 */
import type { Batch, Change } from "../../TaskBackend.js"
import type { TaskChange } from "../../TaskChange.js"
import type { InstanceId } from "../../TaskEvent.js"
import type { TaskId } from "../../TaskId.js"
import type { TaskRecord } from "../../TaskRecord.js"
import type { TaskStatus } from "../../TaskStatus.js"
import type { Found, Plan } from "./plan.js"
import { nameText } from "./rows.js"

// Stored by their place: to be appended to, never changed.
const statuses: ReadonlyArray<TaskStatus> = ["pending", "running", "success", "failed", "interrupted", "cancelled"]
const placeOf: Record<TaskStatus, number> = {
  pending: 0,
  running: 1,
  success: 2,
  failed: 3,
  interrupted: 4,
  cancelled: 5
}

const logged = -1
const progressed = -2

const make = (instance: string) => {
  const names: Array<string> = []
  let text = ""

  const changed = (
    record: TaskRecord,
    status: TaskStatus,
    owner: string | null,
    cancel: boolean
  ): void => {
    const { retryOf, taskName } = record
    let name = names.indexOf(taskName)
    if (name === -1) name = names.push(taskName) - 1
    const due = status === "pending" ? record.runAt : status === "running" ? record.nextAttemptAt : null
    const held = owner === null ? 0 : owner === instance ? 1 : `"${owner}"`
    text += `,["${record.taskId}",${name},${placeOf[status]},${held},${record.claim},${record.attempts}`
    // Most have none of these.
    if (cancel || due !== null || retryOf !== null) {
      text += `,${cancel ? 1 : 0},${due}${retryOf === null ? "" : `,"${retryOf}"`}`
    }
    text += "]"
  }

  return {
    changed,
    logged: (taskId: string, lines: number | null): void => {
      text += `,["${taskId}",${logged},${lines}]`
    },
    progressed: (change: Extract<Change, { readonly _tag: "Progress" }>): void => {
      const { claim, progress, taskId } = change
      text += `,["${taskId}",${progressed},${claim},${JSON.stringify(progress.value)},${
        JSON.stringify(progress.message)
      }]`
    },
    text: (): string => text === "" ? "" : `[[${names.map(nameText).join()}]${text}]`
  }
}

/** Of records as a claim, a reap or a cancel left them. */
export const ofRecords = (instance: string, records: ReadonlyArray<TaskRecord>): string => {
  const body = make(instance)
  for (const record of records) body.changed(record, record.status, record.owner, record.cancelRequested)
  return body.text()
}

/** Of changes that were all applied, none of them a line or progress. */
export const ofPlain = (
  instance: string,
  changes: ReadonlyArray<Extract<Change, { readonly record: TaskRecord }>>
): string => {
  const body = make(instance)
  for (const { record } of changes) body.changed(record, record.status, record.owner, record.cancelRequested)
  return body.text()
}

/** Of a batch, by its outcomes, and the rows as they are behind it. */
export const ofBatch = (
  { changes, instance }: Batch,
  { done, outcomes }: Pick<Plan, "done" | "outcomes">,
  { live }: Pick<Found, "live">
): string => {
  const body = make(instance)
  const written = new Set<string>()
  for (let index = 0; index < changes.length; index += 1) {
    const change = changes[index]!
    const { _tag } = outcomes[index]!
    if (_tag === "CancelledInstead" && "record" in change) body.changed(change.record, "cancelled", null, true)
    if (_tag !== "Applied") continue
    switch (change._tag) {
      case "Log":
        written.add(change.taskId)
        break
      case "Progress":
        body.progressed(change)
        break
      case "Unclaim":
        body.changed(change.record, change.record.status, null, false)
        break
      default:
        body.changed(change.record, change.record.status, change.record.owner, change.record.cancelRequested)
    }
  }
  // However many lines a batch has for a task, one word of them will do.
  for (const taskId of written) {
    const lines = live.get(taskId)?.log_lines ?? done.find((record) => record.taskId === taskId)?.logLines
    body.logged(taskId, lines ?? null)
  }
  return body.text()
}

type Entry = readonly [taskId: TaskId, place: number, ...ReadonlyArray<unknown>]

/** The changes of a row. */
export const changesOf = (body: string, by: InstanceId, at: number): ReadonlyArray<TaskChange> => {
  if (body === "") return []
  // safe (all casts here): what was written above
  const [names, ...entries]: readonly [ReadonlyArray<string>, ...ReadonlyArray<Entry>] = JSON.parse(body)
  return entries.map((entry): TaskChange => {
    const [taskId, place] = entry
    const common = { taskId, at, by }
    if (place === logged) return { _tag: "Logged", ...common, lines: entry[2] as number | null }
    if (place === progressed) {
      const [, , claim, value, message] = entry as ReadonlyArray<unknown> as [
        never,
        never,
        number,
        number,
        string | null
      ]
      return { _tag: "Progressed", ...common, claim, progress: { value, message } }
    }
    const owner = entry[3] as 0 | 1 | InstanceId
    return {
      _tag: "Changed",
      ...common,
      taskName: names[place]!,
      status: statuses[entry[2] as number]!,
      owner: owner === 0 ? null : owner === 1 ? by : owner,
      claim: entry[4] as number,
      attempts: entry[5] as number,
      cancelRequested: entry[6] === 1,
      dueAt: (entry[7] ?? null) as number | null,
      retryOf: (entry[8] ?? null) as TaskId | null
    }
  })
}
