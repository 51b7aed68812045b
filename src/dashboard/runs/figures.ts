/** What is counted beside the list: runs by status, how many ended how, how long they took. Asked for anew while things change. */
import { computed, effect, signal } from "@preact/signals"
import * as endpoints from "../api/endpoints.js"
import type { Buckets, Facets, WindowStats } from "../api/types.js"
import * as store from "../live/store.js"
import { logins } from "../session.js"
import { query } from "./list.js"
import { reachOf, textOf } from "./query.js"
import { chipsOf } from "./terms.js"

export const facets = signal<Facets | null>(null)
export const stats = signal<WindowStats | null>(null)
export const buckets = signal<Buckets | null>(null)

const facetText = computed(() => textOf(query.value, { anyStatus: true }))

// Roll-ups know names and times, nothing else of a run.
const ofNames = (q: string): string | null | undefined => {
  const terms = chipsOf(q)?.parsed
  if (terms?.length === 0) return null
  const [only, ...others] = terms ?? []
  if (only?.key !== "task" || others.length > 0 || only.negated || only.values.length !== 1) return undefined
  const [name] = only.values
  return name === undefined || name.prefix ? undefined : name.text
}

export interface ChartScope {
  /** Null for all of them. */
  readonly task: string | null
  /** Milliseconds. */
  readonly window: number
}

const day = 86_400_000

const scopeText = computed((): string => {
  const task = ofNames(query.value.q)
  const window = reachOf(query.value)
  return task === undefined || window === null ? "" : JSON.stringify({ task, window: Math.min(window, 30 * day) })
})

/** What the chart and the figures can be drawn for; null when roll-ups cannot tell what the filter asks. */
export const scope = computed((): ChartScope | null => scopeText.value === "" ? null : JSON.parse(scopeText.value))

const windowText = (millis: number): string => `${Math.round(millis / 60_000)}m`

const readFacets = async (): Promise<void> => {
  const q = facetText.peek()
  const answer = await endpoints.facets(q).catch(() => null)
  if (answer !== null && facetText.peek() === q) facets.value = answer
}

const readChart = async (): Promise<void> => {
  const wanted = scope.peek()
  if (wanted === null) return
  const params = { window: windowText(wanted.window), task: wanted.task ?? undefined }
  const [sums, series] = await Promise.all([
    endpoints.stats(params).catch(() => null),
    endpoints.buckets({ ...params, points: 90 }).catch(() => null)
  ])
  if (scope.peek() !== wanted) return
  if (sums !== null) stats.value = sums
  if (series !== null) buckets.value = series
}

/** Acts at once, then at most once in so many milliseconds, the last time included. */
const throttled = (millis: number, act: () => Promise<void>) => {
  let waiting: ReturnType<typeof setTimeout> | undefined
  let again = false
  const now = (): void => {
    again = false
    clearTimeout(waiting)
    void act()
    waiting = setTimeout(() => {
      waiting = undefined
      if (again) now()
    }, millis)
  }
  return {
    /** The question is another one. */
    now,
    ask: (): void => {
      if (waiting === undefined) now()
      else again = true
    },
    stop: (): void => {
      clearTimeout(waiting)
      waiting = undefined
    }
  }
}

/** Keeps the figures while a page shows them; answers how to stop. */
export const startFigures = (): () => void => {
  const counted = throttled(3_000, readFacets)
  const charted = throttled(10_000, readChart)
  const stops = [
    effect(() => {
      void facetText.value
      void logins.value
      counted.now()
    }),
    effect(() => {
      void logins.value
      stats.value = null
      buckets.value = null
      if (scope.value !== null) charted.now()
    }),
    store.onFrame(({ t }) => {
      if (store.paused.peek() || t !== "runs" && t !== "counts" && t !== "reset") return
      counted.ask()
      charted.ask()
    }),
    counted.stop,
    charted.stop
  ]
  return () => {
    for (const stop of stops) stop()
  }
}
