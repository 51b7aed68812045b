/** What the page of runs shows, as the address says it, and as the API is asked for it. Pure. */
import type { ShownStatus } from "../api/types.js"

export const windows = ["15m", "1h", "6h", "24h", "7d", "30d", "all"] as const
export type Window = typeof windows[number]
export const defaultWindow: Window = "24h"

export const statuses: ReadonlyArray<ShownStatus> = [
  "pending",
  "running",
  "retrying",
  "success",
  "failed",
  "interrupted",
  "cancelled"
]

export const sortKeys = ["created", "duration", "wait", "attempts", "ended"] as const
export type SortKey = typeof sortKeys[number]
export type Sort = SortKey | `-${SortKey}`
export const defaultSort: Sort = "-created"

export interface RunsQuery {
  /** As it was typed: words of the filter language. */
  readonly q: string
  readonly status: ShownStatus | null
  /** Created within this time; not said when `from` or `to` is. */
  readonly window: Window
  /** ISO 8601. */
  readonly from: string | null
  readonly to: string | null
  readonly sort: Sort
}

const oneOf = <A extends string>(all: ReadonlyArray<A>, text: string | null): A | null =>
  all.find((one) => one === text) ?? null

const sorts: ReadonlyArray<Sort> = sortKeys.flatMap((key): ReadonlyArray<Sort> => [key, `-${key}`])

const moment = (text: string | null): string | null =>
  text !== null && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : null

/** What is not understood counts as not said. */
export const queryOf = (param: (name: string) => string | null): RunsQuery => ({
  q: param("q") ?? "",
  status: oneOf(statuses, param("status")),
  window: oneOf(windows, param("since")) ?? defaultWindow,
  from: moment(param("from")),
  to: moment(param("to")),
  sort: oneOf(sorts, param("sort")) ?? defaultSort
})

const timesOf = ({ from, to, window }: RunsQuery): ReadonlyArray<string> => {
  if (from !== null || to !== null) {
    return [...from === null ? [] : [`since:${from}`], ...to === null ? [] : [`until:${to}`]]
  }
  return window === "all" ? [] : [`since:${window}`]
}

/** The whole filter as one text: what is typed, the status and the time. */
export const textOf = (query: RunsQuery, { anyStatus = false } = {}): string =>
  [
    query.q.trim(),
    ...query.status === null || anyStatus ? [] : [`status:${query.status}`],
    ...timesOf(query)
  ].filter((part) => part !== "").join(" ")

/** The runs of one page of the list. */
export const pageSize = 100

/** What the list asks the API for, before anything is known. */
export const firstPage = (query: RunsQuery) => ({ q: textOf(query), sort: query.sort, limit: pageSize })

/** Whether anything but the window of time narrows the list. */
export const isNarrowed = ({ q, status }: RunsQuery): boolean => q.trim() !== "" || status !== null

const millis: Readonly<Record<Exclude<Window, "all">, number>> = {
  "15m": 900_000,
  "1h": 3_600_000,
  "6h": 21_600_000,
  "24h": 86_400_000,
  "7d": 604_800_000,
  "30d": 2_592_000_000
}

/** How far back the window reaches, in milliseconds; null for all time and for a window of its own. */
export const reachOf = ({ from, to, window }: RunsQuery): number | null =>
  from !== null || to !== null || window === "all" ? null : millis[window]

export const sortKeyOf = (sort: Sort): SortKey => sort.replace("-", "") as SortKey // safe: a sort is a key or "-" and one
export const isDescending = (sort: Sort): boolean => sort.startsWith("-")
