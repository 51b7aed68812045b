/**
 * Task records as the fields of a hash and back.
 *
 * `h` is what changes and what scripts decide by, in words; `m` and `f` never change: what scripts need of it, and the rest as
 * JSON. `e`, `p` and `r` are the failure, the progress and the result as JSON, absent when there is none. Every text a user can
 * choose is JSON text, so that lone surrogates survive.
 */
import { createHash } from "node:crypto"
import type { AttemptEntry } from "../../TaskBackend.js"
import { type InstanceId, type StopReason, type TaskFailure } from "../../TaskEvent.js"
import type { TaskId } from "../../TaskId.js"
import { dueAt, isLive, type TaskRecord } from "../../TaskRecord.js"
import type { Reply } from "./script.js"

const orDash = (value: string | number | null): string | number => value === null ? "-" : value
const textOrNull = (word: string): string | null => word === "-" ? null : word
const numberOrNull = (word: string): number | null => word === "-" ? null : Number(word)

/** A task name as part of a key: JSON text. */
export const nameText = (name: string): string => {
  let text = texts.get(name)
  if (text === undefined) {
    text = JSON.stringify(name)
    // Task names are few; were they not, they are made anew.
    if (texts.size < 10_000) texts.set(name, text)
  }
  return text
}
const texts = new Map<string, string>()

/** The task name that this is the text of. */
export const nameFrom = (text: string): string => {
  let name = names.get(text)
  if (name === undefined) {
    name = JSON.parse(text) as string // safe: what nameText wrote
    if (names.size < 10_000) names.set(text, name)
  }
  return name
}
const names = new Map<string, string>()

export const hashOf = (first: string, second: string): string =>
  createHash("sha256").update(JSON.stringify([first, second])).digest("base64url")

/** Of the key within its task name; `-` without one. */
export const keyHash = ({ idempotencyKey, taskName }: TaskRecord): string =>
  idempotencyKey === null ? "-" : hashOf(taskName, idempotencyKey)

/** The index of tasks with this tag. */
export const tagIndex = (name: string, value: string): string => `g:${hashOf(name, value)}`

/** The index of tasks for slots of this schedule. */
export const scheduleIndex = (name: string): string => `sc:${hashOf("schedule", name)}`

/** The index of failed tasks with this fingerprint. */
export const errorIndex = (fingerprint: string): string => `er:${fingerprint}`

/** Indexes that only tasks out of the ordinary are in: any other list of tasks is by status or name. */
export const rareIndex = {
  source: (source: TaskRecord["source"]): string | null => source === "manual" ? null : `src:${source}`,
  priority: (priority: number): string | null => priority === 0 ? null : `pri:${priority}`
}

const extraIndexes = ({ priority, schedule, source, tags }: TaskRecord): string => {
  const extra: Array<string> = []
  if (schedule !== null) extra.push(scheduleIndex(schedule.name))
  for (const name in tags) extra.push(tagIndex(name, tags[name]!))
  const rare = [rareIndex.source(source), rareIndex.priority(priority)]
  for (const index of rare) if (index !== null) extra.push(index)
  return extra.join(" ")
}

/** Whether a record waits for its process to be the only suspect: it crashed before, and one more crash would end it. */
const isSuspect = ({ crashes, maxCrashes }: TaskRecord): boolean => crashes >= 1 && crashes >= maxCrashes - 1

/** The first six words of `h`. */
export const stateWords = (record: TaskRecord): string =>
  `${record.status} ${orDash(record.owner)} ${record.claim} ${orDash(record.nextAttemptAt)} ` +
  `${record.cancelRequested ? 1 : 0} ${isSuspect(record) ? 1 : 0}`

/** The last words of `h`. The five between them belong to the backend. */
export const restWords = (record: TaskRecord): string =>
  `${record.attempts} ${record.failures} ${record.crashes} ${orDash(record.startedAt)} ` +
  `${orDash(record.attemptStartedAt)} ${orDash(record.instance)} ${orDash(record.endedAt)} ${orDash(record.stopReason)}`

/** `m`. */
export const metaWords = (record: TaskRecord): string =>
  `${record.priority} ${record.definitionVersion} ${record.requeueOnInterrupt ? 1 : 0} ${record.maxCrashes} ` +
  `${record.kind} ${orDash(record.runAt)} ${orDash(record.keyTtl)} ${keyHash(record)} ${record.source} ` +
  `${record.createdAt} ${orDash(record.retryOf)} ${nameText(record.taskName)}`

// Tags as pairs: an object would lose one that is called `__proto__`.
export const factsText = ({ executor, idempotencyKey, payload, schedule, tags, trace }: TaskRecord): string =>
  JSON.stringify([payload, Object.entries(tags), idempotencyKey, executor, trace, schedule])

/** What never changes: `m`, `f`, and the further indexes of this task. */
export const constants = (record: TaskRecord): readonly [meta: string, facts: string, extra: string] => [
  metaWords(record),
  factsText(record),
  extraIndexes(record)
]

