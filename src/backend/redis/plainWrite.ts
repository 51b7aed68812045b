/**
 * The changes of a batch that are as most are, in groups of what they have in common, with the sums over all of them: what
 * `luaPlain.ts` reads. The others are told one by one.
 */
import type { Batch, Change } from "../../TaskBackend.js"
import type { TaskRecord } from "../../TaskRecord.js"
import * as Feed from "./feed.js"
import * as Sums from "./plainSums.js"
import * as Rows from "./rows.js"

export interface Parted {
  /** Where in the batch the others are. */
  readonly others: ReadonlyArray<number>
  /** From the seventh of the script on. */
  readonly args: ReadonlyArray<string>
}

/** All changes are others. */
export const none = ({ changes }: Batch): Parted => ({
  others: [...changes.keys()],
  args: ["", "", "", "", "0", "", ""]
})

const isEmpty = (of: object): boolean => {
  for (const _ in of) return false
  return true
}

const isPlainInsert = (record: TaskRecord): boolean =>
  record.idempotencyKey === null && record.retryOf === null && record.schedule === null && record.priority === 0 &&
  record.source === "manual" && record.failure === null && record.progress === null && record.result === null &&
  record.crashes === 0 && record.nextAttemptAt === null && !record.cancelRequested && isEmpty(record.tags)

// At its first attempt, of which nothing went wrong.
const isPlainAttempt = (record: TaskRecord): boolean =>
  record.attempts === 1 && record.failures === 0 && record.crashes === 0 && record.nextAttemptAt === null &&
  record.failure === null && record.progress === null && !record.cancelRequested

const isPlain = (change: Change): boolean => {
  switch (change._tag) {
    case "Start":
      return isPlainAttempt(change.record)
    case "Finish":
      return change.record.status === "success" && change.record.idempotencyKey === null &&
        isPlainAttempt(change.record)
    default:
      return false
  }
}

/** Which changes may be told in groups, by their place: those that are plain and the only one of their task. */
const plainOf = (changes: ReadonlyArray<Change>): ReadonlyArray<boolean> => {
  // They arrive in the order of the batch, so they are in groups together or not at all.
  let inserts = true
  const first = new Map<string, number>()
  const several: Array<number> = []
  const met = (id: string, at: number): void => {
    const known = first.get(id)
    if (known === undefined) {
      first.set(id, at)
      return
    }
    several.push(known, at)
    if (changes[known]!._tag === "Insert" || changes[at]!._tag === "Insert") inserts = false
  }
  for (let at = 0; at < changes.length; at += 1) {
    const change = changes[at]!
    if (!("record" in change)) {
      met(change.taskId, at)
      continue
    }
    const { record } = change
    met(record.taskId, at)
    if (change._tag !== "Insert" || isPlainInsert(record)) continue
    inserts = false
    if (record.retryOf !== null) met(record.retryOf, at)
  }
  const plain = changes.map((change) => change._tag === "Insert" ? inserts : isPlain(change))
  for (const at of several) plain[at] = false
  return plain
}

type Kind = "i" | "s" | "f" | "r"
type Recorded = Extract<Change, { readonly record: TaskRecord }>

const kindOf = ({ _tag, record }: Recorded): Kind =>
  _tag === "Insert" ? "i" : _tag === "Start" ? "s" : record.result === null ? "f" : "r"

const haveOneHead = (one: Recorded, other: Recorded): boolean => {
  const [a, b] = [one.record, other.record]
  if (a.taskName !== b.taskName || a.kind !== b.kind || a.owner !== b.owner || a.claim !== b.claim) return false
  if (one._tag === "Finish" && other._tag === "Finish") return one.owner === other.owner && one.claim === other.claim
  return a.status === b.status && a.startedAt === b.startedAt && a.attemptStartedAt === b.attemptStartedAt &&
    a.instance === b.instance && a.attempts === b.attempts && a.failures === b.failures && a.runAt === b.runAt &&
    a.endedAt === b.endedAt && a.stopReason === b.stopReason && a.definitionVersion === b.definitionVersion &&
    a.logLines === b.logLines && a.logBytes === b.logBytes &&
    (one._tag !== "Insert" || other._tag !== "Insert" || one.heldUntil === other.heldUntil)
}

const headOf = (change: Recorded, now: number): string => {
  const { record } = change
  const words = Rows.stateWords(record)
  switch (change._tag) {
    case "Insert": {
      const place: Array<string> = []
      Rows.addPlace(place, record, record.owner === null ? now : change.heldUntil ?? now)
      const [before, behind] = [`${words} ${record.logLines} ${record.logBytes} `, ` . - ${Rows.restWords(record)}`]
      return [record.status, before, behind, ...place, Rows.nameText(record.taskName)].join("\n")
    }
    case "Finish":
      return `running ${change.owner} ${change.claim} - 0 0 \n${words} \n${Rows.nameText(record.taskName)}`
    default:
      return `pending ${record.owner} ${record.claim} - 0 0 \n${words} \n${Rows.restWords(record)}`
  }
}

const itemOf = ({ _tag, record }: Recorded): string => {
  const { taskId } = record
  if (_tag === "Start") return `${taskId}\n`
  if (_tag === "Insert") return `${taskId}\n${Rows.metaWords(record)}\n${Rows.factsText(record)}\n`
  const result = record.result === null ? "" : `${JSON.stringify(record.result)}\n`
  return `${taskId}\n${record.endedAt}\n${result}${Rows.restWords(record)}\n`
}

interface Group {
  readonly kind: Kind
  readonly first: Recorded
  count: number
  items: string
}

export const part = (batch: Batch): Parted => {
  const { changes, now } = batch
  const plain = plainOf(changes)
  if (!plain.includes(true)) return none(batch)
  const others: Array<number> = []
  const groups: Array<Group> = []
  // Inserts keep their order so: a group that is not the last of its kind is over.
  const latest: { [K in Kind]?: Group } = {}
  const sums = Sums.make(now)
  let [lines, pieces, told] = ["", "", 0]
  for (let at = 0; at < changes.length; at += 1) {
    const change = changes[at]!
    if (!plain[at] || !("record" in change)) {
      others.push(at)
      pieces += `${lines}\f`
      lines = ""
      continue
    }
    const kind = kindOf(change)
    const group = latest[kind]
    if (group !== undefined && haveOneHead(group.first, change)) {
      group.count += 1
      group.items += itemOf(change)
    } else groups.push(latest[kind] = { kind, first: change, count: 1, items: itemOf(change) })
    sums.count(change)
    told += 1
    const line = `${change.record.taskId} ${Feed.lineOf(change, batch)} ${Rows.nameText(change.record.taskName)}`
    lines = lines === "" ? line : `${lines}\n${line}`
  }
  const packed = groups.map(({ count, first, items, kind }) => `${kind}\n${count}\n${headOf(first, now)}\n${items}`)
  const { bounds, increments, minute, names } = sums.args()
  const lineText = others.length === 0 ? lines : `${pieces}${lines}\f`
  return { others, args: [packed.join(""), increments, bounds, lineText, String(told), minute, names] }
}
