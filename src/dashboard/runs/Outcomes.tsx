/** How runs ended over the window of time, and how long they took: failures on the ground, successes above them. */
import { useRef, useState } from "preact/hooks"
import type { Bucket } from "../api/types.js"
import { setParams } from "../location.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { buckets, scope, stats } from "./figures.js"

const height = 44

const bad = ({ failed, interrupted }: Bucket): number => failed + interrupted
const all = (bucket: Bucket): number => bad(bucket) + bucket.success + bucket.cancelled

const ticks = 6

interface Brush {
  readonly from: number
  readonly to: number
}

const Bars = ({ items, most }: { readonly items: ReadonlyArray<Bucket>; readonly most: number }) => {
  const width = 100 / items.length
  const tall = (value: number): number => value / most * (height - 2)
  return (
    <>
      {items.map((bucket, index) => {
        const x = index * width + width * 0.1
        const failed = tall(bad(bucket))
        const rest = tall(all(bucket) - bad(bucket))
        return (
          <g key={bucket.at}>
            {failed > 0
              ? (
                <rect
                  class="bad"
                  x={x}
                  y={height - Math.max(1, failed)}
                  width={width * 0.8}
                  height={Math.max(1, failed)}
                />
              )
              : null}
            {rest > 0
              ? (
                <>
                  <rect class="ok" x={x} y={height - failed - rest} width={width * 0.8} height={rest} />
                  <rect class="cap" x={x} y={height - failed - rest} width={width * 0.8} height={1} />
                </>
              )
              : null}
          </g>
        )
      })}
    </>
  )
}

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

const summary = (items: ReadonlyArray<Bucket>): string => {
  const failed = items.reduce((sum, one) => sum + bad(one), 0)
  return t.figures.chart(format.count(items.reduce((sum, one) => sum + all(one), 0)), format.count(failed))
}

export const Outcomes = () => {
  const svg = useRef<SVGSVGElement>(null)
  const [brush, setBrush] = useState<Brush | null>(null)
  const known = buckets.value
  if (scope.value === null) return null
  const items = known?.items ?? []
  const first = items[0]
  const most = Math.max(1, ...items.map(all))
  const start = first === undefined ? 0 : Date.parse(first.at)
  const reach = (known?.width ?? 0) * items.length

  const atPointer = (event: PointerEvent): number => {
    const box = svg.current?.getBoundingClientRect()
    return box === undefined ? 0 : Math.min(1, Math.max(0, (event.clientX - box.left) / box.width))
  }
  const iso = (share: number): string => new Date(start + Math.round(share * reach)).toISOString()
  const finish = (): void => {
    if (brush === null) return
    const [from, to] = [Math.min(brush.from, brush.to), Math.max(brush.from, brush.to)]
    setBrush(null)
    if (to - from > 0.01) setParams({ from: iso(from), to: iso(to), since: null })
  }
  const label = (millis: number): string =>
    reach > 172_800_000 ? format.dayOf(millis, utc.value) : format.shortTime(millis, utc.value)

  return (
    <section class="outcomes" aria-label={t.figures.title}>
      <Figures />
      <svg
        ref={svg}
        viewBox={`0 0 100 ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={summary(items)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          const at = atPointer(event)
          setBrush({ from: at, to: at })
        }}
        onPointerMove={(event) => brush === null ? undefined : setBrush({ ...brush, to: atPointer(event) })}
        onPointerUp={finish}
        onPointerCancel={() => setBrush(null)}
      >
        <Bars items={items} most={most} />
        <line class="ground" x1="0" x2="100" y1={height} y2={height} />
        {brush === null ?
          null :
          (
            <rect
              class="brush"
              x={Math.min(brush.from, brush.to) * 100}
              y="0"
              width={Math.abs(brush.to - brush.from) * 100}
              height={height}
            />
          )}
      </svg>
      <div class="axis" aria-hidden="true">
        {items.length === 0 ?
          null :
          Array.from({ length: ticks }, (_, index) => <span key={index}>{label(start + reach * index / ticks)}</span>)}
        {items.length === 0 ? null : <span>{t.figures.now}</span>}
      </div>
    </section>
  )
}
