/**
 * What the engines of this process count, as Effect metrics: in `Metric.snapshot`, and in every exporter of those.
 *
 * Counted where the facts are recorded, without an event for it. Labels: `task` is a task's name, of the first 1,000 names
 * in a process; all others are counted as `other`. Several engines in one process are counted together. Seconds are of the
 * engine's clock, but for commits and the event loop, whose time is real.
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })
const histogram = (name: string, bounds: ReadonlyArray<number>, description: string) =>
  Metric.histogram(name, MetricBoundaries.fromIterable(bounds), description)

const seconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400]
const shortSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** New tasks whose commit this process knows of; deduplicated ones are not counted. By `task`. */
export const enqueued = counter("taskflow_enqueued_total", "Tasks enqueued.")
/** Attempts that started here. By `task`. */
export const started = counter("taskflow_started_total", "Attempts started.")
/** Tasks whose end this process recorded, or saw an instance that died leave. By `task` and `status`. */
export const finished = counter("taskflow_finished_total", "Tasks ended, by how.")
/**
 * Slots of schedules, where they were settled: fired, missed (passed over), overlapping (the run before had not ended) or
 * duplicate (the idempotency key was held). By `task` and `outcome`.
 */
export const slots = counter("taskflow_schedule_slots_total", "Slots of schedules, by what became of them.")
/** Seconds from first start to end of what succeeded or failed, waits between attempts included. By `task`. */
export const duration = histogram("taskflow_duration_seconds", seconds, "From first start to end, in seconds.")
/** Seconds from when a task might have started to its first start. By `task`. */
export const wait = histogram("taskflow_wait_seconds", seconds, "From when it might start to first start, in seconds.")
/** Tasks held ready in the memory of this process. */
export const queueDepth = Metric.gauge("taskflow_queue_depth", { description: "Tasks held ready in memory." })
/** Attempts under way. By `task`. */
export const running = Metric.gauge("taskflow_running", { description: "Attempts under way." })
/** Changes in one batch of the journal: what one commit writes. */
export const batchSize = histogram(
  "taskflow_journal_batch_changes",
  [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000],
  "Changes in one commit of the journal."
)
/** Seconds one write of the journal took, whether it was answered or failed. */
export const commitTime = histogram("taskflow_journal_commit_seconds", shortSeconds, "One commit, in seconds.")
/** Writes of the journal that failed; each is asked again. */
export const commitFailures = counter("taskflow_journal_failures_total", "Commits of the journal that failed.")
/** Heartbeats that the backend answered with: alive. None where the backend is not shared. */
export const leaseRenewals = counter("taskflow_lease_renewals_total", "Heartbeats that renewed the lease.")
/** Events that slow readers of `TaskManager.events` lost, and taps that threw. */
export const eventsDropped = counter("taskflow_events_dropped_total", "Events that slow readers lost.")
/** Seconds by which the event loop was late, measured twice a second. */
export const loopLag = histogram(
  "taskflow_event_loop_lag_seconds",
  shortSeconds,
  "How late the event loop was, in seconds."
)
