/** A line without axes: how a figure went. What it says is said in words beside it. */
import { linePath, type Series, type Tone } from "./change.js"

interface SparkProps {
  readonly values: Series
  readonly tone?: Tone | "run" | undefined
  /** A second line in red on the same scale: what of it failed. */
  readonly bad?: Series | undefined
}

const width = 100
const height = 24

export const Spark = ({ bad, tone = "plain", values }: SparkProps) => {
  // Counts stand on the ground; other figures are drawn between their least and their most.
  const most = bad === undefined ? undefined : Math.max(1, ...values.map((value) => value ?? 0))
  return (
    <svg
      class={`spark ${tone}`}
      viewBox={`0 -2 ${width} ${height + 4}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path d={linePath(values, width, height, most)} />
      {bad === undefined || bad.every((value) => value === 0)
        ? null
        : <path class="bad" d={linePath(bad, width, height, most)} />}
    </svg>
  )
}
