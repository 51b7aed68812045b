/** Why a run is not there any more, as far as its time can tell. Pure. */
import type { PageConfig } from "../../http/dashboard/config.js"
import { isEnded, type RunDetail } from "../api/types.js"

type Kept = NonNullable<PageConfig["kept"]>

/** Ids begin with the time they were made at; null for what is no such id. */
export const bornAt = (id: string): number | null =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-7/i.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : null

/**
 * How long such a run is kept, in milliseconds, when it is older than that: then retention removed it. Null when it is younger, or nobody
 * can say.
 */
export const outlived = (id: string, run: RunDetail | null, kept: Kept | null, now: number): number | null => {
  if (kept === null) return null
  if (run !== null && isEnded(run) && run.endedAt !== null) {
    const { status } = run
    const span = status === "pending" || status === "running" ? null : kept[status]
    return span !== null && Date.parse(run.endedAt) + span <= now ? span : null
  }
  const born = bornAt(id)
  const spans = Object.values(kept).filter((span) => span !== null)
  const shortest = Math.min(...spans)
  return born !== null && spans.length > 0 && born + shortest <= now ? shortest : null
}
