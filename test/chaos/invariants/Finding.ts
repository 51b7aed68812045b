/** What does not hold, and of which task. */
import type { TaskRecord } from "effect-taskflow"
import type { State } from "../support/state.js"
import type { Seen, Sighting } from "../support/witness.js"

export interface Finding {
  readonly what: string
  readonly taskId: string | null
}

/** What an invariant judges by: what is kept at the end, and what was seen on the way. */
export interface Evidence {
  readonly state: State
  readonly seen: ReadonlyArray<Seen>
  /** Whether everything had ended, and the follower had had the time to hear of it. */
  readonly settled: boolean
}

/** Names what does not hold of the evidence; nothing when all does. */
export type Invariant = (evidence: Evidence) => ReadonlyArray<Finding>

export const groupBy = <A>(all: Iterable<A>, key: (one: A) => string): ReadonlyMap<string, ReadonlyArray<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const one of all) {
    const group = groups.get(key(one))
    if (group === undefined) groups.set(key(one), [one])
    else group.push(one)
  }
  return groups
}

/** What was seen of one kind. */
export const of = <What extends Sighting["what"]>(seen: ReadonlyArray<Seen>, what: What) =>
  seen.filter((one): one is Extract<Seen, { readonly what: What }> => one.what === what)

/** Which call of `enqueue` made the task; null of one that a schedule made. */
export const nonceOf = (record: TaskRecord.TaskRecord): string | null => {
  const { nonce } = JSON.parse(record.payload) as { readonly nonce: string } // safe: as the definitions say
  return nonce === "tick" ? null : nonce
}

/** The kind of a task, as the application calls it. */
export const kindOf = (record: TaskRecord.TaskRecord): string => record.taskName.slice("chaos/".length)
