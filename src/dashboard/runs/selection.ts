/** What is selected: runs by id, which no update touches; or everything that the filter shows. */
import { computed, signal } from "@preact/signals"

export const selected = signal<ReadonlySet<string>>(new Set())

/** Everything that matches, loaded or not. */
export const everything = signal(false)

export const hasSelection = computed(() => everything.value || selected.value.size > 0)

let anchor: string | null = null

export const clearSelection = (): void => {
  if (selected.value.size > 0) selected.value = new Set()
  everything.value = false
  anchor = null
}

/** Selects a run or takes it out; with `range` also all between it and the one before, in the order given. */
export const select = (id: string, order: ReadonlyArray<string>, range: boolean): void => {
  const next = new Set(selected.value)
  const from = range && anchor !== null ? order.indexOf(anchor) : -1
  const to = order.indexOf(id)
  everything.value = false
  if (from >= 0 && to >= 0) {
    for (const one of order.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(one)
  } else if (!next.delete(id)) next.add(id)
  anchor = id
  selected.value = next
}

/** All that are loaded, or none of them. */
export const selectLoaded = (order: ReadonlyArray<string>, on: boolean): void => {
  everything.value = false
  selected.value = on ? new Set(order) : new Set()
}
