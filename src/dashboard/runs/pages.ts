/** Reading pages of runs. */
import * as endpoints from "../api/endpoints.js"
import { ApiProblem, isProblem } from "../api/problem.js"
import type { RunPage } from "../api/types.js"
import * as previews from "./previews.js"
import { pageSize, type RunsQuery } from "./query.js"

export interface Meta {
  readonly nextCursor: string | null
  readonly total: number
  readonly totalIsFloor: boolean
  readonly complete: boolean
}

const longestPage = 200
const mostPages = 5
/** What one reading of the whole list asks for at most. Rows behind are loaded again by scrolling. */
export const mostAtOnce = mostPages * longestPage

export const metaOf = ({ complete, nextCursor, total, totalIsFloor }: RunPage): Meta => ({
  complete,
  nextCursor,
  total,
  totalIsFloor
})

export const problemOf = (error: unknown): ApiProblem =>
  isProblem(error) ? error : new ApiProblem("Unreadable", 0, error instanceof Error ? error.message : String(error))

/** As many pages as are shown, read anew as one answer. */
export const readPages = async (
  { q, sort }: Pick<RunsQuery, "q" | "sort">,
  wanted: number,
  signal: AbortSignal
): Promise<RunPage> => {
  const limit = Math.min(longestPage, Math.max(pageSize, wanted))
  let page = await endpoints.listRuns({ q, sort, limit }, signal)
  const items = [...page.items]
  for (let pages = 1; items.length < wanted && page.nextCursor !== null && pages < mostPages; pages += 1) {
    page = await endpoints.listRuns({ q, sort, limit, cursor: page.nextCursor }, signal)
    items.push(...page.items)
  }
  previews.learn(items)
  return { ...page, items }
}
