/** How runs ended and how long they took, slot by slot: two charts with one crosshair. Loaded by itself, for the sake of uPlot. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"
import type { Bucket, Overview } from "../api/types.js"
import { href, navigate } from "../location.js"
import { theme, utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Button } from "../ui/controls.js"
import { badOf, endedOf, type Range, spanOf } from "./change.js"
import { type Pointed, pointed, stepOf } from "./cursor.js"
import * as Plot from "./plot.js"

const height = 204

interface ChartsProps {
  readonly overview: Overview
  readonly range: Range
}

type Which = Pointed["chart"]

const toRuns = (span: ReturnType<typeof spanOf>): void => {
  if (span !== null) navigate(href("runs", span))
}

const timeOf = (at: string, width: number): string => {
  const millis = Date.parse(at)
  return width < 3_600_000 ? format.shortTime(millis, utc.value) : format.dayOf(millis, utc.value)
}

const span = (millis: number | null): string => millis === null ? t.overview.none : format.duration(millis)

interface Line {
  readonly key: "ok" | "bad" | "off" | "p50" | "p95" | "p99"
  readonly words: string
  readonly value: string
}

const linesOf = (chart: Which, { cancelled, durations, success, ...bucket }: Bucket): ReadonlyArray<Line> =>
  chart === "duration"
    ? [
      { key: "p50", words: t.overview.p50, value: span(durations.p50) },
      { key: "p95", words: t.overview.p95Short, value: span(durations.p95) },
      { key: "p99", words: t.overview.p99, value: span(durations.p99) }
    ]
    : [
      { key: "ok", words: t.overview.ok, value: format.count(success) },
      { key: "bad", words: t.overview.bad, value: format.count(badOf(bucket)) },
      ...cancelled === 0
        ? []
        : [{ key: "off" as const, words: t.overview.cancelled, value: format.count(cancelled) }],
      { key: "off", words: t.overview.p95Short, value: span(durations.p95) }
    ]

const Mark = ({ kind }: { readonly kind: Line["key"] }) => <i class={`mark-${kind}`} aria-hidden="true" />

const Tooltip = ({ bucket, chart, place, room, width }: {
  readonly bucket: Bucket
  readonly chart: Which
  readonly width: number
  /** Of the crosshair, and how wide everything is, in pixels. */
  readonly place: number
  readonly room: number
}) => (
  <div
    class="tip"
    aria-hidden="true"
    style={place > room / 2 ? { right: `${room - place + 10}px` } : { left: `${place + 10}px` }}
  >
    <b>{timeOf(bucket.at, width)}</b>
    <dl>
      {linesOf(chart, bucket).map(({ key, value, words }) => (
        <div key={words}>
          <dt>
            <Mark kind={key} />
            {words}
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  </div>
)

const said = (chart: Which, { durations, ...bucket }: Bucket, width: number): string =>
  chart === "outcomes"
    ? t.overview.slot(timeOf(bucket.at, width), bucket.success, badOf(bucket), durations.p95)
    : t.overview.slotDurations(timeOf(bucket.at, width), durations.p50, durations.p95, durations.p99)

interface CanvasProps {
  readonly chart: Which
  readonly form: Parameters<typeof Plot.make>[0]
  readonly data: Plot.PlotData
  readonly label: string
}

const Canvas = ({ chart, data, form, label }: CanvasProps) => {
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot.Plot | null>(null)
  const latest = useRef(data)
  latest.current = data
  const [room, setRoom] = useState(0)
  const { items, width } = data
  const at = pointed.value
  const index = at === null ? -1 : items.findIndex((one) => one.at === at.at)
  const bucket = items[index]

  useLayoutEffect(() => {
    if (host.current === null) return
    const made = Plot.make(form, {
      host: host.current,
      data: latest.current,
      height,
      utc: () => utc.peek(),
      onPoint: (index) => {
        const one = index === null ? undefined : latest.current.items[index]
        if (one !== undefined) pointed.value = { at: one.at, chart, byKey: false }
        else if (pointed.peek()?.chart === chart && pointed.peek()?.byKey === false) pointed.value = null
      },
      onDrag: (from, to) => toRuns(spanOf(latest.current.items, latest.current.width, from, to))
    })
    plot.current = made
    const sizes = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0)
      if (width > 0) made.resize(width)
      setRoom(width)
    })
    sizes.observe(host.current)
    const redraw = (): void => void requestAnimationFrame(() => plot.current?.redraw())
    const scheme = matchMedia("(prefers-color-scheme: dark)")
    scheme.addEventListener("change", redraw)
    const stops = [theme.subscribe(redraw), utc.subscribe(redraw)]
    void document.fonts.ready.then(redraw)
    return () => {
      plot.current = null
      sizes.disconnect()
      scheme.removeEventListener("change", redraw)
      for (const stop of stops) stop()
      made.destroy()
      if (pointed.peek()?.chart === chart) pointed.value = null
    }
  }, [])
  useLayoutEffect(() => plot.current?.set(data), [data])
  useLayoutEffect(() => plot.current?.point(index < 0 ? null : index), [index, data, room])

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const next = items[stepOf(event.key, index < 0 ? null : index, items.length) ?? -1]
    if (next !== undefined) pointed.value = { at: next.at, chart, byKey: true }
    else if (event.key === "Escape" && at !== null) pointed.value = null
    else if (event.key === "Enter" && bucket !== undefined) {
      const from = Date.parse(bucket.at)
      toRuns(spanOf(items, width, from, from + width))
    } else return
    event.preventDefault()
  }

  return (
    <div class="plot-root">
      <div
        ref={host}
        class="plot"
        role="img"
        tabIndex={0}
        aria-label={`${label} ${t.overview.chartKeys}`}
        data-chart={chart}
        data-at={bucket?.at}
        onKeyDown={onKeyDown}
        onBlur={() => {
          if (pointed.peek()?.byKey === true) pointed.value = null
        }}
      />
      {bucket !== undefined && at?.chart === chart && plot.current !== null
        ? <Tooltip bucket={bucket} chart={chart} width={width} place={plot.current.placeOf(index)} room={room} />
        : null}
      <span class="sr" role="status">
        {bucket !== undefined && at?.chart === chart && at.byKey ? said(chart, bucket, width) : ""}
      </span>
    </div>
  )
}

