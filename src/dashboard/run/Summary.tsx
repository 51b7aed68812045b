/** What a person wants to know first: what went wrong, where the time went, the facts, the last lines of the log. */
import type { ComponentChildren } from "preact"
import type { Attempt, RunDetail } from "../api/types.js"
import { href, withParams } from "../location.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Moment } from "../ui/Time.js"
import { ErrorBox } from "./ErrorBox.js"
import { LogLines } from "./LogLines.js"
import type { LogState } from "./openRun.js"
import { Timeline } from "./Timeline.js"

interface SummaryProps {
  readonly run: RunDetail
  readonly attempts: ReadonlyArray<Attempt>
  readonly log: LogState
  readonly onLogs: (attempt?: number) => void
  readonly onAttempt: (attempt: number) => void
}

const shownLines = 8

const filterBy = (q: string): string => href("runs", { q, since: "all" })
const quoted = (text: string): string => /^[\w./@-]+$/.test(text) ? text : JSON.stringify(text)

const Fact = (
  { children, what, wide = false }: {
    readonly what: string
    readonly wide?: boolean
    readonly children: ComponentChildren
  }
) => (
  <div class={wide ? "wide" : ""}>
    <dt>{what}</dt>
    <dd>{children}</dd>
  </div>
)

const RunLink = ({ id }: { readonly id: string }) => (
  <a class="link mono" href={withParams({ run: id })}>…{id.slice(-8)}</a>
)

const waitOf = ({ createdAt, runAt, startedAt }: RunDetail): string =>
  startedAt === null ? t.run.none : format.duration(Math.max(0, Date.parse(startedAt) - Date.parse(runAt ?? createdAt)))

const Facts = ({ run }: { readonly run: RunDetail }) => {
  const {
    executor,
    idempotencyKey,
    instance,
    nextAttemptAt,
    priority,
    retriedAs,
    retriesUsed,
    retryOf,
    runAt,
    schedule,
    stopReason,
    trace
  } = run
  return (
    <section class="sec">
      <h3 class="sr">{t.run.facts}</h3>
      <dl class="facts">
        <Fact what={t.run.created}>
          <Moment at={run.createdAt} />
        </Fact>
        <Fact what={t.run.queueWait}>{waitOf(run)}</Fact>
        <Fact what={t.run.priority}>
          <span class={priority >= 8 ? "high" : priority >= 5 ? "raised" : ""}>{priority}</span>
        </Fact>
        <Fact what={t.run.executor}>{executor}</Fact>
        <Fact what={t.run.source}>
          {schedule === null
            ? (run.source === "manual" ? t.run.manual : t.table.scheduled)
            : t.run.scheduled(schedule.name)}
        </Fact>
        <Fact what={t.run.retries}>{retriesUsed}</Fact>
        {runAt === null ? null : (
          <Fact what={t.run.runAt}>
            <Moment at={runAt} />
          </Fact>
        )}
        {nextAttemptAt === null ? null : (
          <Fact what={t.run.nextAttempt}>
            <Moment at={nextAttemptAt} />
          </Fact>
        )}
        {schedule === null ? null : (
          <Fact what={t.run.slot}>
            <Moment at={schedule.slot} />
          </Fact>
        )}
        {retryOf === null ? null : (
          <Fact what={t.run.retryOf}>
            <RunLink id={retryOf} />
          </Fact>
        )}
        {retriedAs === null ? null : (
          <Fact what={t.run.retriedAs}>
            <RunLink id={retriedAs} />
          </Fact>
        )}
        {instance === null ? null : (
          <Fact what={t.run.instance}>
            <span class="mono" title={instance}>…{instance.slice(-8)}</span>
          </Fact>
        )}
        {trace === null ? null : (
          <Fact what={t.run.trace}>
            <span class="mono" title={trace.traceId}>{trace.traceId.slice(0, 8)}…</span>
          </Fact>
        )}
        {idempotencyKey === null ? null : (
          <Fact what={t.run.key} wide>
            <a class="link mono" href={filterBy(`key:${quoted(idempotencyKey)}`)}>{idempotencyKey}</a>
          </Fact>
        )}
        {run.crashes === 0 ? null : (
          <Fact what={t.marks.rescued} wide>
            <span title={t.marks.rescuedAfter(run.crashes)}>{t.marks.crashes(run.crashes)}</span>
          </Fact>
        )}
        {stopReason === null ? null : <Fact what={t.run.stopReason} wide>{t.run.reasons[stopReason]}</Fact>}
      </dl>
      {Object.keys(run.tags).length === 0 ? null : (
        <ul class="tags" aria-label={t.run.tags}>
          {Object.entries(run.tags).map(([name, value]) => (
            <li key={name}>
              <a class="tag" href={filterBy(`tag:${quoted(name)}=${quoted(value)}`)}>{name}={value}</a>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

const Progress = ({ run }: { readonly run: RunDetail }) =>
  run.progress === null ? null : (
    <section class="sec">
      <div class="sec-head">
        <h3>{t.run.progress}</h3>
        <span class="dim">{run.progress.message}</span>
        <span class="grow" />
        <span class="dim">{format.share(run.progress.value)}</span>
      </div>
      <progress aria-label={t.run.progress} value={run.progress.value} max={1} />
    </section>
  )

const LastLines = ({ log, onAttempt, onLogs }: Pick<SummaryProps, "log" | "onAttempt" | "onLogs">) =>
  log.lines.length === 0 ? null : (
    <section class="sec">
      <div class="sec-head">
        <h3>{t.run.lastLines}</h3>
        <span class="grow" />
        <button type="button" class="link" onClick={() => onLogs()}>{t.run.allLines(log.lines.length)}</button>
      </div>
      <LogLines lines={log.lines.slice(-shownLines)} onAttempt={onAttempt} />
    </section>
  )

export const Summary = ({ attempts, log, onAttempt, onLogs, run }: SummaryProps) => (
  <>
    <ErrorBox run={run} />
    {run.status === "running" ? <Progress run={run} /> : null}
    <Timeline run={run} attempts={attempts} onAttempt={onLogs} />
    <Facts run={run} />
    <LastLines log={log} onLogs={onLogs} onAttempt={onAttempt} />
  </>
)
