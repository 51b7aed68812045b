/** Which row the keyboard is at. */
import { signal } from "@preact/signals"
import * as list from "./list.js"

const current = signal<string | null>(null)

interface Cursor {
  readonly value: string | null
  /** Brings a row into view; set by the table. */
  reveal: (index: number) => void
}

export const cursor: Cursor = {
  get value() {
    return current.value
  },
  reveal: () => {}
}

const linkOf = (id: string): HTMLElement | null =>
  document.querySelector<HTMLElement>(`[data-run="${CSS.escape(id)}"] th a`)

/** Puts the cursor, and the focus, on a row. */
export const moveTo = (id: string): void => {
  const index = list.order.peek().indexOf(id)
  if (index < 0) return
  current.value = id
  cursor.reveal(index)
  // The row may be drawn by the scrolling that was just asked for.
  requestAnimationFrame(() => requestAnimationFrame(() => linkOf(id)?.focus({ preventScroll: true })))
}

/** The row that keys speak of: where the focus is, else where the cursor was. */
export const rowAtFocus = (): string | null =>
  document.activeElement?.closest<HTMLElement>("[data-run]")?.dataset["run"] ?? current.peek()

/** The neighbour of a row; the first one without a row to start from. */
export const neighbour = (id: string | null, step: 1 | -1): string | null => {
  const order = list.order.peek()
  const at = id === null ? -1 : order.indexOf(id)
  if (at < 0) return order[0] ?? null
  return order[at + step] ?? null
}
