/** How runs ended over the window of time, and how long they took. */
import { setParams } from "../location.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { OutcomeBars } from "../ui/OutcomeBars.js"
import { buckets, scope, stats } from "./figures.js"

const Figures = () => {
  const known = stats.value
  const { durations, ended, successRate, throughput, waits } = known ?? {}
  const span = (millis: number | null | undefined): string =>
    millis === null || millis === undefined ? t.run.none : format.duration(millis)
  const figures: ReadonlyArray<readonly [string, string]> = [
    [t.figures.ended, ended === undefined ? t.run.none : format.count(ended)],
    [t.figures.perMinute, throughput === undefined ? t.run.none : format.rate(throughput)],
    [t.figures.success, successRate === null || successRate === undefined ? t.run.none : format.share(successRate)],
    [t.figures.average, span(durations?.average)],
    [t.figures.p95, span(durations?.p95)],
    [t.figures.min, span(durations?.min)],
    [t.figures.max, span(durations?.max)],
    [t.figures.wait, span(waits?.p95)]
  ]
  return (
    <dl class="figures">
      {figures.map(([what, value]) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

export const Outcomes = () =>
  scope.value === null ? null : (
    <section class="outcomes" aria-label={t.figures.title}>
      <Figures />
      <OutcomeBars buckets={buckets.value} onChoose={(from, to) => setParams({ from, to, since: null })} />
    </section>
  )
