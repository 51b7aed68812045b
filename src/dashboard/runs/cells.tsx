/** What stands in the cells of a run. */
import { isEnded, type Run, shownStatus } from "../api/types.js"
import { now } from "../clock.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { detailOf, tagsOf } from "./detail.js"
import { Marks } from "./marks.js"
import { paces } from "./paces.js"
import { previewOf } from "./previews.js"

export const TaskName = ({ run }: { readonly run: Run }) => (
  <>
    <span>{run.taskName}</span>
    <Marks run={run} />
  </>
)

export const Tags = ({ run }: { readonly run: Run }) => {
  const text = tagsOf(run)
  return <span class="detail data" title={text}>{text === "" ? t.run.none : text}</span>
}

export const Detail = ({ run }: { readonly run: Run }) => {
  // Where an error is shown, nobody has to be asked for more.
  const isError = run.status === "failed" || run.status === "interrupted" || run.nextAttemptAt !== null
  const { text, tone } = detailOf(run, now.value, isError ? null : previewOf(run.taskId))
  return <span class={`detail ${tone}`} title={text}>{text}</span>
}

const shownTries = 6

/** One tick for each attempt: how the latest went is known, of those before that they failed. */
export const Tries = ({ run }: { readonly run: Run }) => {
  const { attempts } = run
  const status = shownStatus(run)
  const last = status === "success" ? "ok" : status === "running" ? "run" : status === "cancelled" ? "off" : "bad"
  const ticks = attempts === 0 ? ["none"] : [...Array<string>(attempts - 1).fill("bad"), last].slice(-shownTries)
  return (
    <span class="tries" title={t.table.triesOf(attempts)}>
      <span class="sr">{attempts}</span>
      {attempts > shownTries ? <span class="over" aria-hidden="true">{attempts}</span> : null}
      <span class="ticks" aria-hidden="true">{ticks.map((kind, index) => <i key={index} class={kind} />)}</span>
    </span>
  )
}

export const durationOf = (run: Run, at: number): number | null =>
  run.duration ?? (run.startedAt === null || isEnded(run) ? null : Math.max(0, at - Date.parse(run.startedAt)))

/** How long it took, beside how long runs of its task take. */
export const Duration = ({ run }: { readonly run: Run }) => {
  const live = !isEnded(run)
  const millis = durationOf(run, live ? now.value : 0)
  const pace = paces.value.get(run.taskName)
  const part = millis === null || pace === undefined || pace <= 0 ? 0 : Math.min(1, millis / pace)
  const slow = millis !== null && pace !== undefined && millis > pace && pace > 0
  return (
    <span class="took">
      <span>{millis === null ? t.run.none : format.duration(millis)}</span>
      <span class={`bar ${slow ? "slow" : live ? "now" : ""}`} title={slow ? t.table.slower : undefined}>
        <i style={{ width: `${Math.round(part * 100)}%` }} />
      </span>
    </span>
  )
}
