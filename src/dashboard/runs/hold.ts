/**
 * Whether the list may follow what is new. It holds still while somebody works with it: scrolled away, with something selected,
 * with the pointer or the focus in it, or when rows would come faster than a hand can aim. What is new is counted meanwhile.
 */
import { computed, signal } from "@preact/signals"
import * as clock from "../clock.js"
import { paused } from "../live/store.js"
import { hasSelection } from "./selection.js"

export const atTop = signal(true)
export const pointerInside = signal(false)
export const focusInside = signal(false)

/** New rows within the last second. */
export const arrivals = signal(0)

let recent: ReadonlyArray<readonly [number, number]> = []

/** So many rows came just now. */
export const countArrivals = (came: number): void => {
  const now = clock.local()
  recent = [...recent.filter(([at]) => at > now - 1_000), ...came > 0 ? [[now, came] as const] : []]
  arrivals.value = recent.reduce((sum, [, count]) => sum + count, 0)
}

/** More than this many new rows a second cannot be clicked any more. */
export const tooFast = 5

export interface HoldFacts {
  readonly atTop: boolean
  readonly selecting: boolean
  readonly pointerInside: boolean
  readonly focusInside: boolean
  readonly arrivals: number
  readonly paused: boolean
}

/** Pure. */
export const holds = (facts: HoldFacts): boolean =>
  facts.paused || !facts.atTop || facts.selecting || facts.pointerInside || facts.focusInside
  || facts.arrivals >= tooFast

export const held = computed(() =>
  holds({
    atTop: atTop.value,
    selecting: hasSelection.value,
    pointerInside: pointerInside.value,
    focusInside: focusInside.value,
    arrivals: arrivals.value,
    paused: paused.value
  })
)
