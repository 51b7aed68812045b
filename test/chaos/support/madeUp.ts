/** A run that never was: a bit of everything went wrong in it, and the contract was kept. Tests break it, one thing at a time. */
import { type AttemptEntry, TaskEvent, TaskId, TaskRecord, TaskStatus } from "effect-taskflow"
import type { Evidence } from "../invariants/Finding.js"
import type { Seen, Sighting } from "./witness.js"

const every = 250
const from = 1_000_000
const until = from + 4 * every

/** What the judge is told of it. Process 2.0 is of the older version, 2.1 of the newer one, 3.0 is the one that follows. */
export const terms = {
  every,
  span: { from, until },
  followedSince: from,
  alive: new Set(["0.0", "1.1", "2.0", "3.0"]),
  deployments: new Map(
    [["0.0", "both"], ["1.0", "both"], ["1.1", "both"], ["2.0", "older"], ["2.1", "newer"], ["3.0", "both"]] as const
  )
}

const idOf = (number: number) => `01900000-0000-7000-8000-${String(number).padStart(12, "0")}`

export class MadeUpRun {
  readonly records = new Map<string, TaskRecord.TaskRecord>()
  seen: Array<Seen> = []
  readonly done: Array<string> = []
  readonly live: Array<string> = []
  readonly booked: Array<string> = []
  readonly placed: Array<string> = []
  readonly ledger = new Map<string, Array<AttemptEntry>>()
  readonly instances: Array<Evidence["state"]["instances"][number]> = []
  readonly miscounted: Record<string, number> = {}
  private made = 0

  /** A task that ended in success at once, in process 0.0, unless it says otherwise. */
  add(kind: string, change: Partial<TaskRecord.TaskRecord> = {}): string {
    this.made += 1
    const taskId = idOf(this.made)
    if (!TaskId.isTaskId(taskId)) throw new RangeError(taskId)
    const enqueued = TaskRecord.fromEnqueued({
      _tag: "Enqueued",
      taskId,
      at: from,
      taskName: `chaos/${kind}`,
      kind: "task",
      payload: JSON.stringify({ nonce: kind === "tick" ? "tick" : `n${this.made}`, millis: 0 }),
      priority: 0,
      tags: {},
      idempotencyKey: null,
      keyTtl: null,
      source: kind === "tick" ? "scheduled" : "manual",
      schedule: null,
      executor: "fiber",
      requeueOnInterrupt: kind !== "once",
      maxCrashes: 3,
      definitionVersion: 1,
      runAt: null,
      retryOf: null,
      trace: null,
      owner: null
    })
    const ended = {
      status: "success",
      claim: 1,
      attempts: 1,
      result: JSON.stringify({ fence: 1, life: "0.0" })
    } as const
    const record = { ...enqueued, ...ended, ...change }
    this.records.set(taskId, record)
    this.done.push(taskId)
    if (kind !== "tick") this.see("0.0", from, { what: "asked", nonce: this.nonceOf(taskId) })
    if (kind !== "tick") this.acknowledge(taskId)
    this.see("3.0", from + 900, { what: "told", taskId, status: record.status })
    return taskId
  }

  nonceOf(taskId: string): string {
    return (JSON.parse(this.records.get(taskId)!.payload) as { readonly nonce: string }).nonce // safe: as above
  }

  change(taskId: string, change: Partial<TaskRecord.TaskRecord>): void {
    this.records.set(taskId, { ...this.records.get(taskId)!, ...change })
  }

  drop(taskId: string): void {
    this.records.delete(taskId)
    this.done.splice(this.done.indexOf(taskId), 1)
  }

  see(life: string, at: number, sighting: Sighting): void {
    this.seen.push({ ...sighting, life, at })
  }

  /** As if nobody had seen it. */
  forget(what: Sighting["what"], taskId: string): void {
    this.seen = this.seen.filter((one) => !(one.what === what && "taskId" in one && one.taskId === taskId))
  }

  acknowledge(taskId: string, fresh = true, nonce = this.nonceOf(taskId), life = "0.0"): void {
    const { idempotencyKey, taskName } = this.records.get(taskId)!
    const kind = taskName.slice("chaos/".length)
    this.see(life, from + 10, { what: "enqueued", kind, nonce, key: idempotencyKey, taskId, fresh })
  }

  start(taskId: string, { at = from + 100, fence = 1, life = "0.0" } = {}): void {
    const kind = this.records.get(taskId)!.taskName.slice("chaos/".length)
    this.see(life, at, { what: "started", kind, taskId, fence, nonce: this.nonceOf(taskId) })
  }

