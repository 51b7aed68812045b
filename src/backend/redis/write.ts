/**
 * The numbered write: one script for a batch, whatever its changes.
 *
 * The number of a lane's last batch and what it was answered are a field of its instance, so a repeated batch changes nothing.
 * A lower number is one that was under way on a connection that broke: it comes too late and is refused.
 */
import * as Effect from "effect/Effect"
import * as Durations from "../../internal/durations.js"
import { fingerprintOf } from "../../internal/fingerprint.js"
import { sizeOfLine } from "../../internal/sizeOfLine.js"
import type { AttemptEntry, Batch, Change, Outcome } from "../../TaskBackend.js"
import type { TaskBackendError } from "../../TaskError.js"
import type { TaskId } from "../../TaskId.js"
import { durationOf, type TaskRecord, waitOf } from "../../TaskRecord.js"
import type { TaskStatus } from "../../TaskStatus.js"
import * as Feed from "./feed.js"
import { counting } from "./luaErrors.js"
import { telling } from "./luaFeed.js"
import { fence, listing, plainly, plainMain } from "./luaPlain.js"
import { reading, writing } from "./luaRows.js"
import { changes, main } from "./luaWrite.js"
import * as Plain from "./plainWrite.js"
import * as Rows from "./rows.js"
import { type Ask, asText, define } from "./script.js"

const applied: Outcome = { _tag: "Applied" }
const lost: Outcome = { _tag: "Lost" }

const outcomeFrom = (word: string): Outcome => {
  switch (word[0]) {
    case "A":
      return applied
    case "C":
      return { _tag: "CancelledInstead" }
    case "D":
      return { _tag: "Duplicate", taskId: word.slice(1) as TaskId } // safe: an id that was stored as one
    case "N": {
      const [status, retriedAs] = word.slice(1).split(" ").map((one) => one === "-" ? null : one)
      // safe (both): stored words
      return { _tag: "NotRetryable", status: status as TaskStatus | null, retriedAs: retriedAs as TaskId | null }
    }
    default:
      return lost
  }
}

/** Null when the instance is not alive. What is plain was applied; the words are of the others, or of all. */
const outcomesFrom = (text: string, { changes }: Batch, { others }: Plain.Parted): ReadonlyArray<Outcome> | null => {
  if (text === "!") return null
  if (text.startsWith("=")) return text.slice(1).split(",").map(outcomeFrom)
  const outcomes: Array<Outcome> = Array.from(changes, () => applied)
  if (text.startsWith(":")) {
    for (const [at, word] of text.slice(1).split(",").entries()) outcomes[others[at]!] = outcomeFrom(word)
  }
  return outcomes
}

// From when on retention may take it: the moment behind its end, or behind the time its key is held.
const removableAt = (record: TaskRecord, until: number | null): number =>
  until === null ? record.endedAt! : Math.max(record.endedAt!, until - 1)

const addWait = (args: Array<string>, record: TaskRecord): void => {
  const wait = waitOf(record)
  args.push(wait === null ? "" : String(Math.round(wait)))
}

const addEnd = (args: Array<string>, record: TaskRecord): void => {
  const { endedAt, idempotencyKey, keyTtl, status } = record
  const holds = status === "success" && idempotencyKey !== null && keyTtl !== null
  const until = holds ? endedAt! + keyTtl : null
  const millis = status === "success" || status === "failed" ? durationOf(record) : null
  args.push(status, Rows.keyHash(record), until === null ? "-" : String(until), String(removableAt(record, until)))
  if (millis === null) args.push("", "")
  else args.push(String(Durations.bucketOf(millis)), String(Math.round(millis)))
  addWait(args, record)
  const found = fingerprintOf(record)
  if (found === null) args.push("", "")
  else args.push(found.fingerprint, JSON.stringify(found.sample))
}

// What a cancel that was asked meanwhile makes of a release: `TaskRecord.apply` of Cancelled, at the batch's time.
const cancelled = (record: TaskRecord, now: number): TaskRecord => ({
  ...record,
  status: "cancelled",
  owner: null,
  nextAttemptAt: null,
  endedAt: now,
  stopReason: "cancel",
  cancelRequested: true
})

