/**
 * The list of runs: pages of the API, kept up to date by the stream. Which rows are shown and in which order changes only when
 * the list may follow; what the rows say changes as it is told.
 */
import { batch, computed, effect, signal, untracked } from "@preact/signals"
import type { Frame } from "../../http/stream/frame.js"
import * as TaskStream from "../../http/stream/reduce.js"
import * as endpoints from "../api/endpoints.js"
import { type ApiProblem, isAborted } from "../api/problem.js"
import type { Run, RunPage } from "../api/types.js"
import * as clock from "../clock.js"
import * as store from "../live/store.js"
import { param } from "../location.js"
import { logins } from "../session.js"
import { arrivals, countArrivals, held } from "./hold.js"
import { matches, type Verdict } from "./matching.js"
import { type Meta, metaOf, mostAtOnce, problemOf, readPages } from "./pages.js"
import * as previews from "./previews.js"
import { defaultSort, pageSize, queryOf, type RunsQuery, textOf } from "./query.js"
import { withRest } from "./rest.js"
import { chipsOf } from "./terms.js"

export const query = computed(() => queryOf(param))

const question = computed(() => JSON.stringify({ q: textOf(query.value), sort: query.value.sort }))

/** The text that the list is asked for, and its order: another one is another list. Other parts of the address change nothing. */
export const asked = computed((): Pick<RunsQuery, "q" | "sort"> => JSON.parse(question.value))

const terms = computed(() => chipsOf(asked.value.q)?.parsed ?? null)

/** `first`: nothing was shown yet. `failed`: the latest question came to nothing. */
export type Phase = { readonly kind: "first" | "ready" } | { readonly kind: "failed"; readonly problem: ApiProblem }

export const phase = signal<Phase>({ kind: "first" })
export const busy = signal(false)
export const more = signal<"idle" | "busy" | "failed">("idle")
export const meta = signal<Meta | null>(null)
export const order = signal<ReadonlyArray<string>>([])
/** What the rows say. */
export const rows = signal<ReadonlyMap<string, Run>>(new Map())
/** What came and is not shown: how many, and whether there may be others that only the server can tell. */
export const fresh = signal(0)
export const freshUnknown = signal(false)
/** Changes that were not shown because the list is paused. */
export const missed = signal(0)
export const updatedAt = signal<number | null>(null)

const answered = signal<string | null>(null)

/** Whether the rows are those of another question: it was asked since, and came to nothing. */
export const isOfAnother = computed(() => answered.value !== question.value)

const mostRows = 2_000
/** What scrolling loads at most: whoever looks for a run behind these is quicker with a filter. */
const mostLoaded = 5_000

/** There are more than are loaded. */
export const full = computed(() => order.value.length >= mostLoaded && meta.value?.nextCursor !== null)

let current: AbortController | null = null
/** The rows stayed, and so much came above them that the latest answer did not reach them: what lies between is not loaded. */
let isTorn = false
let again: ReturnType<typeof setTimeout> | undefined

// Ids sort by the time they were made.
const newestFirst = (ids: Iterable<string>): ReadonlyArray<string> =>
  [...ids].sort((a, b) => a < b ? 1 : a > b ? -1 : 0)

const isChronological = (): boolean => asked.peek().sort === defaultSort

const verdictOf = (run: Run): Verdict => {
  const known = terms.peek()
  return known === null ? null : matches(run, known, clock.serverNow())
}

const show = (): void => {
  const { fresh: _, runs } = store.live.peek()
  rows.value = new Map(Array.from(runs).flatMap(([id, { row }]) => row === null ? [] : [[id, row] as const]))
  updatedAt.value = clock.local()
}

const countFresh = (): void => {
  const shown = new Set(order.peek())
  let count = 0
  for (const id of store.live.peek().runs.keys()) if (!shown.has(id)) count += 1
  fresh.value = count
}

/** Shows what is new, in its place, and takes out what does not fit any more. */
const follow = (): void => {
  if (!isChronological() || isOfAnother.peek()) return
  // What is on its way brings all of it.
  if (isTorn) return void (current ?? reload())
  const { runs } = store.live.peek()
  const fitting = Array.from(runs).filter(([, { row }]) => row !== null && verdictOf(row) !== false)
  if (fitting.length !== runs.size) {
    store.live.value = TaskStream.keep(
      store.live.peek(),
      new Set(fitting.map(([id]) => id))
    )
  }
  order.value = newestFirst(fitting.map(([id]) => id))
  fresh.value = 0
  missed.value = 0
  show()
  if (runs.size > mostRows) void reload()
}

// ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const arranged = ({ items }: RunPage, still: boolean): void => {
  const { runs } = store.live.peek()
  const listed = items.map(({ taskId }) => taskId)
  const known = new Set(order.peek())
  order.value = still && known.size > 0
    ? isChronological()
      ? newestFirst([...runs.keys()].filter((id) => known.has(id)))
      : listed.filter((id) => known.has(id))
    : isChronological()
    ? newestFirst(runs.keys())
    : listed
  countFresh()
  show()
}