const Table = ({ caption, chart, data: { items, width } }: {
  readonly caption: string
  readonly chart: Which
  readonly data: Plot.PlotData
}) => {
  const heads = chart === "outcomes"
    ? [t.overview.ok, t.overview.bad, t.overview.cancelled]
    : [t.overview.p50, t.overview.p95Short, t.overview.p99]
  const cells = ({ cancelled, durations, success, ...bucket }: Bucket) =>
    chart === "outcomes"
      ? [success, badOf(bucket), cancelled].map(format.count)
      : [durations.p50, durations.p95, durations.p99].map(span)
  return (
    <div class="plot-table" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class="sr">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{t.overview.time}</th>
            {heads.map((head) => <th key={head} scope="col">{head}</th>)}
          </tr>
        </thead>
        <tbody>
          {[...items].reverse().map((bucket) => (
            <tr key={bucket.at}>
              <th scope="row">{timeOf(bucket.at, width)}</th>
              {cells(bucket).map((cell, index) => <td key={index}>{cell}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface CardProps extends Omit<CanvasProps, "label"> {
  readonly title: string
  readonly note: string
  readonly label: string
  readonly legend: ReadonlyArray<readonly [Line["key"], string]>
}

const Card = ({ chart, data, form, label, legend, note, title }: CardProps) => {
  const [asTable, setAsTable] = useState(false)
  return (
    <section class={`card chart-${chart}`} aria-label={title}>
      <div class="ov-head">
        <h2>{title}</h2>
        <span class="dim">{note}</span>
        <span class="grow" />
        <ul class="legend">
          {legend.map(([key, words]) => (
            <li key={key}>
              <Mark kind={key} />
              {words}
            </li>
          ))}
        </ul>
        <Button
          small
          kind="quiet"
          label={`${asTable ? t.overview.asChart : t.overview.asTable}: ${title}`}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? t.overview.asChart : t.overview.asTable}
        </Button>
      </div>
      {asTable
        ? <Table caption={label} chart={chart} data={data} />
        : <Canvas chart={chart} data={data} form={form} label={label} />}
    </section>
  )
}

const perOf = (width: number): string =>
  width === 60_000 ? t.overview.per.minute : width === 3_600_000 ? t.overview.per.hour : t.overview.per.twoHours

export const Charts = ({ overview, range }: ChartsProps) => {
  const { current, width } = overview
  const { durations } = current
  useEffect(() => () => {
    pointed.value = null
  }, [range])
  return (
    <>
      <Card
        chart="outcomes"
        data={overview}
        form={Plot.outcomes}
        title={t.overview.outcomes}
        note={perOf(width)}
        label={t.overview.outcomesChart(t.overview.last[range], endedOf(current), badOf(current))}
        legend={[["ok", t.overview.ok], ["bad", t.overview.bad]]}
      />
      <Card
        chart="duration"
        data={overview}
        form={Plot.durations}
        title={t.overview.duration}
        note={t.overview.durationNote}
        label={t.overview.durationChart(t.overview.last[range], durations.p50, durations.p95, durations.p99)}
        legend={[["p50", t.overview.p50], ["p95", t.overview.p95Short], ["p99", t.overview.p99]]}
      />
    </>
  )
}
