/**
 * The two charts as uPlot draws them. Everything that is not a line, an axis or a crosshair (words, tooltips, keys) is made around
 * them.
 */
import uPlot from "uplot"
import type { Bucket } from "../api/types.js"
import * as format from "../text/format.js"
import { badOf, endedOf } from "./change.js"
import { type Colour, coloursOf } from "./colours.js"

export interface PlotData {
  readonly items: ReadonlyArray<Bucket>
  /** Of a slot, in milliseconds. */
  readonly width: number
}

export interface PlotOptions {
  readonly host: HTMLElement
  readonly data: PlotData
  readonly height: number
  readonly utc: () => boolean
  /** The slot that is pointed at; null when none is. */
  readonly onPoint: (index: number | null) => void
  /** Two moments between which somebody dragged, in epoch milliseconds. */
  readonly onDrag: (from: number, to: number) => void
}

export interface Plot {
  readonly set: (data: PlotData) => void
  /** Shows the crosshair at a slot, whoever points at it. */
  readonly point: (index: number | null) => void
  /** Where a slot is, in pixels from the left of the host. */
  readonly placeOf: (index: number) => number
  readonly resize: (width: number) => void
  /** With the colours and the words of now. */
  readonly redraw: () => void
  readonly destroy: () => void
}

const font = "11px Inter, ui-sans-serif, system-ui, sans-serif"
const day = 86_400_000

/** The middles of the slots, in seconds: what uPlot takes for time. */
const middles = ({ items, width }: PlotData): Array<number> =>
  items.map(({ at }) => (Date.parse(at) + width / 2) / 1_000)

interface Form {
  readonly rows: (data: PlotData) => ReadonlyArray<ReadonlyArray<number | null>>
  readonly series: (colour: Colour) => ReadonlyArray<uPlot.Series>
  readonly words: (value: number) => string
  /** What the axis reaches at least. */
  readonly least: number
  readonly draw?: (plot: uPlot, data: PlotData, colour: Colour) => void
}

// Bars stand on the ground, failures first, so that they compare; a cap says where the rest ends.
const bars = (plot: uPlot, { items, width }: PlotData, colour: Colour): void => {
  const { ctx } = plot
  const ratio = uPlot.pxRatio
  const ground = plot.valToPos(0, "y", true)
  const half = width / 2_000
  const [tint, cap, bad] = [colour("--ok-tint"), colour("--ok-fill"), colour("--bad-fill")]
  middles({ items, width }).forEach((x, index) => {
    const bucket = items[index]
    if (bucket === undefined || endedOf(bucket) === 0) return
    const left = Math.round(plot.valToPos(x - half, "x", true))
    const wide = Math.max(1, Math.round(plot.valToPos(x + half, "x", true)) - left - Math.max(1, Math.round(ratio)))
    const top = Math.round(plot.valToPos(endedOf(bucket), "y", true))
    const failed = badOf(bucket) === 0
      ? ground
      : Math.min(Math.round(plot.valToPos(badOf(bucket), "y", true)), ground - ratio)
    if (top < failed) {
      ctx.fillStyle = tint
      ctx.fillRect(left, top, wide, failed - top)
      ctx.fillStyle = cap
      ctx.fillRect(left, top, wide, Math.max(1, Math.round(ratio * 1.5)))
    }
    ctx.fillStyle = bad
    ctx.fillRect(left, failed, wide, ground - failed)
  })
}

export const outcomes: Form = {
  rows: ({ items }) => [items.map(endedOf)],
  series: () => [{ paths: () => null, points: { show: false } }],
  words: format.short,
  least: 4,
  draw: bars
}

// Where few slots have a value, a line alone would not show that it is one.
const sparse: uPlot.Series.Points.Show = (plot, series) =>
  Array.from(plot.data[series] ?? []).filter((value) => value !== null && value !== undefined).length < 12

const line = (colour: Colour, token: string): uPlot.Series => ({
  stroke: () => colour(token),
  width: 1.5,
  spanGaps: true,
  points: { show: sparse, size: 5, fill: () => colour(token), stroke: () => colour(token) }
})