/** Which of `e p r` there are, then these. */
export const addValues = (args: Array<string>, { failure, progress, result }: TaskRecord): void => {
  args.push(`.${failure === null ? "" : "e"}${progress === null ? "" : "p"}${result === null ? "" : "r"}`)
  if (failure !== null) args.push(JSON.stringify(failure))
  if (progress !== null) args.push(JSON.stringify(progress))
  if (result !== null) args.push(JSON.stringify(result))
}

/**
 * Where an unfinished task is from now on: `o` with its owner, `d` until it is due, `r` ready in a lane. Then the score there,
 * and the lane: its version, and `s` behind it for a suspect.
 */
export const addPlace = (args: Array<string>, record: TaskRecord, now: number): void => {
  if (record.owner !== null) {
    // Nobody else has the code of a one-off effect.
    args.push("o", String(isLive(record) ? 0 : record.kind === "effect" ? -1 : now), "")
    return
  }
  const at = dueAt(record)
  if (at !== null && at > now) args.push("d", String(at), "")
  else args.push("r", String(-record.priority), `${record.definitionVersion}${isSuspect(record) ? "s" : ""}`)
}

/** The fields that make a record, in the order of `fromFields`. */
export const fields = ["h", "m", "f", "e", "p", "r"] as const

const json = <A>(text: Reply | undefined): A | null => typeof text === "string" && text !== "" ? JSON.parse(text) : null // safe: what was written

/** The record of `id`, whose fields begin at `from`. */
export const fromFields = (id: string, texts: ReadonlyArray<Reply>, from = 0): TaskRecord => {
  // safe (all casts here): what this module and the scripts wrote
  const h = (texts[from] as string).split(" ")
  const [priority, version, requeue, maxCrashes, kind, runAt, keyTtl, , source, createdAt, retryOf, ...name] =
    (texts[from + 1] as string).split(" ") as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      ...Array<string>
    ]
  const [payload, tags, idempotencyKey, executor, trace, schedule] = JSON.parse(texts[from + 2] as string)
  return {
    taskId: id as TaskId,
    taskName: nameFrom(name.join(" ")),
    kind: kind as TaskRecord["kind"],
    payload,
    priority: Number(priority),
    tags: Object.fromEntries(tags),
    idempotencyKey,
    keyTtl: numberOrNull(keyTtl),
    source: source as TaskRecord["source"],
    executor,
    requeueOnInterrupt: requeue === "1",
    maxCrashes: Number(maxCrashes),
    definitionVersion: Number(version),
    runAt: numberOrNull(runAt),
    schedule,
    retryOf: textOrNull(retryOf) as TaskId | null,
    trace,
    owner: textOrNull(h[1]!) as InstanceId | null,
    status: h[0] as TaskRecord["status"],
    createdAt: Number(createdAt),
    startedAt: numberOrNull(h[14]!),
    instance: textOrNull(h[16]!) as InstanceId | null,
    attemptStartedAt: numberOrNull(h[15]!),
    endedAt: numberOrNull(h[17]!),
    nextAttemptAt: numberOrNull(h[3]!),
    claim: Number(h[2]),
    attempts: Number(h[11]),
    failures: Number(h[12]),
    crashes: Number(h[13]),
    cancelRequested: h[4] === "1",
    result: json(texts[from + 5]),
    failure: json(texts[from + 3]),
    stopReason: textOrNull(h[18]!) as StopReason | null,
    progress: json(texts[from + 4]),
    logLines: Number(h[6]),
    logBytes: Number(h[7]),
    retriedAs: textOrNull(h[10]!) as TaskId | null
  }
}

const rowLength = 1 + fields.length

/** The records of a flat list of ids, each followed by its fields. */
export const fromRows = (flat: ReadonlyArray<Reply>): ReadonlyArray<TaskRecord> => {
  const records: Array<TaskRecord> = []
  for (let at = 0; at < flat.length; at += rowLength) records.push(fromFields(flat[at] as string, flat, at + 1)) // safe: an id
  return records
}

/** The failure of an attempt whose process died. */
export const died: TaskFailure = {
  kind: "crashed",
  name: "InstanceDied",
  message: "the process that ran this attempt died, or could not be seen for longer than its lease",
  stack: "",
  error: null
}

/** An entry of the ledger: JSON as an instance wrote it, or words as the reap did. */
export const entryFrom = (text: string): AttemptEntry => {
  if (text.startsWith("{")) return JSON.parse(text) // safe: what was written
  const [claim, attempt, startedAt, endedAt, outcome, instance] = text.split(" ")
  return {
    claim: Number(claim),
    attempt: Number(attempt),
    // safe (both): words of the reap
    instance: instance as InstanceId,
    startedAt: Number(startedAt),
    endedAt: Number(endedAt),
    outcome: outcome as AttemptEntry["outcome"],
    failure: outcome === "requeued" || outcome === "failed" ? died : null
  }
}
