/** Views of runs that somebody saved: names for addresses, as text that a browser keeps. Pure. */

export interface View {
  readonly name: string
  /** Below the dashboard, as `runs?q=status%3Afailed`. */
  readonly path: string
}

export const mostViews = 50
export const longestName = 60
const longestPath = 2_000

/** What of the address is part of a view: what is shown and how, not which run is open. */
const params = ["q", "status", "since", "from", "to", "sort", "cols"]

export const pathOf = (param: (name: string) => string | null): string => {
  const kept = new URLSearchParams(params.flatMap((name) => {
    const value = param(name)
    return value === null || value === "" ? [] : [[name, value]]
  }))
  return kept.size === 0 ? "runs" : `runs?${kept}`
}

const isView = (value: unknown): value is View =>
  typeof value === "object" && value !== null && "name" in value && typeof value.name === "string" && "path" in value &&
  typeof value.path === "string" && /^runs(\?|$)/.test(value.path)

/** What was kept; null where it is not to be read, which is not the same as nothing. */
export const read = (text: string | null): ReadonlyArray<View> | null => {
  if (text === null) return []
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.every(isView) ? value.slice(0, mostViews) : null
  } catch {
    return null
  }
}

export type Refusal = "unnamed" | "long" | "full" | "taken"

export type Changed = { readonly views: ReadonlyArray<View> } | { readonly refused: Refusal }

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

const checkName = (name: string, others: ReadonlyArray<View>): Refusal | null =>
  name === ""
    ? "unnamed"
    : name.length > longestName
    ? "long"
    : others.some((one) => isSame(one.name, name))
    ? "taken"
    : null

export const add = (views: ReadonlyArray<View>, typed: string, path: string): Changed => {
  const name = typed.trim()
  const refused = checkName(name, views) ??
    (path.length > longestPath ? "long" : views.length >= mostViews ? "full" : null)
  return refused === null ? { views: [...views, { name, path }] } : { refused }
}

export const rename = (views: ReadonlyArray<View>, before: string, typed: string): Changed => {
  const name = typed.trim()
  const refused = checkName(name, views.filter((one) => one.name !== before))
  return refused === null
    ? { views: views.map((one) => one.name === before ? { ...one, name } : one) }
    : { refused }
}

export const without = (views: ReadonlyArray<View>, name: string): Changed => ({
  views: views.filter((one) => one.name !== name)
})
