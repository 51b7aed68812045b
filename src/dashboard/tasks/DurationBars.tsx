/** How long runs of a task took: about how many took how long, and where half of them and 95 of 100 are. */
import type { Durations } from "../api/types.js"
import * as format from "../text/format.js"
import { words } from "../text/task.js"
import { type Histogram, histogramOf } from "./histogram.js"

const height = 100

const percent = (share: number): string => `${share * 100}%`

const Bars = ({ histogram, p95 }: { readonly histogram: Histogram; readonly p95: number }) => {
  const { bars, most } = histogram
  const width = 100 / bars.length
  return (
    <>
      {bars.map(({ count, from }, index) => {
        if (count === 0) return null
        const tall = Math.max(1.5, count / most * (height - 4))
        const box = { x: index * width + width * 0.06, width: width * 0.88, y: height - tall }
        const kind = from >= p95 ? "slow" : "usual"
        return (
          <g key={index}>
            <rect class={kind} {...box} height={tall} />
            <rect class={`${kind}-cap`} {...box} height={Math.min(tall, 1.5)} />
          </g>
        )
      })}
    </>
  )
}

const Mark = ({ at, name, value }: { readonly at: number; readonly name: string; readonly value: number }) => (
  <span class={`p-mark ${at > 0.7 ? "left" : ""}`} style={{ insetInlineStart: percent(at) }}>
    <b>{name}</b> {format.duration(value)}
  </span>
)

/** Bounds of neighbours that differ by a tenth must not read the same. */
const bound = (millis: number): string => millis < 1_000 ? `${format.rate(millis)} ms` : format.duration(millis)

const AsTable = ({ bars }: Histogram) => (
  <details class="as-table">
    <summary>{words.asTable}</summary>
    <table class="numbers">
      <caption class="sr">{words.histogram}</caption>
      <thead>
        <tr>
          <th scope="col">{words.tookFrom}</th>
          <th scope="col">{words.tookTo}</th>
          <th scope="col">{words.runs}</th>
        </tr>
      </thead>
      <tbody>
        {bars.filter(({ count }) => count > 0).map(({ count, from, to }) => (
          <tr key={from}>
            <th scope="row">{bound(from)}</th>
            <td>{bound(to)}</td>
            <td>{format.count(count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </details>
)

export const DurationBars = ({ answer }: { readonly answer: Durations }) => {
  const histogram = histogramOf(answer.items)
  const { count, p50, p95 } = answer.durations
  if (histogram === null || p50 === null || p95 === null) return <p class="nothing dim">{words.histogramNone}</p>
  const { at, marks } = histogram
  return (
    <>
      <div class="histogram">
        <div class="p-marks" aria-hidden="true">
          <Mark name="p50" at={at(p50)} value={p50} />
          <Mark name="p95" at={at(p95)} value={p95} />
        </div>
        <svg
          viewBox={`0 0 100 ${height}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={words.histogramOf(count, format.duration(p50), format.duration(p95))}
        >
          <Bars histogram={histogram} p95={p95} />
          <line class="ground" x1="0" x2="100" y1={height} y2={height} />
          {[p50, p95].map((value, index) => (
            <line key={index} class="p-line" x1={at(value) * 100} x2={at(value) * 100} y1="0" y2={height} />
          ))}
        </svg>
        <div class="marks" aria-hidden="true">
          {marks.map((mark) => (
            <span
              key={mark}
              class={at(mark) < 0.05 ? "first" : at(mark) > 0.95 ? "last" : ""}
              style={{ insetInlineStart: percent(at(mark)) }}
            >
              {format.duration(mark)}
            </span>
          ))}
        </div>
      </div>
      <AsTable {...histogram} />
    </>
  )
}