export const durations: Form = {
  rows: ({ items }) => [
    items.map(({ durations }) => durations.p50),
    items.map(({ durations }) => durations.p95),
    items.map(({ durations }) => durations.p99)
  ],
  series: (colour) => [line(colour, "--mute-fill"), line(colour, "--run-fill"), line(colour, "--warn-fill")],
  words: (value) => value === 0 ? "0" : format.wholeDuration(value),
  least: 10
}

const aligned = (form: Form, data: PlotData): uPlot.AlignedData => [
  middles(data),
  ...form.rows(data).map((row) => [...row])
]

export const make = (form: Form, { data: first, height, host, onDrag, onPoint, utc }: PlotOptions): Plot => {
  let data = first
  const colour = coloursOf(host)
  const edge = (): [number, number] => {
    const xs = middles(data)
    const half = data.width / 2_000
    return [(xs[0] ?? 0) - half, (xs[xs.length - 1] ?? 1) + half]
  }
  const moment = (seconds: number): string => {
    const millis = seconds * 1_000
    return data.width * data.items.length > day ? format.dateOf(millis, utc()) : format.shortTime(millis, utc())
  }
  const grid = { stroke: () => colour("--line"), width: 1 }
  const plot: uPlot = new uPlot(
    {
      width: Math.max(1, host.clientWidth),
      height,
      legend: { show: false },
      padding: [10, 20, 0, 0],
      cursor: {
        y: false,
        points: {
          size: 7,
          fill: (self, series) => form === outcomes ? "transparent" : seriesColour(self, series),
          width: 0
        },
        // From slot to slot: between two there is nothing to tell.
        move: (self, left, top) => {
          const x = left < 0 ? undefined : self.data[0][self.posToIdx(left)]
          return x === undefined ? [left, top] : [self.valToPos(x, "x"), top]
        },
        drag: { x: true, y: false, setScale: false }
      },
      scales: {
        x: { time: true, range: edge },
        y: { range: (_, __, most) => [0, Math.max(form.least, most ?? 0) * 1.08] }
      },
      axes: [
        {
          font,
          size: 26,
          gap: 6,
          space: 64,
          stroke: () => colour("--text-3"),
          grid: { show: false },
          ticks: { show: false },
          values: (_, splits) => splits.map(moment)
        },
        {
          font,
          size: 54,
          gap: 8,
          space: 34,
          stroke: () => colour("--text-3"),
          grid,
          ticks: { show: false },
          incrs: form === outcomes ? whole : spans,
          values: (_, splits) => splits.map(form.words)
        }
      ],
      series: [{}, ...form.series(colour)],
      tzDate: (seconds) => utc() ? uPlot.tzDate(new Date(seconds * 1_000), "Etc/UTC") : new Date(seconds * 1_000),
      hooks: {
        drawAxes: [(self) => form.draw?.(self, data, colour)],
        setCursor: [(self) => onPoint((self.cursor.left ?? -1) < 0 ? null : self.cursor.idx ?? null)],
        setSelect: [(self) => {
          const { left, width } = self.select
          if (width < 4) return
          self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          onDrag(self.posToVal(left, "x") * 1_000, self.posToVal(left + width, "x") * 1_000)
        }]
      }
    },
    aligned(form, first),
    host
  )
  return {
    set: (next) => {
      data = next
      plot.setData(aligned(form, next))
    },
    point: (index) => {
      const x = index === null ? undefined : plot.data[0][index]
      plot.setCursor(x === undefined ? { left: -10, top: -10 } : { left: plot.valToPos(x, "x"), top: 10 }, false)
    },
    placeOf: (index) => plot.over.offsetLeft + plot.valToPos(plot.data[0][index] ?? 0, "x"),
    resize: (width) => plot.setSize({ width, height }),
    redraw: () => plot.redraw(false),
    destroy: () => plot.destroy()
  }
}

const seriesColour = (plot: uPlot, index: number): string => {
  const stroke = plot.series[index]?.stroke
  return typeof stroke === "function" ? String(stroke(plot, index)) : "transparent"
}

// Steps of an axis: whole runs; spans that people count in.
const whole = [1, 2, 5].flatMap((step) => [0, 1, 2, 3, 4, 5, 6, 7].map((power) => step * 10 ** power)).sort((a, b) =>
  a - b
)
const seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400]
const spans = [1, 2, 5, 10, 20, 50, 100, 200, 500, ...seconds.map((step) => step * 1_000), 604_800_000]
