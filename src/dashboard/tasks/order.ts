/** What the list of tasks can be sorted by, and how. Pure. */
import type { Definition } from "../api/types.js"

export const sortKeys = ["name", "waiting", "running", "ended", "failed", "success", "p50", "p95"] as const
export type SortKey = typeof sortKeys[number]

export interface Sort {
  readonly key: SortKey
  readonly descending: boolean
}

/** Failures are what needs somebody: interrupted runs among them. */
export const failuresOf = ({ last24h }: Definition): number => last24h.failed + last24h.interrupted

export const endedOf = ({ last24h }: Definition): number =>
  last24h.success + last24h.failed + last24h.interrupted + last24h.cancelled

const values: Readonly<Record<Exclude<SortKey, "name">, (task: Definition) => number | null>> = {
  waiting: ({ pending }) => pending,
  running: ({ running }) => running,
  ended: endedOf,
  failed: failuresOf,
  success: ({ last24h }) => last24h.successRate,
  p50: ({ last24h }) => last24h.p50Duration,
  p95: ({ last24h }) => last24h.p95Duration
}

/** What is not understood counts as not said. */
export const sortOf = (text: string | null): Sort => {
  const key = sortKeys.find((one) => one === text?.replace("-", ""))
  return key === undefined ? { key: "name", descending: false } : { key, descending: text?.startsWith("-") === true }
}

export const textOf = ({ descending, key }: Sort): string | null =>
  key === "name" && !descending ? null : `${descending ? "-" : ""}${key}`

/** Numbers begin with the largest, names with A; a second time turns it round. */
export const next = (now: Sort, key: SortKey): Sort =>
  now.key === key ? { key, descending: !now.descending } : { key, descending: key !== "name" }

/** What has no value is behind all that has one, either way. */
export const sorted = (tasks: ReadonlyArray<Definition>, { descending, key }: Sort): ReadonlyArray<Definition> => {
  const sign = descending ? -1 : 1
  const byName = (a: Definition, b: Definition): number => a.taskName.localeCompare(b.taskName)
  if (key === "name") return [...tasks].sort((a, b) => sign * byName(a, b))
  const valueOf = values[key]
  return [...tasks].sort((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)]
    if (x === null || y === null) return x === y ? byName(a, b) : x === null ? 1 : -1
    return sign * (x - y) || byName(a, b)
  })
}
