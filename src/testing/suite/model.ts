/**
 * What a backend must do, said a second time and as simply as possible: one list of records, scanned for every question.
 *
 * Slow and obvious on purpose; the property in `modelled.ts` compares a backend with it.
 */
import type {
  AttemptEntry,
  CancelResult,
  Change,
  Claimed,
  ClaimRequest,
  ListQuery,
  Outcome
} from "../../TaskBackend.js"
import type { InstanceId, LogLine } from "../../TaskEvent.js"
import type { TaskId } from "../../TaskId.js"
import type { Reaped } from "../../TaskPeer.js"
import { dueAt, isDone, isLive, type TaskRecord } from "../../TaskRecord.js"
import { isRetryable, isTerminal, type TaskStatus } from "../../TaskStatus.js"
import { cancelledAt, claimedAndStarted, claimedBy } from "./changes.js"
import { afterDeath, isSuspect, loneSuspect } from "./dying.js"
import { applied, lost } from "./stage.js"

export interface Row {
  record: TaskRecord
  readonly lines: Array<LogLine>
  readonly entries: Array<AttemptEntry>
  /** Since when it has been in its owner's window. */
  heldSince: number
}

interface Player {
  beat: number
  state: "live" | "dead" | "gone"
  lone: TaskId | null
}

export interface Model {
  /** In order of arrival. */
  readonly rows: () => ReadonlyArray<Row>
  readonly attach: (instance: InstanceId) => void
  readonly detach: (instance: InstanceId) => void
  readonly player: (instance: InstanceId) => Player | undefined
  readonly heartbeat: (instance: InstanceId) => { readonly alive: boolean; readonly cancels: ReadonlyArray<TaskId> }
  /** Which of the dead one's tasks go first is the backend's choice. */
  readonly reap: (
    request: { readonly suspect: InstanceId; readonly beat: number; readonly now: number; readonly limit: number },
    chosen: ReadonlyArray<TaskId>
  ) => Reaped
  readonly write: (changes: ReadonlyArray<Change>, now: number) => ReadonlyArray<Outcome>
  readonly claim: (request: ClaimRequest) => Claimed
  readonly cancel: (taskId: TaskId, now: number) => CancelResult
  readonly list: (query: ListQuery) => ReadonlyArray<TaskRecord>
  /** Every record that ever ended, those that were removed too. */
  readonly ended: () => ReadonlyArray<TaskRecord>
  readonly counts: () => { readonly [Status in TaskStatus]: number }
  readonly deleteBefore: (cutoff: number, status: ReadonlyArray<TaskStatus> | undefined) => number
}

const keyUntil = ({ endedAt, keyTtl, status }: TaskRecord): number => {
  if (!isTerminal(status)) return Number.POSITIVE_INFINITY
  if (status !== "success") return Number.NEGATIVE_INFINITY
  return keyTtl === null ? Number.POSITIVE_INFINITY : endedAt! + keyTtl
}

