/** What the page of dead letters shows, as the address says it, and as the API is asked for it. Pure. */

export const windows = ["1h", "6h", "24h", "7d", "all"] as const
export type Window = typeof windows[number]

export const orders = ["lastSeen", "count"] as const
export type Order = typeof orders[number]

export interface DeadQuery {
  /** Happened within this time. */
  readonly window: Window
  readonly order: Order
  /** Those that were dismissed, instead of all others. */
  readonly dismissed: boolean
  readonly task: string | null
}

const oneOf = <A extends string>(all: ReadonlyArray<A>, text: string | null, otherwise: A): A =>
  all.find((one) => one === text) ?? otherwise

/** What is not understood counts as not said. */
export const queryOf = (param: (name: string) => string | null): DeadQuery => ({
  window: oneOf(windows, param("since"), "all"),
  order: oneOf(orders, param("sort"), "lastSeen"),
  dismissed: param("show") === "dismissed",
  task: param("task")
})

export const paramsOf = ({ dismissed, order, task, window }: DeadQuery) => ({
  since: window === "all" ? undefined : window,
  sort: order,
  dismissed: dismissed ? true : undefined,
  task: task ?? undefined
})

export const isNarrowed = ({ task, window }: DeadQuery): boolean => task !== null || window !== "all"