/** Where it `stays` when the answer is there, rows stay where they are; what is new is counted. */
const read = async (stays: () => boolean, wanted: number): Promise<void> => {
  current?.abort()
  const mine = new AbortController()
  current = mine
  busy.value = true
  const questioned = question.peek()
  try {
    const { page, still } = await store.asking(
      async () => {
        const answer = await readPages(asked.peek(), wanted, mine.signal)
        const still = stays()
        const shown = still && isChronological() ? order.peek().flatMap((id) => store.runOf(id) ?? []) : []
        return { still, page: { ...answer, ...withRest(answer, shown, meta.peek()?.nextCursor ?? null) } }
      },
      (live, { page }, token) => TaskStream.list(live, page.items, token)
    )
    batch(() => {
      isTorn = page.isTorn
      arranged(page, still)
      meta.value = metaOf(page)
      more.value = "idle"
      freshUnknown.value = false
      phase.value = { kind: "ready" }
      answered.value = questioned
    })
    if (TaskStream.isStale(store.live.peek())) rereadSoon(400)
  } catch (error) {
    if (!isAborted(error)) phase.value = { kind: "failed", problem: problemOf(error) }
  } finally {
    if (current === mine) {
      current = null
      busy.value = false
    }
  }
}

/** The list from its beginning. */
export const reload = (): Promise<void> => read(() => false, pageSize)

/** The same rows, with what is true now. */
const reread = (): Promise<void> => read(() => held.peek(), Math.min(order.peek().length, mostAtOnce))

const rereadSoon = (least: number): void => {
  again ??= setTimeout(() => {
    again = undefined
    // What is on its way is not asked for again: a server that needs longer than this would never be heard out.
    if (current === null && (TaskStream.isStale(store.live.peek()) || freshUnknown.peek())) void reread()
  }, least + 1_600 * Math.random())
}

/** The next page, behind the last row. */
export const loadMore = async (): Promise<void> => {
  const cursor = meta.peek()?.nextCursor
  if (cursor === null || cursor === undefined || more.peek() === "busy" || busy.peek() || full.peek()) return
  more.value = "busy"
  const before = asked.peek()
  // Where the list ends elsewhere meanwhile, it is not the page behind its last row.
  const fits = (): boolean => asked.peek() === before && meta.peek()?.nextCursor === cursor
  try {
    const page = await store.asking(
      () => endpoints.listRuns({ ...before, limit: pageSize, cursor }),
      (live, { items }, token) => fits() ? TaskStream.more(live, items, token) : TaskStream.failed(live, token)
    )
    if (!fits()) return
    batch(() => {
      previews.learn(page.items)
      const known = new Set(order.peek())
      order.value = [...order.peek(), ...page.items.map(({ taskId }) => taskId).filter((id) => !known.has(id))]
      meta.value = { ...metaOf(page), total: Math.max(page.total, meta.peek()?.total ?? 0) }
      more.value = "idle"
      show()
    })
  } catch {
    if (fits()) more.value = "failed"
  }
}

/** Shows what was counted. */
export const reveal = (): void => {
  if (isChronological() && !freshUnknown.peek() && !store.live.peek().sampling) follow()
  else void reload()
}

// ── listening ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Whether a run that is not loaded would stand among those that are. */
const isWithinLoaded = ({ taskId }: Run): boolean => {
  const last = order.peek().at(-1)
  return meta.peek()?.nextCursor === null || last === undefined || taskId > last
}

/** A frame as it concerns this list: what fits is new in it, wherever the server says it; what cannot fit is left out. */
const lens = (frame: Frame<Run>, { runs }: store.Live): Frame<Run> => {
  if (frame.t !== "runs") return frame
  const wanted = (run: Run): boolean => {
    const verdict = verdictOf(run)
    const isTold = verdict === true && isChronological()
    if (verdict !== false && !isTold) freshUnknown.value = true
    return isTold && isWithinLoaded(run)
  }
  const unknown = [...frame.n, ...frame.u].filter(({ taskId }) => !runs.has(taskId))
  const n = unknown.filter(wanted)
  const kept = new Set(n.map(({ taskId }) => taskId))
  return { ...frame, n, u: [...frame.n, ...frame.u].filter(({ taskId }) => runs.has(taskId) && !kept.has(taskId)) }
}

/** Starts what goes beside the list when its rows are there: a server that answers one after the other answers them first. */
export const behindRows = (start: () => () => void): () => void => {
  let stop: (() => void) | null = null
  const stopWaiting = effect(() => {
    if (phase.value.kind !== "first") stop ??= untracked(start)
  })
  return () => {
    stopWaiting()
    stop?.()
  }
}

/** Keeps the list while a page shows it; answers how to stop. */
export const startList = (): () => void => {
  store.setLens(lens)
  const stops = [
    store.onFrame((frame) => {
      countArrivals(frame.t === "runs" ? frame.n.length + (frame.over ?? 0) : 0)
      if (TaskStream.isStale(store.live.peek())) rereadSoon(400)
      // What is shown stays until the new question is answered.
      if (frame.t !== "runs" || isOfAnother.peek()) return
      if (store.paused.peek()) {
        missed.value += frame.n.length + frame.u.length + (frame.over ?? 0)
        return countFresh()
      }
      if (held.peek() || !isChronological()) {
        countFresh()
        return show()
      }
      // Only the server can tell: asked for less often than what is told.
      if (freshUnknown.peek()) rereadSoon(3_000)
      follow()
    }),
    effect(() => {
      void asked.value
      void logins.value
      store.live.value = TaskStream.keep(store.live.peek(), new Set())
      void reload()
    }),
    effect(() => {
      if (!held.value && fresh.peek() + missed.peek() > 0) follow()
    }),
    logins.subscribe(previews.forget),
    // What was too fast is not any more, though nothing comes that would say so.
    effect(() => {
      void clock.now.value
      if (arrivals.peek() > 0) countArrivals(0)
    })
  ]
  return () => {
    for (const stop of stops) stop()
    store.setLens((frame) => frame)
    current?.abort()
    clearTimeout(again)
    again = undefined
  }
}
