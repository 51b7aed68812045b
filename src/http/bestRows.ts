/** The first few rows in an order of values, of as many as are offered. Memory is in proportion to the few. Pure. */
import type { TaskId } from "../TaskId.js"

/** A place in the order: rows without a value come last, equal ones newest first. */
export interface Place {
  readonly value: number | null
  readonly id: TaskId
}

export type Order = (one: Place, other: Place) => number

export const orderOf = (direction: "ascending" | "descending"): Order => (one, other) => {
  if (one.value !== other.value) {
    if (one.value === null) return 1
    if (other.value === null) return -1
    return direction === "ascending" ? one.value - other.value : other.value - one.value
  }
  return one.id === other.id ? 0 : one.id > other.id ? -1 : 1
}

export interface BestRows<A> {
  readonly offer: (row: A) => void
  /** In order, at most `count`. */
  readonly take: () => ReadonlyArray<A>
}

export const make = <A extends Place>(count: number, order: Order): BestRows<A> => {
  let kept: Array<A> = []
  const cut = (): void => {
    kept = kept.sort(order).slice(0, count)
  }
  return {
    offer: (row) => {
      kept.push(row)
      // Sorted once for each few that were added, so a row costs no more than a comparison with some of them.
      if (kept.length >= 2 * count + 16) cut()
    },
    take: () => {
      cut()
      return kept
    }
  }
}
