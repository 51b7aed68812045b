/** Attempts are counted before they run, one of them changes the record, and it is the one that holds the fence. */
import type { AttemptEntry, TaskRecord } from "effect-taskflow"
import type { Seen } from "../support/witness.js"
import { type Finding, groupBy, type Invariant, kindOf, of } from "./Finding.js"

interface Ran {
  readonly entries: ReadonlyArray<AttemptEntry>
  readonly started: ReadonlyArray<Extract<Seen, { readonly what: "started" }>>
  readonly finished: ReadonlyArray<{ readonly fence: number; readonly life: string }>
}

const resultOf = ({ result }: TaskRecord.TaskRecord) =>
  result === null ? null : JSON.parse(result) as { readonly fence: number; readonly life: string } // safe: as the definitions say

/** Each attempt is in the ledger once at most, and one that succeeded is the last. */
const wrongIn = ({ attempts, claim, status }: TaskRecord.TaskRecord, entries: Ran["entries"]): Array<string> => {
  const wrong: Array<string> = []
  const numbers = entries.map(({ attempt }) => attempt)
  if (new Set(numbers).size < numbers.length) wrong.push("an attempt is in the ledger twice")
  if (numbers.some((attempt) => attempt > attempts)) wrong.push("an attempt is in the ledger that was not counted")
  const won = entries.filter(({ outcome }) => outcome === "success")
  if (won.length > 1) wrong.push(`${won.length} attempts succeeded`)
  if (won.length > 0 && status !== "success") wrong.push(`an attempt succeeded, and it is ${status}`)
  if (won.some((one) => one.claim !== claim)) wrong.push("a stale attempt is the one that succeeded")
  return wrong
}

const wrongOf = (record: TaskRecord.TaskRecord, { entries, finished, started }: Ran): Array<string> => {
  const { attempts, claim, crashes, failures, maxCrashes, requeueOnInterrupt, status } = record
  const wrong: Array<string> = []
  const fences = started.map(({ fence }) => fence)
  // The transaction of a transactional task begins anew within its attempt when the database says that it collided.
  const again = ({ fence, life }: { readonly fence: number; readonly life: string }) => `${fence} ${life}`
  const runs = kindOf(record) === "booked" ? new Set(started.map(again)).size : fences.length
  if (runs > attempts) wrong.push(`started ${runs} times, ${attempts} attempts were counted`)
  if (new Set(fences).size < runs) wrong.push("started twice under one fence")
  if (fences.some((fence) => fence > claim)) wrong.push("started under a fence that is not known")
  if (finished.some(({ fence }) => !fences.includes(fence))) wrong.push("finished without a start")
  if (!requeueOnInterrupt && runs > 1) wrong.push("may not run again, started twice")
  if (crashes > maxCrashes) wrong.push(`${crashes} crashes of at most ${maxCrashes}`)
  if (attempts > claim) wrong.push(`${attempts} attempts under ${claim} claims`)
  if (crashes > attempts) wrong.push(`${crashes} crashes in ${attempts} attempts`)
  if (failures > attempts) wrong.push(`${failures} failures in ${attempts} attempts`)
  wrong.push(...wrongIn(record, entries))
  if (status !== "success") return wrong
  const result = resultOf(record)
  if (result === null) {
    wrong.push("a success without its result")
  } else if (result.fence !== claim) {
    wrong.push(`the result is of fence ${result.fence}, the record of ${claim}: a stale attempt wrote`)
  } else if (!finished.some(({ fence, life }) => fence === claim && life === result.life)) {
    wrong.push("a success whose handler did not finish")
  }
  return wrong
}

export const attempts: Invariant = ({ seen, state }) => {
  const findings: Array<Finding> = []
  const started = groupBy(of(seen, "started"), ({ taskId }) => taskId)
  const finished = groupBy(of(seen, "finished"), ({ taskId }) => taskId)
  for (const taskId of started.keys()) {
    if (!state.records.has(taskId)) findings.push({ taskId, what: "handlers ran it, and it is not known" })
  }
  for (const record of state.records.values()) {
    const { taskId } = record
    const ran = {
      started: started.get(taskId) ?? [],
      finished: finished.get(taskId) ?? [],
      entries: state.ledger.get(taskId) ?? []
    }
    for (const what of wrongOf(record, ran)) findings.push({ taskId, what })
  }
  return findings
}
