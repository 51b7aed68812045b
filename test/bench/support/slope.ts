/** How fast something grows, and how well that is known: a straight line through samples. Pure. */

export interface Slope {
  /** Per hour. */
  readonly perHour: number
  /** Standard error of it. Infinity with fewer than eight samples. */
  readonly error: number
}

interface Point {
  /** Milliseconds. */
  readonly at: number
  readonly value: number
}

const hour = 3_600_000
const fewest = 8

/**
 * Least squares. Memory now depends on memory a moment ago, so samples tell less than as many independent ones would: the
 * error is widened by the correlation of each residual with the one before it.
 */
export const of = (points: ReadonlyArray<Point>): Slope => {
  const count = points.length
  if (count < fewest) return { perHour: Number.NaN, error: Number.POSITIVE_INFINITY }
  const mean = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / count
  const meanAt = mean(({ at }) => at)
  const meanValue = mean(({ value }) => value)
  let spread = 0
  let together = 0
  for (const { at, value } of points) {
    spread += (at - meanAt) ** 2
    together += (at - meanAt) * (value - meanValue)
  }
  const slope = together / spread
  const residuals = points.map(({ at, value }) => value - meanValue - slope * (at - meanAt))
  const squares = residuals.reduce((sum, residual) => sum + residual ** 2, 0)
  const lagged = residuals.slice(1).reduce((sum, residual, index) => sum + residual * residuals[index]!, 0)
  const correlation = squares === 0 ? 0 : Math.min(0.95, Math.max(0, lagged / squares))
  const widened = Math.sqrt((1 + correlation) / (1 - correlation))
  return { perHour: slope * hour, error: Math.sqrt(squares / (count - 2) / spread) * widened * hour }
}

const medianOf = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.floor(sorted.length / 2)]!) / 2
}

/** The medians of points that are within the same `width` milliseconds, in order. */
export const medians = (points: ReadonlyArray<Point>, width: number): ReadonlyArray<Point> => {
  const groups = new Map<number, Array<Point>>()
  for (const point of points) {
    const group = Math.floor(point.at / width)
    groups.set(group, [...groups.get(group) ?? [], point])
  }
  return [...groups.values()].map((group) => ({
    at: medianOf(group.map(({ at }) => at)),
    value: medianOf(group.map(({ value }) => value))
  }))
}

/**
 * `broken`: it grows faster than `bound` by more than two standard errors. `held`: slower, as surely. Else the samples do not
 * tell, and nothing smaller than `detectable` would have been found.
 */
export const judged = ({ error, perHour }: Slope, bound: number) => ({
  perHour,
  error,
  detectable: bound + 2 * error,
  verdict: perHour - 2 * error > bound
    ? "broken" as const
    : perHour + 2 * error <= bound
    ? "held" as const
    : "not shown" as const
})
