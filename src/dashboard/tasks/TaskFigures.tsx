/** How runs of a task did within a window of time: figures, outcomes over the time, how long they took. */
import * as endpoints from "../api/endpoints.js"
import type { Bucket, Buckets, Definition, WindowStats } from "../api/types.js"
import { href, navigate } from "../location.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { words } from "../text/task.js"
import { LoadFailed } from "../ui/LoadFailed.js"
import { badOf, endedOf, OutcomeBars } from "../ui/OutcomeBars.js"
import { usePolled } from "../ui/polled.js"
import { DurationBars } from "./DurationBars.js"
import { termOf } from "./term.js"

const every = 10_000

const span = (millis: number | null): string => millis === null ? words.none : format.duration(millis)

interface Figure {
  readonly what: string
  readonly value: string
  readonly to?: string
  readonly bad?: boolean
}

const figuresOf = ({ pending, running, taskName }: Definition, stats: WindowStats): ReadonlyArray<Figure> => {
  const { durations, ended, failed, interrupted, successRate, throughput, waits } = stats
  const runs = (status: string) => href("runs", { q: termOf(taskName), status, since: "all" })
  const bad = failed + interrupted
  return [
    { what: words.waiting, value: format.count(pending), to: runs("pending") },
    { what: words.running, value: format.count(running), to: runs("running") },
    { what: words.ended, value: format.count(ended) },
    { what: words.legend.failed, value: format.count(bad), bad: bad > 0, to: href("dead-letters", { task: taskName }) },
    { what: words.perMinute, value: format.rate(throughput) },
    { what: words.success, value: successRate === null ? words.none : format.share(successRate) },
    { what: words.average, value: span(durations.average) },
    { what: words.min, value: span(durations.min) },
    { what: words.max, value: span(durations.max) },
    { what: "p50", value: span(durations.p50) },
    { what: "p95", value: span(durations.p95) },
    { what: "p99", value: span(durations.p99) },
    { what: words.waitMedian, value: span(waits.p50) },
    { what: words.wait, value: span(waits.p95) }
  ]
}

const Figures = ({ figures }: { readonly figures: ReadonlyArray<Figure> }) => (
  <section class="card" aria-label={words.figures}>
    <dl class="big-figures">
      {figures.map(({ bad = false, to, value, what }) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd class={bad ? "bad" : ""}>{to === undefined ? value : <a href={to}>{value}</a>}</dd>
        </div>
      ))}
    </dl>
  </section>
)

const TrendTable = ({ items, width }: Buckets) => {
  const label = (bucket: Bucket): string =>
    (width >= 86_400_000 ? format.dayOf : format.momentOf)(Date.parse(bucket.at), utc.value)
  return (
    <details class="as-table">
      <summary>{words.asTable}</summary>
      <table class="numbers">
        <caption class="sr">{words.trend}</caption>
        <thead>
          <tr>
            <th scope="col">{words.from}</th>
            <th scope="col">{words.legend.success}</th>
            <th scope="col">{words.legend.failed}</th>
            <th scope="col">{words.legend.other}</th>
            <th scope="col">p95</th>
          </tr>
        </thead>
        <tbody>
          {items.filter((bucket) => endedOf(bucket) > 0).map((bucket) => (
            <tr key={bucket.at}>
              <th scope="row">{label(bucket)}</th>
              <td>{format.count(bucket.success)}</td>
              <td>{format.count(badOf(bucket))}</td>
              <td>{format.count(bucket.cancelled)}</td>
              <td>{span(bucket.durations.p95)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

interface TaskFiguresProps {
  readonly task: Definition
  readonly window: string
}

const read = async (task: string, window: string, signal: AbortSignal) => {
  const asked = { task, window }
  const [stats, buckets, durations] = await Promise.all([
    endpoints.stats(asked, signal),
    endpoints.buckets({ ...asked, points: 90 }, signal),
    endpoints.durations(asked, signal)
  ])
  return { stats, buckets, durations }
}

export const TaskFigures = ({ task, window }: TaskFiguresProps) => {
  const { taskName } = task
  const { isOfAnother, problem, reload, value } = usePolled(
    `${taskName} ${window}`,
    (signal) => read(taskName, window, signal),
    every
  )
  if (value === null) {
    return problem === null
      ? <div class="card placeholder" />
      : <LoadFailed title={words.chartsFailed} problem={problem} onRetry={reload} />
  }
  const { buckets, durations, stats } = value
  return (
    <>
      {isOfAnother ? <div class="progress" /> : null}
      <Figures figures={figuresOf(task, stats)} />
      <div class="columns">
        <section class="card">
          <div class="card-head">
            <h2>{words.trend}</h2>
            <p class="dim">{stats.ended === 0 ? words.trendNone : words.brush}</p>
            <span class="grow" />
            <ul class="legend" aria-hidden="true">
              <li class="ok">{words.legend.success}</li>
              <li class="bad">{words.legend.failed}</li>
            </ul>
          </div>
          <div class="outcomes tall">
            <OutcomeBars
              buckets={buckets}
              onChoose={(from, to) => navigate(href("runs", { q: termOf(taskName), from, to }))}
            />
          </div>
          <TrendTable {...buckets} />
        </section>
        <section class="card">
          <div class="card-head">
            <h2>{words.histogram}</h2>
            <p class="dim">{words.histogramNote}</p>
          </div>
          <DurationBars answer={durations} />
        </section>
      </div>
      <p class="sr" role="status">{problem === null ? "" : `${t.list.notUpdated}: ${problem.message}`}</p>
    </>
  )
}
