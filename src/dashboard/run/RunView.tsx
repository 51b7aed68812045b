/** A run: what it is, what can be done with it, and everything known of it. The same in the panel and as a page. */
import "../style/runView.css"
import type { ComponentChildren } from "preact"
import { useEffect, useMemo } from "preact/hooks"
import { type Attempt, isEnded, type RunDetail, shownStatus } from "../api/types.js"
import { serverNow } from "../clock.js"
import { config, endpoint } from "../config.js"
import { href, param, setParams } from "../location.js"
import { runInView } from "../palette/state.js"
import { runPath } from "../route.js"
import { Skeleton } from "../runs/ListStates.js"
import { Marks } from "../runs/marks.js"
import { useKeys } from "../shell/keyboard.js"
import { askChanges, refusalOfChanges, RetryChangesDialog } from "../tasks/retryChanges.js"
import { taskPath } from "../tasks/term.js"
import { curlOf } from "../text/curl.js"
import { t } from "../text/en.js"
import { Blank } from "../ui/Blank.js"
import { Button, Chip, IconButton } from "../ui/controls.js"
import { copy } from "../ui/copy.js"
import { Menu, MenuItem } from "../ui/Menu.js"
import { type Tab, Tabs } from "../ui/Tabs.js"
import { Age } from "../ui/Time.js"
import { ActionDialog, confirm, refusalOf, retryOrConfirm } from "./actions.js"
import { Arguments, Json } from "./Data.js"
import { bornAt, outlived } from "./gone.js"
import { Logs, wantedAttempt } from "./Logs.js"
import { type OpenRun, openRun } from "./openRun.js"
import { RelatedRuns } from "./Related.js"
import { Summary } from "./Summary.js"
import { shownAttempt } from "./Timeline.js"

const tabIds = ["summary", "logs", "arguments", "related", "json"] as const
type TabId = typeof tabIds[number]

const tabNow = (): TabId => tabIds.find((id) => id === param("tab")) ?? "summary"
const chooseTab = (id: TabId): void => setParams({ tab: id === "summary" ? null : id }, { replace: true })
const stepTab = (step: number): void => {
  const next = tabIds[(tabIds.indexOf(tabNow()) + step + tabIds.length) % tabIds.length]
  if (next !== undefined) chooseTab(next)
}

const link = (id: string): string => href(runPath(id))
const curl = (id: string): string => curlOf({ method: "GET", url: endpoint(encodeURIComponent(id)).href })

const curlTo = (id: string, action: "retry" | "cancel"): string =>
  curlOf({ method: "POST", url: endpoint(`${encodeURIComponent(id)}/${action}`).href })

const When = ({ run }: { readonly run: RunDetail }) => {
  const at = run.endedAt ?? run.startedAt ?? run.createdAt
  const [before = "", after = ""] =
    (run.endedAt !== null ? t.run.endedAgo : run.startedAt !== null ? t.run.startedAgo : t.run.createdAgo)("\0").split(
      "\0"
    )
  return (
    <span>
      {before}
      <Age at={at} />
      {after}
      {run.instance === null ? null : ` ${t.run.on(`…${run.instance.slice(-8)}`)}`}
    </span>
  )
}

const Actions = ({ open, run }: { readonly run: RunDetail; readonly open: OpenRun }) => {
  const done = (): void => void open.reload()
  const retry = refusalOf("retry", run)
  const cancel = refusalOf("cancel", run)
  return (
    <>
      {retry === undefined ?
        null :
        (
          <Button
            kind="primary"
            icon="retrying"
            disabled={retry !== null}
            title={retry ?? undefined}
            onClick={() => retryOrConfirm(run, done)}
          >
            {run.status === "interrupted" ? `${t.run.retry}…` : t.run.retry}
          </Button>
        )}
      {cancel === undefined ?
        null :
        (
          <Button
            icon="cancelled"
            disabled={cancel !== null}
            title={cancel ?? undefined}
            onClick={() => confirm("cancel", run, done)}
          >
            {t.run.cancel}…
          </Button>
        )}
    </>
  )
}

const More = ({ done, run }: { readonly run: RunDetail; readonly done: () => void }) => {
  const id = run.taskId
  const refusal = refusalOfChanges(run)
  return (
    <Menu
      label={t.menu}
      button={(open, toggle) => (
        <IconButton icon="more" label={t.menu} expanded={open} popover="menu" onClick={toggle} />
      )}
    >
      {refusal === undefined ?
        null :
        (
          <MenuItem disabled={refusal !== null} title={refusal ?? undefined} onSelect={() => askChanges(run, done)}>
            {t.run.retryChanges}
          </MenuItem>
        )}
      <MenuItem onSelect={() => void copy(link(id))}>{t.run.copyLink}</MenuItem>
      <MenuItem onSelect={() => void copy(id)}>{t.run.copyId}</MenuItem>
      <MenuItem onSelect={() => void copy(curl(id))}>{t.run.copyCurl}</MenuItem>
      {isEnded(run)
        ? run.status === "success"
          ? null
          : <MenuItem onSelect={() => void copy(curlTo(id, "retry"))}>{t.curl.of(t.curl.retry)}</MenuItem>
        : <MenuItem onSelect={() => void copy(curlTo(id, "cancel"))}>{t.curl.of(t.curl.cancel)}</MenuItem>}
    </Menu>
  )
}

