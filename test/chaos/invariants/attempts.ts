/** Attempts are counted before they run, one of them changes the record, and it is the one that holds the fence. */
import type { TaskRecord } from "effect-taskflow"
import type { Seen } from "../support/witness.js"
import { type Finding, groupBy, type Invariant, kindOf, of } from "./Finding.js"

interface Ran {
  readonly started: ReadonlyArray<Extract<Seen, { readonly what: "started" }>>
  readonly finished: ReadonlyArray<{ readonly fence: number; readonly life: string }>
}

const resultOf = ({ result }: TaskRecord.TaskRecord) =>
  result === null ? null : JSON.parse(result) as { readonly fence: number; readonly life: string } // safe: as the definitions say

const wrongOf = (record: TaskRecord.TaskRecord, { finished, started }: Ran): Array<string> => {
  const { attempts, claim, crashes, failures, maxCrashes, requeueOnInterrupt, status } = record
  const wrong: Array<string> = []
  const fences = started.map(({ fence }) => fence)
  // The transaction of a transactional task begins anew within its attempt when the database says that it collided.
  const runs = kindOf(record) === "booked" ? new Set(fences).size : fences.length
  if (runs > attempts) wrong.push(`started ${runs} times, ${attempts} attempts were counted`)
  if (new Set(fences).size < runs) wrong.push("started twice under one fence")
  if (fences.some((fence) => fence > claim)) wrong.push("started under a fence that is not known")
  if (finished.some(({ fence }) => !fences.includes(fence))) wrong.push("finished without a start")
  if (!requeueOnInterrupt && started.length > 1) wrong.push("may not run again, started twice")
  if (crashes > maxCrashes) wrong.push(`${crashes} crashes of at most ${maxCrashes}`)
  if (attempts > claim) wrong.push(`${attempts} attempts under ${claim} claims`)
  if (failures > attempts) wrong.push(`${failures} failures in ${attempts} attempts`)
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
    const ran = { started: started.get(taskId) ?? [], finished: finished.get(taskId) ?? [] }
    for (const what of wrongOf(record, ran)) findings.push({ taskId, what })
  }
  return findings
}
