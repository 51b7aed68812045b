/** Six figures: what they are now, how they went, and how they changed. Each leads to what it was made of. */
import type { ComponentChildren } from "preact"
import type { Instance, Overview } from "../api/types.js"
import { live } from "../live/store.js"
import { href } from "../location.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import {
  badOf,
  type Change,
  newDead,
  pointsChange,
  type Range,
  rateChange,
  type Series,
  seriesOf,
  sinceOf,
  spanChange,
  type Tone
} from "./change.js"
import { slotsOf } from "./needs.js"
import { Spark } from "./Spark.js"

interface FigureProps {
  readonly name: string
  readonly value: string
  readonly unit?: string | undefined
  readonly to: string
  readonly series: Series
  readonly tone?: Tone | "run"
  readonly title?: string | undefined
  readonly children: ComponentChildren
}

const Figure = ({ children, name, series, title, to, tone = "plain", unit, value }: FigureProps) => (
  <div class="figure" data-figure={name}>
    <dt>{name}</dt>
    <dd>
      <a class="value" href={to}>
        <b>{value}</b>
        {unit === undefined ? null : <span>{unit}</span>}
      </a>
      <p class={`change ${tone}`}>{children}</p>
      <div class="drawn" title={title}>
        <Spark values={series} tone={tone} />
      </div>
    </dd>
  </div>
)

/** A span in two parts: the number large, its unit small. */
const partsOf = (millis: number | null): readonly [string, string | undefined] => {
  if (millis === null) return [t.overview.none, undefined]
  const [value = "", unit] = format.duration(millis).split(" ")
  return [value, unit]
}

// What people notice of a run, and of a queue.
const feltRun = 100
const feltWait = 1_000

const Words = ({ change: { words } }: { readonly change: Change }) => <>{words}</>

interface FiguresProps {
  readonly overview: Overview
  readonly range: Range
  readonly instances: ReadonlyArray<Instance> | null
}

export const Figures = ({ instances, overview, range }: FiguresProps) => {
  const { atLeast, current, pending, previous, retrying, running } = overview
  const series = seriesOf(overview)
  const runs = (params: Readonly<Record<string, string>>): string => href("runs", { since: sinceOf(range), ...params })
  const always = (status: string): string => href("runs", { since: "all", status })
  const throughput = rateChange(current.throughput, previous.throughput, range)
  const success = pointsChange(current.successRate, previous.successRate, range)
  const p95 = spanChange(current.durations.p95, previous.durations.p95, range, feltRun)
  const wait = spanChange(current.waits.p95, previous.waits.p95, range, feltWait)
  const dead = newDead(badOf(current), range)
  const slots = slotsOf(instances ?? [])
  const dlq = live.value.counts?.dlq
  const [p95Value, p95Unit] = partsOf(current.durations.p95)
  const [waitValue, waitUnit] = partsOf(current.waits.p95)
  return (
    <dl class="card ov-figures" aria-label={t.overview.figures}>
      <Figure
        name={t.overview.throughput}
        value={format.rate(current.throughput)}
        unit={t.overview.perMinute}
        to={runs({ sort: "-ended" })}
        series={series.throughput}
      >
        <Words change={throughput} />
      </Figure>
      <Figure
        name={t.overview.success}
        value={current.successRate === null ? t.overview.none : format.sharePart(current.successRate)}
        unit={current.successRate === null ? undefined : "%"}
        to={badOf(current) === 0 ? runs({}) : runs({ q: "status:failed,interrupted" })}
        series={series.success}
        tone={success.tone}
      >
        <Words change={success} />
      </Figure>
      <Figure
        name={t.overview.p95}
        value={p95Value}
        unit={p95Unit}
        to={runs({ sort: "-duration" })}
        series={series.p95}
        tone={p95.tone}
      >
        <Words change={p95} />
      </Figure>
      <Figure
        name={t.overview.wait}
        value={waitValue}
        unit={waitUnit}
        to={runs({ sort: "-wait" })}
        series={series.wait}
        tone={wait.tone}
      >
        <Words change={wait} />
      </Figure>
      <Figure
        name={t.overview.running}
        value={format.countAtLeast(Math.max(0, running - retrying), atLeast.includes("running"))}
        unit={slots === null ? undefined : t.overview.ofSlots(slots.max)}
        to={href("runs", { since: "all", q: "-status:retrying", status: "running" })}
        series={series.busy}
        tone="run"
        title={t.overview.busy}
      >
        <a href={always("pending")}>{t.overview.pending(pending, atLeast.includes("pending"))}</a>
        {" · "}
        <a href={always("retrying")}>{t.overview.retrying(retrying, atLeast.includes("retrying"))}</a>
      </Figure>
      <Figure
        name={t.overview.dead}
        value={dlq === undefined ? t.overview.none : format.short(dlq)}
        to={href("dead-letters")}
        series={series.dead}
        tone={dead.tone}
      >
        <Words change={dead} />
      </Figure>
    </dl>
  )
}