export const make = (): Model => {
  let rows: Array<Row> = []
  let removed: ReadonlyArray<Row> = []
  const players = new Map<InstanceId, Player>()

  const ownedBy = (instance: InstanceId) => rows.filter(({ record }) => record.owner === instance)

  const find = (taskId: TaskId | null) => rows.find(({ record }) => record.taskId === taskId)

  const insert = (record: TaskRecord, now: number, heldUntil: number = now): Outcome => {
    const original = find(record.retryOf)
    if (record.retryOf !== null && (original?.record.retriedAs !== null || !isRetryable(original.record.status))) {
      const { retriedAs = null, status = null } = original?.record ?? {}
      return { _tag: "NotRetryable", status, retriedAs }
    }
    const holder = rows.find(({ record: { idempotencyKey, taskName }, record: other }) =>
      idempotencyKey !== null && idempotencyKey === record.idempotencyKey && taskName === record.taskName &&
      keyUntil(other) > now
    )
    if (holder !== undefined) return { _tag: "Duplicate", taskId: holder.record.taskId }
    rows.push({ record, lines: [], entries: [], heldSince: heldUntil })
    if (original !== undefined) original.record = { ...original.record, retriedAs: record.taskId }
    return applied
  }

  const changed = (row: Row, change: Change, now: number): Outcome => {
    const before = row.record
    const { logBytes, logLines } = before
    switch (change._tag) {
      case "Insert":
        return lost
      case "Start":
        row.record = { ...change.record, logBytes, logLines }
        return applied
      case "Unclaim":
        row.record = { ...before, owner: null }
        return applied
      case "Finish":
        row.record = { ...change.record, logBytes, logLines }
        return applied
      case "Release":
        row.entries.push(change.attempt)
        row.record = { ...change.record, cancelRequested: before.cancelRequested, logBytes, logLines }
        if (!before.cancelRequested) return applied
        row.record = cancelledAt(row.record, now)
        return { _tag: "CancelledInstead" }
      case "Log": {
        const { annotations, message } = change.line
        row.lines.push(change.line)
        row.record = {
          ...before,
          logLines: logLines + 1,
          logBytes: logBytes + message.length + (annotations ?? "").length
        }
        return applied
      }
      case "Progress":
        row.record = { ...before, progress: change.progress }
        return applied
    }
  }

  const apply = (change: Change, now: number): Outcome => {
    if (change._tag === "Insert") return insert(change.record, now, change.heldUntil)
    const row = find("record" in change ? change.record.taskId : change.taskId)
    if (row === undefined) return lost
    if (change._tag === "Log") return changed(row, change, now)
    const believed = "owner" in change ? change : change.record
    const { claim, owner } = row.record
    const wantsLive = change._tag !== "Start" && change._tag !== "Unclaim"
    const holds = believed.owner === owner && believed.claim === claim && isLive(row.record) === wantsLive
    return holds && owner !== null && !isDone(row.record) ? changed(row, change, now) : lost
  }

  const isReady = ({ record }: Row, now: number): boolean =>
    !isDone(record) && record.owner === null && (dueAt(record) ?? now) <= now

  const claim = ({ groups = [], instance, now, stealAfter, tasks, ...bounds }: ClaimRequest): Claimed => {
    const wanted = new Map(tasks.map(({ name, ...room }) => [name, { ...room }]))
    const shares = groups.map((group) => ({ ...group }))
    const knows = ({ record: { definitionVersion, taskName } }: Row) =>
      definitionVersion <= (wanted.get(taskName)?.version ?? 0)
    const left = { slots: bounds.slots, window: bounds.window }
    const started: Array<TaskRecord> = []
    const pending: Array<TaskRecord> = []
    // Stable: equals stay in order of arrival.
    const ready = () => rows.filter((row) => isReady(row, now) && knows(row))
    const byPriority = (x: Row, y: Row) => y.record.priority - x.record.priority
    const mayHave = ({ record }: Row) =>
      !isSuspect(record) || ownedBy(instance).every(({ record: mine }) => !isSuspect(mine))
    const take = (row: Row, kinds: { readonly window: boolean }) => {
      if (!mayHave(row)) return
      const room = wanted.get(row.record.taskName)!
      const share = shares.find(({ names }) => names.includes(row.record.taskName)) ?? { slots: 1 }
      if (room.slots > 0 && share.slots > 0 && left.slots > 0) {
        room.slots -= 1
        share.slots -= 1
        left.slots -= 1
        row.record = claimedAndStarted(row.record, instance, now)
        started.push(row.record)
      } else if (kinds.window && room.window > 0 && left.window > 0) {
        room.window -= 1
        left.window -= 1
        row.record = claimedBy(row.record, instance)
        row.heldSince = now
        pending.push(row.record)
      }
    }
    for (const row of ready().sort(byPriority)) take(row, { window: true })
    if (stealAfter !== null) {
      const idle = rows.filter((row) => {
        const { owner } = row.record
        return owner !== null && owner !== instance && row.record.kind === "task" && !isLive(row.record) &&
          knows(row) &&
          now - row.heldSince > stealAfter
      })
      for (const row of idle.sort(byPriority)) take(row, { window: false })
    }
    const names = ready().filter(mayHave).map(({ record }) => record.taskName)
    const waits = rows.filter(({ record }) => !isDone(record) && record.owner === null)
      .flatMap(({ record }) => dueAt(record) ?? []).filter((at) => at > now)
    return {
      started,
      pending,
      more: tasks.map(({ name }) => name).filter((name) => names.includes(name)),
      nextDueAt: waits.length === 0 ? null : Math.min(...waits),
      joined: []
    }
  }

  const heartbeat: Model["heartbeat"] = (instance) => {
    const player = players.get(instance)
    const alive = player?.state === "live"
    if (alive) player.beat += 1
    const asked = ownedBy(instance).filter(({ record }) => isLive(record) && record.cancelRequested)
    return { alive, cancels: asked.map(({ record }) => record.taskId) }
  }

  const die = (instance: InstanceId, player: Player): void => {
    const owned = ownedBy(instance)
    if (player.state === "live") player.lone = loneSuspect(owned.map(({ record }) => record))?.taskId ?? null
    player.state = owned.length === 0 ? "gone" : "dead"
  }

  const reap: Model["reap"] = ({ beat, now, suspect }, chosen) => {
    const player = players.get(suspect)
    const seen = player !== undefined && player.state !== "gone" && (player.state === "dead" || player.beat === beat)
    if (!seen) return { records: [], left: false }
    die(suspect, player)
    const records = ownedBy(suspect).filter(({ record }) => chosen.includes(record.taskId)).map((row) => {
      const { entry, record } = afterDeath(row.record, now, row.record.taskId === player.lone)
      if (entry !== null) row.entries.push(entry)
      return row.record = record
    })
    die(suspect, player)
    return { records, left: ownedBy(suspect).length > 0 }
  }

  const cancel = (taskId: TaskId, now: number): CancelResult => {
    const row = find(taskId)
    if (row === undefined) return { _tag: "NotFound" }
    const { owner, status } = row.record
    if (isTerminal(status)) return { _tag: "AlreadyEnded", status }
    if (isLive(row.record) && owner !== null) {
      row.record = { ...row.record, cancelRequested: true }
      return { _tag: "Requested", record: row.record, owner }
    }
    row.record = cancelledAt(row.record, now)
    return { _tag: "Cancelled", record: row.record }
  }

  const list = (query: ListQuery): ReadonlyArray<TaskRecord> => {
    const { priority, source, status, tag, taskName } = query
    const found = rows.map(({ record }) => record).filter((record) =>
      (status?.includes(record.status) ?? true) && (taskName ?? record.taskName) === record.taskName &&
      (priority ?? record.priority) === record.priority && (source ?? record.source) === record.source &&
      (tag === undefined || record.tags[tag[0]] === tag[1])
    )
    const ascending = found.sort((x, y) => x.taskId < y.taskId ? -1 : 1)
    return query.order === "oldest" ? ascending : ascending.reverse()
  }

  const counts: Model["counts"] = () => {
    const total = { pending: 0, running: 0, success: 0, failed: 0, interrupted: 0, cancelled: 0 }
    for (const { record } of rows) total[record.status] += 1
    return total
  }

  const deleteBefore: Model["deleteBefore"] = (cutoff, status) => {
    const before = rows
    rows = rows.filter(({ record }) => {
      if (!isDone(record) || record.endedAt! >= cutoff || status?.includes(record.status) === false) return true
      return record.idempotencyKey !== null && record.keyTtl !== null && keyUntil(record) > cutoff
    })
    removed = [...removed, ...before.filter((row) => !rows.includes(row))]
    return before.length - rows.length
  }

  return {
    rows: () => rows,
    attach: (instance) => {
      if (!players.has(instance)) players.set(instance, { beat: 0, state: "live", lone: null })
    },
    detach: (instance) => {
      const player = players.get(instance)
      if (player !== undefined) die(instance, player)
    },
    player: (instance) => players.get(instance),
    heartbeat,
    reap,
    write: (changes, now) => changes.map((change) => apply(change, now)),
    claim,
    cancel,
    list,
    ended: () => [...removed, ...rows].map(({ record }) => record).filter(isDone),
    counts,
    deleteBefore
  }
}
