/** What has to hold when a run is over. Pure: from what was acknowledged, what is known and what handlers did. */
import { type TaskRecord, TaskStatus } from "effect-taskflow"
import type { EffectRow } from "./effects.js"
import type { Life } from "./fleet.js"
import type { State } from "./state.js"

export interface Finding {
  readonly what: string
  readonly taskId: string | null
}

export interface Verdict {
  readonly acknowledged: number
  readonly terminal: number
  readonly lost: number
  readonly doubled: number
  /** Of the acknowledged ones. */
  readonly byStatus: Record<string, number>
  /** Known without an acknowledgement: their enqueuer died between the commit and the word of it. */
  readonly unacknowledged: number
  /** Ended as interrupted although nobody killed their process: it was too slow to be seen. Not wrong, but worth knowing. */
  readonly declaredDead: number
  readonly recoveryMs: { readonly median: number | null; readonly max: number | null }
  readonly recoveries: ReadonlyArray<Recovery>
  readonly findings: ReadonlyArray<Finding>
}

const groupBy = <A>(all: Iterable<A>, key: (one: A) => string): Map<string, Array<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const one of all) {
    const group = groups.get(key(one))
    if (group === undefined) groups.set(key(one), [one])
    else group.push(one)
  }
  return groups
}

const isOneTerminal = (record: TaskRecord.TaskRecord, requeue: boolean): boolean => {
  switch (record.status) {
    case "success":
      return true
    case "interrupted":
      return !requeue && (record.stopReason === "instanceDied" || record.stopReason === "lostLease")
    case "failed":
      // A task that died with its process three times in a row, alone under suspicion.
      return requeue && record.stopReason === "poison" && record.crashes >= record.maxCrashes
    default:
      return false
  }
}

/** What is wrong with the effects of one task that ended. */
const wrongEffects = (record: TaskRecord.TaskRecord, rows: ReadonlyArray<EffectRow>): Array<string> => {
  const started = rows.filter(({ what }) => what === "started")
  const finished = rows.filter(({ what }) => what === "finished")
  const wrong: Array<string> = []
  if (started.length > record.attempts) wrong.push("handlers started more often than attempts were counted")
  if (started.some(({ claim }) => claim > record.claim)) wrong.push("a handler started under a claim that is not known")
  if (finished.some(({ claim }) => !started.some((row) => row.claim === claim))) wrong.push("finished without a start")
  if (new Set(finished.map(({ claim }) => claim)).size < finished.length) wrong.push("finished twice under one claim")
  if (record.status === "success" && !finished.some(({ claim }) => claim === record.claim)) {
    wrong.push("a success whose handler did not finish")
  }
  return wrong
}

/** A kill after which something had to be taken up, and the last task that was. */
export interface Recovery {
  readonly life: string
  readonly killedAt: number
  readonly millis: number
  readonly taskId: string
}

/** For each kill, when the last task that ran there had ended or begun elsewhere; the quickest first. */
const recoveriesOf = (state: State, lives: ReadonlyArray<Life>): ReadonlyArray<Recovery> => {
  const byTask = groupBy(state.rows.filter(({ what }) => what === "started"), ({ taskId }) => taskId)
  const slowest = new Map<string, Recovery>()
  const killed = new Map(lives.map(({ killedAt, name }) => [name, killedAt]))
  for (const [taskId, starts] of byTask) {
    for (const { claim, life } of starts) {
      const killedAt = killed.get(life)
      if (typeof killedAt !== "number") continue
      const next = starts.filter((row) => row.claim > claim).map(({ at }) => at)
      const millis = Math.min(...next, state.records.get(taskId)?.endedAt ?? Number.POSITIVE_INFINITY) - killedAt
      // What ended before the kill was not running; what never ended is a finding of its own.
      if (millis <= 0 || millis === Number.POSITIVE_INFINITY) continue
      if (millis > (slowest.get(life)?.millis ?? 0)) slowest.set(life, { life, killedAt, millis, taskId })
    }
  }
  return [...slowest.values()].sort((a, b) => a.millis - b.millis)
}

