/** How the engine counts: one call where a fact is recorded, no object for each task. The metrics are in `TaskMetrics`. */
import * as MetricLabel from "effect/MetricLabel"
import * as Metrics from "../TaskMetrics.js"
import { all, type TaskStatus } from "../TaskStatus.js"

type Labels = ReadonlyArray<MetricLabel.MetricLabel>
const maxNames = 1_000
const other = "other"

const slotEnds = ["fired", "missed", "overlapping", "duplicate"] as const

/** What became of a slot of a schedule. */
export type SlotEnd = typeof slotEnds[number]

interface Named {
  readonly task: Labels
  readonly statuses: { readonly [Status in TaskStatus]: Labels }
  readonly slots: { readonly [End in SlotEnd]: Labels }
}

// Metrics find their hook by the identity of the labels: made once for each name.
const known = new Map<string, Named>()

const labelsOf = (taskName: string): Named => {
  const found = known.get(taskName)
  if (found !== undefined) return found
  if (known.size >= maxNames && taskName !== other) return labelsOf(other)
  const label = MetricLabel.make("task", taskName)
  const statuses = all.map((status) => [status, [label, MetricLabel.make("status", status)]] as const)
  const slots = slotEnds.map((end) => [end, [label, MetricLabel.make("outcome", end)]] as const)
  // safe: one entry for each status, and for each outcome
  const made: Named = {
    task: [label],
    statuses: Object.fromEntries(statuses) as unknown as Named["statuses"],
    slots: Object.fromEntries(slots) as unknown as Named["slots"]
  }
  known.set(taskName, made)
  return made
}

const none: Labels = []

/** Counts, from where it happens. */
export const count = {
  enqueued: (taskName: string): void => Metrics.enqueued.unsafeUpdate(1, labelsOf(taskName).task),
  started: (taskName: string, waited: number | null): void => {
    const { task } = labelsOf(taskName)
    Metrics.started.unsafeUpdate(1, task)
    if (waited !== null) Metrics.wait.unsafeUpdate(waited / 1_000, task)
  },
  finished: (taskName: string, status: TaskStatus, millis: number | null): void => {
    const { statuses, task } = labelsOf(taskName)
    Metrics.finished.unsafeUpdate(1, statuses[status])
    if (millis !== null && (status === "success" || status === "failed")) {
      Metrics.duration.unsafeUpdate(millis / 1_000, task)
    }
  },
  slots: (taskName: string, outcome: SlotEnd, slots: number): void =>
    Metrics.slots.unsafeUpdate(slots, labelsOf(taskName).slots[outcome]),
  running: (taskName: string, by: 1 | -1): void => Metrics.running.unsafeModify(by, labelsOf(taskName).task),
  queued: (by: number): void => Metrics.queueDepth.unsafeModify(by, none),
  committed: (changes: number, millis: number): void => {
    Metrics.batchSize.unsafeUpdate(changes, none)
    Metrics.commitTime.unsafeUpdate(millis / 1_000, none)
  },
  commitFailed: (millis: number): void => {
    Metrics.commitFailures.unsafeUpdate(1, none)
    Metrics.commitTime.unsafeUpdate(millis / 1_000, none)
  },
  renewed: (): void => Metrics.leaseRenewals.unsafeUpdate(1, none),
  dropped: (events: number): void => Metrics.eventsDropped.unsafeUpdate(events, none),
  late: (millis: number): void => Metrics.loopLag.unsafeUpdate(millis / 1_000, none)
}
