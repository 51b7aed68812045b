/** Runs that have to do with this one, and how runs of its task do. */
import { useEffect, useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import { type Run, type RunDetail, shownStatus, type WindowStats } from "../api/types.js"
import { href, withParams } from "../location.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Status } from "../ui/controls.js"
import { Age } from "../ui/Time.js"

interface Related {
  readonly retryOf: Run | null
  readonly retriedAs: Run | null
  readonly sameKey: ReadonlyArray<Run>
  readonly recent: ReadonlyArray<Run>
  readonly next: Run | null
  readonly previous: Run | null
  readonly stats: WindowStats | null
}

const shown = 5

const quoted = (text: string): string => JSON.stringify(text)

const read = async (run: RunDetail, signal: AbortSignal): Promise<Related> => {
  const one = (id: string | null) => id === null ? null : endpoints.run(id, signal).catch(() => null)
  const some = (q: string) =>
    endpoints.listRuns({ q, limit: shown + 1 }, signal).then(
      ({ items }) => items.filter(({ taskId }) => taskId !== run.taskId).slice(0, shown),
      (): ReadonlyArray<Run> => []
    )
  const task = `task:${quoted(run.taskName)}`
  // Ids are in the order of creation; several may be of one millisecond.
  const beside = (q: string, sort: string, fits: (id: string) => boolean) =>
    endpoints.listRuns({ q, sort, limit: 50 }, signal).then(
      ({ items }) => items.find(({ taskId }) => fits(taskId)) ?? null,
      () => null
    )
  const justAfter = new Date(Date.parse(run.createdAt) + 1).toISOString()
  const [retryOf, retriedAs, sameKey, next, previous, recent, stats] = await Promise.all([
    one(run.retryOf),
    one(run.retriedAs),
    run.idempotencyKey === null ? [] : some(`key:${quoted(run.idempotencyKey)}`),
    beside(`${task} since:${run.createdAt}`, "created", (id) => id > run.taskId),
    beside(`${task} until:${justAfter}`, "-created", (id) => id < run.taskId),
    some(task),
    endpoints.stats({ task: run.taskName, window: "24h" }, signal).catch(() => null)
  ])
  return { retryOf, retriedAs, sameKey, next, previous, recent, stats }
}

const Rows = ({ runs, title }: { readonly title: string; readonly runs: ReadonlyArray<Run> }) =>
  runs.length === 0 ? null : (
    <section class="sec">
      <div class="sec-head">
        <h3>{title}</h3>
      </div>
      <ul class="related">
        {runs.map((run) => (
          <li key={run.taskId}>
            <Status status={shownStatus(run)} />
            <a class="link" href={withParams({ run: run.taskId })}>
              {run.taskName} <span class="mono">{run.taskId.slice(-8)}</span>
            </a>
            <span class="grow" />
            <span class="span">{run.duration === null ? t.run.none : format.duration(run.duration)}</span>
            <span class="dim age">
              <Age at={run.createdAt} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  )

const Analytics = ({ stats, task }: { readonly stats: WindowStats; readonly task: string }) => {
  const span = (millis: number | null): string => millis === null ? t.run.none : format.duration(millis)
  const facts: ReadonlyArray<readonly [string, string]> = [
    [t.figures.ended, format.count(stats.ended)],
    [t.figures.success, stats.successRate === null ? t.run.none : format.share(stats.successRate)],
    [t.figures.average, span(stats.durations.average)],
    [t.figures.p95, span(stats.durations.p95)],
    [t.figures.min, span(stats.durations.min)],
    [t.figures.max, span(stats.durations.max)],
    [t.figures.wait, span(stats.waits.p95)],
    [t.status.failed, format.count(stats.failed)]
  ]
  return (
    <section class="sec">
      <div class="sec-head">
        <h3>{task}</h3>
        <span class="dim">{t.filter.windows["24h"].toLowerCase()}</span>
        <span class="grow" />
        <a class="link" href={href("runs", { q: `task:${quoted(task)}` })}>{t.related.all}</a>
      </div>
      <dl class="facts">
        {facts.map(([what, value]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

export const RelatedRuns = ({ run }: { readonly run: RunDetail }) => {
  const [related, setRelated] = useState<Related | null>(null)
  const { idempotencyKey, retriedAs, retryOf, taskId, taskName } = run
  useEffect(() => {
    const asking = new AbortController()
    read(run, asking.signal).then(setRelated, () => {})
    return () => asking.abort()
  }, [taskId, taskName, retryOf, retriedAs, idempotencyKey])
  if (related === null) return null
  const single = (one: Run | null): ReadonlyArray<Run> => one === null ? [] : [one]
  return (
    <>
      {related.stats === null ? null : <Analytics stats={related.stats} task={taskName} />}
      <Rows title={t.related.original} runs={single(related.retryOf)} />
      <Rows title={t.related.retried} runs={single(related.retriedAs)} />
      <Rows title={t.related.sameKey} runs={related.sameKey} />
      <Rows title={t.related.next} runs={single(related.next)} />
      <Rows title={t.related.previous} runs={single(related.previous)} />
      <Rows title={t.related.neighbours} runs={related.recent} />
    </>
  )
}