export const judge = (
  acknowledged: ReadonlyArray<readonly [taskId: string, requeue: boolean]>,
  state: State,
  lives: ReadonlyArray<Life>
): Verdict => {
  const findings: Array<Finding> = []
  const find = (taskId: string | null, what: string) => findings.push({ taskId, what })
  const { records } = state
  const acks = new Map(acknowledged)
  if (acks.size < acknowledged.length) find(null, "one task was acknowledged twice")

  // ── none lost ──
  const lost = new Set<string>()
  for (const taskId of acks.keys()) {
    const record = records.get(taskId)
    if (record !== undefined && TaskStatus.isTerminal(record.status)) continue
    lost.add(taskId)
    find(taskId, record === undefined ? "acknowledged, and not known" : `acknowledged, and ${record.status} at the end`)
  }

  // ── none twice ──
  const doubled = new Set<string>()
  const twice = (taskId: string, what: string) => {
    doubled.add(taskId)
    find(taskId, what)
  }
  for (const [taskId, all] of groupBy([...state.done, ...state.live], (id) => id)) {
    if (all.length > 1) twice(taskId, "kept more than once")
  }
  const rowsOf = groupBy(state.rows, ({ taskId }) => taskId)
  for (const [taskId, rows] of rowsOf) {
    const started = rows.filter(({ what }) => what === "started")
    const record = records.get(taskId)
    if (record === undefined) find(taskId, "handlers ran it, and it is not known")
    if (record?.requeueOnInterrupt === false && started.length > 1) twice(taskId, "may not run again, started twice")
    if (new Set(started.map(({ claim }) => claim)).size < started.length) twice(taskId, "started twice under one claim")
  }

  // ── as it should have ended, and as the effects say ──
  for (const record of records.values()) {
    const { requeueOnInterrupt: requeue, taskId } = record
    const told = acks.get(taskId)
    if (told !== undefined && told !== requeue) find(taskId, "its kind is not the one that was enqueued")
    if (!TaskStatus.isTerminal(record.status)) {
      if (told === undefined) find(taskId, `not acknowledged, and ${record.status} at the end`)
      continue
    }
    if (!isOneTerminal(record, requeue)) find(taskId, `ended as ${record.status} (${record.stopReason})`)
    for (const what of wrongEffects(record, rowsOf.get(taskId) ?? [])) find(taskId, what)
  }

  // ── the sums ──
  const counted = groupBy(records.values(), ({ status }) => status)
  for (const status of TaskStatus.all) {
    const here = counted.get(status)?.length ?? 0
    if (state.stats.counts[status] !== here) {
      find(null, `stats count ${state.stats.counts[status]} as ${status}, there are ${here}`)
    }
  }
  if (state.done.length + state.live.length !== records.size) {
    find(null, "list and tables differ in how many tasks there are")
  }

  const byStatus: Record<string, number> = {}
  for (const taskId of acks.keys()) {
    const status = records.get(taskId)?.status ?? "unknown"
    byStatus[status] = (byStatus[status] ?? 0) + 1
  }
  const wasKilled = new Set(lives.filter(({ killedAt }) => killedAt !== null).map(({ name }) => name))
  const ranInAKilled = (taskId: string) => (rowsOf.get(taskId) ?? []).every(({ life }) => wasKilled.has(life))
  const recoveries = recoveriesOf(state, lives)
  const median = recoveries[Math.floor(recoveries.length / 2)]?.millis ?? null
  return {
    acknowledged: acks.size,
    terminal: acks.size - lost.size,
    lost: lost.size,
    doubled: doubled.size,
    byStatus,
    unacknowledged: [...records.keys()].filter((taskId) => !acks.has(taskId)).length,
    declaredDead: (counted.get("interrupted") ?? []).filter(({ taskId }) => !ranInAKilled(taskId)).length,
    recoveryMs: { median, max: recoveries.at(-1)?.millis ?? null },
    recoveries,
    findings
  }
}
