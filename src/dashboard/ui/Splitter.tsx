/** The edge of a panel: dragged, or moved with arrows. */
import { useRef } from "preact/hooks"

interface SplitterProps {
  readonly label: string
  readonly width: number
  readonly min: number
  readonly max: number
  readonly onWidth: (width: number) => void
}

const step = 24

export const Splitter = ({ label, max, min, onWidth, width }: SplitterProps) => {
  const grip = useRef<{ readonly x: number; readonly width: number } | null>(null)
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = event.key === "ArrowLeft"
      ? width + step
      : event.key === "ArrowRight"
      ? width - step
      : event.key === "Home"
      ? max
      : event.key === "End"
      ? min
      : null
    if (next === null) return
    event.preventDefault()
    onWidth(next)
  }
  return (
    <div
      class="split"
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={min}
      aria-valuemax={max}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        grip.current = { x: event.clientX, width }
      }}
      onPointerMove={(event) => {
        if (grip.current !== null) onWidth(grip.current.width + grip.current.x - event.clientX)
      }}
      onPointerUp={() => (grip.current = null)}
      onPointerCancel={() => (grip.current = null)}
    />
  )
}
