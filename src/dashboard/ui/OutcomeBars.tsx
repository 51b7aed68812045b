/** How runs ended over a window of time as bars: failures on the ground, successes above them. A time is chosen by dragging. */
import { useRef, useState } from "preact/hooks"
import type { Bucket, Buckets } from "../api/types.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { narrow } from "./media.js"
import { localZone, timeTicks } from "./timeTicks.js"

const height = 44

export const badOf = ({ failed, interrupted }: Bucket): number => failed + interrupted
export const endedOf = (bucket: Bucket): number => badOf(bucket) + bucket.success + bucket.cancelled

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
        const failed = tall(badOf(bucket))
        const rest = tall(endedOf(bucket) - badOf(bucket))
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

const summary = (items: ReadonlyArray<Bucket>): string => {
  const failed = items.reduce((sum, one) => sum + badOf(one), 0)
  return t.figures.chart(format.count(items.reduce((sum, one) => sum + endedOf(one), 0)), format.count(failed))
}

interface OutcomeBarsProps {
  readonly buckets: Buckets | null
  /** Told of a time that somebody chose, as ISO 8601. */
  readonly onChoose: (from: string, to: string) => void
}

export const OutcomeBars = ({ buckets, onChoose }: OutcomeBarsProps) => {
  const svg = useRef<SVGSVGElement>(null)
  const [brush, setBrush] = useState<Brush | null>(null)
  const items = buckets?.items ?? []
  const first = items[0]
  const most = Math.max(1, ...items.map(endedOf))
  const start = first === undefined ? 0 : Date.parse(first.at)
  const reach = (buckets?.width ?? 0) * items.length

  const atPointer = (event: PointerEvent): number => {
    const box = svg.current?.getBoundingClientRect()
    return box === undefined ? 0 : Math.min(1, Math.max(0, (event.clientX - box.left) / box.width))
  }
  const iso = (share: number): string => new Date(start + Math.round(share * reach)).toISOString()
  const finish = (): void => {
    if (brush === null) return
    const [from, to] = [Math.min(brush.from, brush.to), Math.max(brush.from, brush.to)]
    setBrush(null)
    if (to - from > 0.01) onChoose(iso(from), iso(to))
  }
  // The end is marked anyway, and a mark beside it would run into it.
  const ticks = timeTicks(start, reach, utc.value ? () => 0 : localZone).filter(({ place }) =>
    place < (narrow.value ? 0.84 : 0.94)
  )

  return (
    <>
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
        {ticks.map(({ at, isDay, place }) => (
          <span key={at} class={place < 0.02 ? "first" : ""} style={{ insetInlineStart: `${place * 100}%` }}>
            {isDay ? format.dateOf(at, utc.value) : format.shortTime(at, utc.value)}
          </span>
        ))}
        {items.length === 0 ? null : <span class="last">{t.figures.now}</span>}
      </div>
    </>
  )
}
