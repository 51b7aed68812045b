/** What the answering instance counts of itself: its journal, its lease, its readers, its event loop. Of nobody else. */
import type * as Metric from "effect/Metric"
import type * as MetricState from "effect/MetricState"
import * as TaskMetrics from "../TaskMetrics.js"
import type { Family } from "./prometheus.js"

type Labels = Readonly<Record<string, string>>

const counter = (name: string, help: string, labels: Labels, metric: Metric.Metric.Counter<number>): Family => ({
  name,
  type: "counter",
  help,
  samples: [[labels, metric.unsafeValue([]).count]]
})

const bucketsOf = (labels: Labels, { buckets, count, sum }: MetricState.MetricState.Histogram): Family["samples"] => [
  ...buckets.map(([bound, cumulated]) => [{ ...labels, le: String(bound) }, cumulated, "_bucket"] as const),
  [{ ...labels, le: "+Inf" }, count, "_bucket"],
  [labels, sum, "_sum"],
  [labels, count, "_count"]
]

const histogram = (name: string, help: string, labels: Labels, metric: Metric.Metric.Histogram<number>): Family => ({
  name,
  type: "histogram",
  help,
  samples: bucketsOf(labels, metric.unsafeValue([]))
})

/** The families, with the instance as their label. Of several engines in one process they are the sum. */
export const families = (instance: string): ReadonlyArray<Family> => {
  const labels = { instance }
  return [
    histogram(
      "taskflow_journal_batch_changes",
      "Changes in one commit of the journal of the answering instance.",
      labels,
      TaskMetrics.batchSize
    ),
    histogram(
      "taskflow_journal_commit_seconds",
      "How long one commit of the journal of the answering instance took.",
      labels,
      TaskMetrics.commitTime
    ),
    counter(
      "taskflow_journal_failures_total",
      "Commits of the journal of the answering instance that failed and were asked again.",
      labels,
      TaskMetrics.commitFailures
    ),
    counter(
      "taskflow_lease_renewals_total",
      "Heartbeats that renewed the lease of the answering instance.",
      labels,
      TaskMetrics.leaseRenewals
    ),
    counter(
      "taskflow_events_dropped_total",
      "Events that slow readers in the answering instance lost.",
      labels,
      TaskMetrics.eventsDropped
    ),
    histogram(
      "taskflow_event_loop_lag_seconds",
      "How late the event loop of the answering instance was.",
      labels,
      TaskMetrics.loopLag
    )
  ]
}
