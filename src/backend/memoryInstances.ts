/**
 * The instances MemoryBackend knows: their beats, their last batches, and what becomes of their tasks when they die.
 */
import * as Option from "effect/Option"
import type { AttemptEntry, Outcome } from "../TaskBackend.js"
import type { InstanceId, TaskEvent, TaskFailure } from "../TaskEvent.js"
import type { TaskId } from "../TaskId.js"
import type { Heartbeat, InstanceFacts, InstanceInfo, Peer, Reaped, Vitals } from "../TaskPeer.js"
import * as TaskRecord from "../TaskRecord.js"
import type { Controls } from "./memoryControls.js"
import type { LiveRow, Tables } from "./memoryTables.js"

interface Instance {
  readonly facts: InstanceFacts
  beat: number
  beatAt: number
  vitals: Vitals | null
  draining: boolean
  /** `dead`: declared so, but still owns tasks. `gone`: owns nothing, and never will again. */
  state: "live" | "dead" | "gone"
  /** The only suspect it ran when it was declared dead: what most likely killed it. */
  loneSuspect: TaskId | null
  goneAt: number
  /** The last batch of each lane: a lane repeats a batch only before it goes on to the next. */
  readonly lanes: Map<string, { readonly number: number; readonly outcomes: ReadonlyArray<Outcome> }>
}

// As long as somebody may still repeat a batch of an instance that is gone.
const rememberedFor = 600_000

const instanceDied: TaskFailure = {
  kind: "crashed",
  name: "InstanceDied",
  message: "the process that ran this attempt died, or could not be seen for longer than its lease",
  stack: "",
  error: null
}

const after = (record: TaskRecord.TaskRecord, event: TaskEvent): TaskRecord.TaskRecord =>
  Option.getOrThrow(TaskRecord.apply(record, event))

// What a running task becomes when its instance died, and how the ledger tells it.
const givenBack = (
  before: TaskRecord.TaskRecord,
  poison: boolean,
  at: number
): { readonly record: TaskRecord.TaskRecord } & Pick<AttemptEntry, "outcome" | "failure"> => {
  const { taskId } = before
  if (before.cancelRequested) {
    return { record: after(before, { _tag: "Cancelled", taskId, at }), outcome: "cancelled", failure: null }
  }
  if (!before.requeueOnInterrupt) {
    const record = after(before, { _tag: "Interrupted", taskId, at, stopReason: "instanceDied" })
    return { record, outcome: "interrupted", failure: null }
  }
  const crashed = { ...before, crashes: before.crashes + 1 }
  if (poison) {
    const record = after(crashed, { _tag: "Failed", taskId, at, failure: instanceDied, stopReason: "poison" })
    return { record, outcome: "failed", failure: instanceDied }
  }
  const record = after(crashed, { _tag: "Requeued", taskId, at, stopReason: "instanceDied" })
  return { record, outcome: "requeued", failure: instanceDied }
}

export const make = (tables: Tables, controls: Controls) => {
  const instances = new Map<InstanceId, Instance>()
  let latest: InstanceId | null = null
  const nothing: Reaped = { records: [], left: false }

  const declareDead = (instance: Instance): void => {
    if (instance.state !== "live") return
    instance.state = "dead"
    const suspects = [...tables.holdings.of(instance.facts.id).suspects].filter(({ record }) =>
      TaskRecord.isLive(record)
    )
    // Decided here: a reap in several steps would see the others no more.
    instance.loneSuspect = suspects.length === 1 ? suspects[0]!.record.taskId : null
  }

  const buryIfEmpty = (instance: Instance, now: number): void => {
    if (instance.state === "gone" || tables.holdings.of(instance.facts.id).rows.all.length > 0) return
    instance.state = "gone"
    instance.goneAt = now
  }

  const giveBack = (row: LiveRow, { loneSuspect }: Instance, now: number): TaskRecord.TaskRecord => {
    const before = row.record
    if (!TaskRecord.isLive(before)) {
      if (before.kind === "effect") {
        const cancelled = { _tag: "Cancelled", taskId: before.taskId, at: now } as const
        const record = Option.getOrThrow(TaskRecord.apply(before, cancelled))
        tables.finish(row, record, now)
        return record
      }
      tables.update(row, { ...before, owner: null }, now)
      return row.record
    }
    const poison = before.taskId === loneSuspect && before.crashes + 1 >= before.maxCrashes
    const { failure, outcome, record } = givenBack(before, poison, now)
    tables.addAttempt(before.taskId, {
      claim: before.claim,
      attempt: before.attempts,
      instance: before.owner!,
      startedAt: before.attemptStartedAt!,
      endedAt: now,
      outcome,
      failure
    })
    if (TaskRecord.isDone(record)) tables.finish(row, record, now)
    else tables.update(row, record, now)
    return record
  }

  return {
    /** Undefined when it was never attached, or is forgotten. */
    get: (id: InstanceId) => instances.get(id),

    /** The last one that attached; null when none did. */
    latest: () => latest,

    attach: (facts: InstanceFacts, now: number): void => {
      latest = facts.id
      if (instances.has(facts.id)) return
      instances.set(facts.id, {
        facts,
        beat: 0,
        beatAt: now,
        vitals: null,
        draining: false,
        state: "live",
        loneSuspect: null,
        goneAt: 0,
        lanes: new Map()
      })
    },

    list: (): ReadonlyArray<InstanceInfo> =>
      [...instances.values()].flatMap(({ beat, beatAt, draining, facts, state, vitals }) =>
        state === "gone" ? [] : [{ ...facts, state, beat, beatAt, vitals, draining }]
      ),

    drain: (id: InstanceId, draining: boolean): boolean => {
      const instance = instances.get(id)
      if (instance?.state !== "live") return false
      instance.draining = draining
      return true
    },

    detach: (id: InstanceId, now: number): void => {
      const instance = instances.get(id)
      if (instance === undefined) return
      declareDead(instance)
      buryIfEmpty(instance, now)
    },

    heartbeat: (id: InstanceId, now: number, vitals?: Vitals): Heartbeat => {
      const instance = instances.get(id)
      const alive = instance?.state === "live"
      if (alive) {
        instance.beat += 1
        instance.beatAt = now
        instance.vitals = vitals ?? instance.vitals
      }
      const owned = instance === undefined ? [] : tables.holdings.of(id).rows.all
      const peers: Array<Peer> = []
      for (const { beat, facts, state } of instances.values()) {
        if (facts.id !== id && state !== "gone") peers.push({ ...facts, beat, state })
      }
      return {
        alive,
        cancels: owned.flatMap(({ record }) =>
          record.cancelRequested && TaskRecord.isLive(record) ? [record.taskId] : []
        ),
        peers,
        backendNow: null,
        paused: controls.paused(),
        draining: instance?.draining ?? false
      }
    },

    reap: (id: InstanceId, beat: number, limit: number, now: number): Reaped => {
      const instance = instances.get(id)
      if (instance === undefined || instance.state === "gone") return nothing
      if (instance.state === "live" && instance.beat !== beat) return nothing
      declareDead(instance)
      const { rows } = tables.holdings.of(id)
      const next = [...rows.all].sort((a, b) => a.sequence - b.sequence).slice(0, limit)
      const records = next.map((row) => giveBack(row, instance, now))
      buryIfEmpty(instance, now)
      return { records, left: rows.all.length > 0 }
    },

    maintain: (now: number): void => {
      for (const [id, { goneAt, state }] of instances) {
        if (state !== "gone" || goneAt + rememberedFor > now) continue
        instances.delete(id)
        tables.holdings.forget(id)
      }
    }
  }
}
