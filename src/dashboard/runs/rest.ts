/** Rows that must not move, behind an answer that does not reach them. */
import type { Run, RunPage } from "../api/types.js"

/** What a list is made of. `isTorn`: what lies between the answer and the rows behind it is not loaded. */
export interface Joined extends RunPage {
  readonly isTorn: boolean
}

/**
 * An answer to a list whose rows stay, the newest first. More may have come above them than were asked for: of those behind
 * the answer it says nothing, and the next page is still the one behind the last of them.
 */
export const withRest = (page: RunPage, shown: ReadonlyArray<Run>, nextCursor: string | null): Joined => {
  const last = page.nextCursor === null ? undefined : page.items.at(-1)?.taskId
  const behind = last === undefined ? [] : shown.filter(({ taskId }) => taskId < last)
  return behind.length === 0
    ? { ...page, isTorn: false }
    : { ...page, items: [...page.items, ...behind], nextCursor, isTorn: behind.length === shown.length }
}
