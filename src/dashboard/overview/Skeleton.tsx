/** The overview before it is there: its boxes with their final sizes, and only when it does not come at once. */
import { useEffect, useState } from "preact/hooks"
import { t } from "../text/en.js"

const boxes = ["ov-figures", "chart-outcomes", "chart-duration", "ov-tasks", "ov-attention"] as const

export const OverviewSkeleton = () => {
  const [shown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 150)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div class={shown ? "ov-grid waits" : "ov-grid"} role="status">
      <span class="sr">{t.loading}</span>
      {boxes.map((box) => <div key={box} class={`card ${box}`} aria-hidden="true" />)}
    </div>
  )
}

/** The same for the charts alone. */
export const ChartsSkeleton = () => (
  <>
    <div class="card chart-outcomes" aria-hidden="true" />
    <div class="card chart-duration" aria-hidden="true" />
  </>
)
