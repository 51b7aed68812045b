/** The one line that says most about a run, by its status. Pure. */
import { type Run, shownStatus } from "../api/types.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"

export interface DetailLine {
  readonly text: string
  readonly tone: "error" | "plain" | "data"
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? ""

const progressOf = ({ progress }: Run): string | null =>
  progress === null
    ? null
    : progress.message === null || progress.message === ""
    ? format.share(progress.value)
    : progress.message

export const tagsOf = ({ tags }: Run): string =>
  Object.entries(tags).map(([name, value]) => `${name}=${value}`).join("  ")

const dataOf = (run: Run): string => {
  const { idempotencyKey, schedule, tags } = run
  return [
    schedule?.name ?? "",
    tagsOf(run),
    idempotencyKey === null || Object.values(tags).includes(idempotencyKey) ? "" : idempotencyKey
  ].filter((part) => part !== "").join("  ")
}

const span = (until: string, now: number): string | null => {
  const left = Date.parse(until) - now
  return left > 0 ? format.countdown(left) : null
}

/** `now` is the server's time, `preview` what is shown of its arguments, where they are. */
export const detailOf = (run: Run, now: number, preview: string | null): DetailLine => {
  const error = run.error === null ? "" : firstLine(run.error)
  const data = { text: preview ?? dataOf(run), tone: "data" } as const
  switch (shownStatus(run)) {
    case "failed":
      return { text: error, tone: "error" }
    case "retrying": {
      const left = run.nextAttemptAt === null ? null : span(run.nextAttemptAt, now)
      return { text: `${error} · ${left === null ? t.table.retryDue : t.table.retryIn(left)}`, tone: "error" }
    }
    case "running": {
      if (run.cancelRequested) return { text: t.table.cancelling, tone: "plain" }
      const progress = progressOf(run)
      return progress === null ? data : { text: progress, tone: "plain" }
    }
    case "pending": {
      const left = run.runAt === null ? null : span(run.runAt, now)
      return left === null ? data : { text: t.table.startsIn(left), tone: "plain" }
    }
    case "interrupted":
      return { text: run.stopReason === null ? error : t.run.reasons[run.stopReason], tone: "plain" }
    case "cancelled":
    case "success":
      return data
  }
}
