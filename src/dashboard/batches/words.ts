/** What a batch says of itself. Pure. */
import type { Batch } from "../api/types.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { isEnded } from "./store.js"

const looked = ({ done, skipped }: Batch): number => done + skipped

const totalOf = ({ total, totalIsFloor }: Batch): string => format.countAtLeast(total, totalIsFloor)

/** How long it may take yet, in milliseconds; null when no rate says. */
const leftOf = (batch: Batch): number | null =>
  batch.perSecond === null || batch.totalIsFloor
    ? null
    : Math.max(0, batch.total - looked(batch)) / batch.perSecond * 1_000

/** Its state as one line. `now`: the server's time. */
export const lineOf = (batch: Batch, now: number): string => {
  const { action, done, skipped, state } = batch
  const words = t.batches[action]
  const undone = state === "stopped" && looked(batch) === 0
  switch (state) {
    case "waiting":
      return words.waiting(
        totalOf(batch),
        batch.total,
        Math.max(0, Math.ceil((Date.parse(batch.startsAt) - now) / 1_000))
      )
    case "running":
      return batch.stopRequested ? words.stopping(looked(batch)) : words.running(looked(batch), totalOf(batch))
    case "done":
      return words.done(done, skipped)
    case "stopped":
      return undone ? words.undone : words.stopped(done, skipped)
    case "failed":
      return words.failed(done, skipped)
  }
}

/** What is said beside it, when there is something. */
export const noteOf = (batch: Batch): string | null => {
  if (batch.error !== null) return format.sentence(batch.error)
  const left = batch.state === "running" && !batch.stopRequested ? leftOf(batch) : null
  if (left !== null && left > 3_000) return t.batches.left(format.countdown(left))
  if (!isEnded(batch) || batch.reasons.length === 0) return null
  return batch.reasons.map(({ count, reason }) => t.bulk.skippedFor(count, t.skips[reason])).join("; ")
}

/** What is read out: not each step of the progress, but that it began and how it ended. */
export const announcementOf = (batch: Batch): string => {
  const words = t.batches[batch.action]
  return batch.state === "waiting"
    ? words.asked(totalOf(batch), batch.total)
    : batch.state === "running"
    ? batch.stopRequested ? t.batches.stopping : words.began
    : lineOf(batch, 0)
}