const entryText = (entry: AttemptEntry): string => JSON.stringify(entry)

/** Appends what the script reads of one change. */
export const addChange = (args: Array<string>, change: Change, batch: Pick<Batch, "instance" | "now">): void => {
  const { now } = batch
  switch (change._tag) {
    case "Insert": {
      const { record } = change
      args.push("I", record.taskId, Rows.nameText(record.taskName), Rows.stateWords(record))
      args.push(`${record.logLines} ${record.logBytes}`, Rows.restWords(record))
      Rows.addValues(args, record)
      args.push(...Rows.constants(record), Rows.keyHash(record), record.retryOf ?? "")
      Rows.addPlace(args, record, record.owner === null ? now : change.heldUntil ?? now)
      args.push(Feed.lineOf(change, batch))
      return
    }
    case "Start": {
      const { record } = change
      args.push("S", record.taskId, record.owner ?? "", String(record.claim), Rows.nameText(record.taskName))
      args.push(Rows.stateWords(record), Rows.restWords(record), Feed.lineOf(change, batch))
      return
    }
    case "Unclaim": {
      const { record } = change
      args.push("U", record.taskId, record.owner ?? "", String(record.claim), Rows.nameText(record.taskName))
      Rows.addPlace(args, { ...record, owner: null }, now)
      args.push(Feed.lineOf(change, batch))
      return
    }
    case "Release": {
      const { attempt, claim, owner, record } = change
      const end = cancelled(record, now)
      args.push("R", record.taskId, owner, String(claim), Rows.nameText(record.taskName))
      args.push(Rows.stateWords(record), Rows.restWords(record))
      Rows.addValues(args, record)
      Rows.addPlace(args, record, now)
      args.push(entryText(attempt), Rows.keyHash(record), Rows.stateWords(end), Rows.restWords(end))
      addWait(args, record)
      args.push(Feed.lineOf(change, batch))
      return
    }
    case "Finish": {
      const { claim, owner, record } = change
      args.push("F", record.taskId, owner, String(claim), Rows.nameText(record.taskName))
      args.push(Rows.stateWords(record), Rows.restWords(record))
      Rows.addValues(args, record)
      addEnd(args, record)
      args.push(Feed.lineOf(change, batch))
      return
    }
    case "Log": {
      args.push("L", change.taskId, JSON.stringify(change.line), String(sizeOfLine(change)))
      return
    }
    case "Progress": {
      const { progress } = change
      args.push("P", change.taskId, change.owner, String(change.claim), JSON.stringify(progress))
      args.push(JSON.stringify([progress.value, progress.message]))
    }
  }
}

interface Request {
  readonly batch: Batch
  readonly parted: Plain.Parted
}

const args = ({ batch, parted }: Request): Array<string> => {
  const { changes, instance, lane, now, number } = batch
  const words: Array<string> = []
  for (const at of parted.others) addChange(words, changes[at]!, batch)
  words.push("")
  // One argument for all of them: the driver's work for each is more than a task's whole way through a script. No word has
  // a line feed, and JSON escapes it.
  const others = words.join("\n")
  return [String(now), instance, lane, String(number), String(parted.others.length), others, ...parted.args]
}

const mixed = define<Request, string>({
  name: "write",
  lua: [reading, writing, counting, changes, plainly, main],
  args,
  answer: asText
})

// A tenth of the text, and so of the functions that each run of a script makes first: 10 µs of one change that comes alone.
const plain = define<Request, string>({
  name: "write",
  lua: [reading, telling, listing, fence, plainly, plainMain],
  args,
  answer: asText
})

/** Null when the instance is not alive. */
export const write = (ask: Ask) => (batch: Batch): Effect.Effect<ReadonlyArray<Outcome> | null, TaskBackendError> =>
  Effect.suspend(() => {
    const parted = Plain.part(batch)
    return Effect.flatMap(ask(parted.others.length === 0 ? plain : mixed, { batch, parted }), (text) =>
      text === "~"
        // A row is not what it was believed to be, and nothing was written.
        ? Effect.map(ask(mixed, { batch, parted: Plain.none(batch) }), (text) => outcomesFrom(text, batch, parted))
        : Effect.succeed(outcomesFrom(text, batch, parted)))
  })
