/** The slot that somebody points at, in both charts at once, and in which of them. */
import { signal } from "@preact/signals"

export interface Pointed {
  /** When the slot begins. A later answer may have it elsewhere, or not at all. */
  readonly at: string
  readonly chart: "outcomes" | "duration"
  readonly byKey: boolean
}

export const pointed = signal<Pointed | null>(null)

/** Where a key leads from a slot, null for a key that leads nowhere. Pure. */
export const stepOf = (key: string, index: number | null, many: number): number | null => {
  if (many === 0) return null
  const last = many - 1
  switch (key) {
    case "ArrowLeft":
      return index === null ? last : Math.max(0, index - 1)
    case "ArrowRight":
      return index === null ? last : Math.min(last, index + 1)
    case "Home":
      return 0
    case "End":
      return last
    default:
      return null
  }
}