export interface RunViewProps {
  readonly id: string
  /** Buttons of the place it is shown in. */
  readonly extra: ComponentChildren
}

const Loaded = (
  { attempts, extra, open, run }: {
    readonly run: RunDetail
    readonly attempts: ReadonlyArray<Attempt>
    readonly open: OpenRun
    readonly extra: ComponentChildren
  }
) => {
  const log = open.log.value
  const tab = tabNow()
  const done = (): void => void open.reload()
  useEffect(() => {
    const here = { run, done }
    runInView.value = here
    return () => {
      if (runInView.peek() === here) runInView.value = null
    }
  }, [run])
  useKeys({
    r: () => confirm("retry", run, done),
    c: () => confirm("cancel", run, done)
  })
  const tabs: ReadonlyArray<Tab<TabId>> = tabIds.map((id) => ({
    id,
    label: t.run.tabs[id],
    count: id === "logs" ? log.lines.length : undefined
  }))
  const toLogs = (attempt?: number): void => {
    wantedAttempt.value = attempt ?? null
    chooseTab("logs")
  }
  const toAttempt = (attempt: number): void => {
    shownAttempt.value = attempt
    chooseTab("summary")
  }
  return (
    <>
      <header class="run-head">
        <div class="line">
          <Chip status={shownStatus(run)} />
          <h2 title={run.taskName}>
            <a href={href(taskPath(run.taskName))}>{run.taskName}</a>
          </h2>
          <Actions run={run} open={open} />
          <More run={run} done={done} />
          {extra}
        </div>
        <div class="line sub">
          <span class="mono id">{run.taskId}</span>
          <IconButton small kind="quiet" icon="copy" label={t.run.copyId} onClick={() => void copy(run.taskId)} />
          <When run={run} />
          <Marks run={run} />
        </div>
      </header>
      <Tabs tabs={tabs} at={tab} label={t.run.panel} onChoose={chooseTab}>
        {tab === "summary"
          ? <Summary run={run} attempts={attempts} log={log} onLogs={toLogs} onAttempt={toAttempt} />
          : null}
        {tab === "logs"
          ? <Logs log={log} growing={!isEnded(run)} name={run.taskId} onRetry={done} onAttempt={toAttempt} />
          : null}
        {tab === "arguments" ? <Arguments run={run} /> : null}
        {tab === "related" ? <RelatedRuns run={run} /> : null}
        {tab === "json" ? <Json run={run} /> : null}
      </Tabs>
      <ActionDialog />
      <RetryChangesDialog />
    </>
  )
}

const Gone = ({ id, run }: { readonly id: string; readonly run: RunDetail | null }) => {
  const span = outlived(id, run, config.kept, serverNow())
  if (span !== null) {
    return (
      <Blank title={t.gone.retention(span)}>
        <p>{t.gone.retentionBody}</p>
      </Blank>
    )
  }
  return (
    <Blank title={t.run.gone}>
      <p>{config.kept === null || bornAt(id) === null ? t.run.goneBody : t.gone.younger}</p>
    </Blank>
  )
}

export const RunView = ({ extra, id }: RunViewProps) => {
  const open = useMemo(() => openRun(id), [id])
  useEffect(() => open.stop, [open])
  useKeys({ "[": () => stepTab(-1), "]": () => stepTab(1) })
  const state = open.state.value
  const bare = (
    <div class="run-head bare">
      <div class="line">
        <span class="mono id">{id}</span>
        <span class="grow" />
        {extra}
      </div>
    </div>
  )
  switch (state.kind) {
    case "loading":
      return (
        <>
          {bare}
          <Skeleton rows={6} />
        </>
      )
    case "gone":
      return (
        <>
          {bare}
          <Gone id={id} run={state.run} />
        </>
      )
    case "failed":
      return (
        <>
          {bare}
          <Blank
            alert
            title={t.run.failedToLoad}
            actions={<Button onClick={() => void open.reload()}>{t.states.tryAgain}</Button>}
          >
            <p>{state.problem.message}</p>
          </Blank>
        </>
      )
    case "ready":
      return <Loaded run={state.run} attempts={state.attempts} open={open} extra={extra} />
  }
}
