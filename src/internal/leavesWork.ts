import type { Batch } from "../TaskBackend.js"

/** Whether the batch left something that anyone may take, now or later. */
export const leavesWork = ({ changes }: Pick<Batch, "changes">): boolean => {
  for (const change of changes) {
    if (change._tag === "Unclaim") return true
    if (change._tag !== "Insert" && change._tag !== "Release") continue
    if (change.record.owner === null && change.record.status === "pending") return true
  }
  return false
}