  finish(taskId: string, { at = from + 200, fence = 1, life = "0.0" } = {}): void {
    this.see(life, at, { what: "finished", taskId, fence })
  }

  /** Its attempts, by how they ended. */
  enter(taskId: string, ...outcomes: ReadonlyArray<AttemptEntry["outcome"]>): void {
    this.ledger.set(
      taskId,
      outcomes.map((outcome, index) => ({
        claim: index + 1,
        attempt: index + 1,
        instance: TaskEvent.InstanceId.make("01900000-0000-7000-8000-0000000000ff"),
        startedAt: from,
        endedAt: from,
        outcome,
        failure: null
      }))
    )
  }

  evidence(): Evidence {
    const counts = Object.fromEntries(
      TaskStatus.all.map((status) => [
        status,
        [...this.records.values()].filter((one) => one.status === status).length + (this.miscounted[status] ?? 0)
      ])
    ) as Record<TaskStatus.TaskStatus, number> // safe: all of them
    const durations = { count: 0, sum: 0, min: null, max: null, p50: null, p95: null, p99: null }
    const { booked, done, instances, ledger, live, placed, records } = this
    return {
      seen: [...this.seen].sort((a, b) => a.at - b.at),
      settled: true,
      state: { records, done, live, ledger, instances, books: { booked, placed }, stats: { counts, durations } }
    }
  }
}

/** The run, and its tasks by what they stand for. */
export const madeUp = () => {
  const run = new MadeUpRun()
  for (const life of ["0.0", "1.0", "2.0", "3.0"]) run.see(life, from, { what: "memory", rss: 1e8 })
  run.see("1.1", from + 400, { what: "memory", rss: 1e8 })

  const plain = run.add("again")
  run.start(plain)
  run.finish(plain)
  run.see("0.0", from + 20, { what: "awaiting", taskId: plain })
  run.see("0.0", from + 300, { what: "awaited", taskId: plain, status: "success" })

  // Its process was killed, and it ran elsewhere.
  const rescued = run.add("again", {
    attempts: 2,
    claim: 2,
    crashes: 1,
    result: JSON.stringify({ fence: 2, life: "0.0" })
  })
  run.start(rescued, { life: "1.0" })
  run.start(rescued, { fence: 2, at: from + 400 })
  run.finish(rescued, { fence: 2, at: from + 500 })
  run.enter(rescued, "requeued")

  const once = run.add("once", { status: "interrupted", stopReason: "instanceDied", result: null })
  run.start(once, { life: "1.0" })

  const keyed = run.add("keyed", { idempotencyKey: "key 1" })
  run.start(keyed)
  run.finish(keyed)
  run.see("2.0", from, { what: "asked", nonce: "another" })
  run.acknowledge(keyed, false, "another", "2.0")

  const stopped = run.add("doomed", { status: "cancelled", stopReason: "cancel", result: null })
  run.start(stopped)
  run.see("3.0", from + 200, { what: "cancelling", taskId: stopped })
  run.see("3.0", from + 210, { what: "cancel", taskId: stopped, answer: "requested" })
  const unbegun = run.add("doomed", { status: "cancelled", stopReason: "cancel", result: null, attempts: 0, claim: 0 })
  run.see("3.0", from + 200, { what: "cancelling", taskId: unbegun })
  run.see("3.0", from + 210, { what: "cancel", taskId: unbegun, answer: "cancelled" })

  const hopeless = run.add("hopeless", {
    status: "failed",
    stopReason: "retriesSpent",
    failures: 3,
    attempts: 3,
    claim: 3,
    result: null
  })
  run.enter(hopeless, "failed", "failed")

  // Its transaction was begun anew.
  const booked = run.add("booked")
  run.start(booked)
  run.start(booked)
  run.finish(booked)
  run.booked.push(booked)

  const placed = run.add("placed")
  run.start(placed)
  run.finish(placed)
  run.placed.push(run.nonceOf(placed))

  const later = run.add("later", { runAt: from + 8_000 })
  run.start(later, { at: from + 8_001 })
  run.finish(later, { at: from + 8_100 })

  const ticks = [1, 2, 3, 4].map((index) => {
    const tick = run.add("tick", { schedule: { name: "ticks", slot: from + index * every } })
    run.start(tick)
    run.finish(tick)
    return tick
  })
  // Nobody was told whether it is there.
  run.see("0.0", from, { what: "asked", nonce: "unknown" })
  run.see("0.0", from + 50, { what: "refused", kind: "again", nonce: "unknown", error: "it is not known" })
  return { run, plain, rescued, once, keyed, stopped, unbegun, hopeless, booked, placed, later, ticks }
}

export { every, from, until }
