/** The page of runs: filter, counts, chart, table, and beside it the run that is looked at. */
import { useEffect, useLayoutEffect } from "preact/hooks"
import { paused } from "../live/store.js"
import { href, param, setParams } from "../location.js"
import { runPath } from "../route.js"
import { preloadRun } from "../run/lazyRun.js"
import { RunPanel } from "../run/RunPanel.js"
import { useKeys } from "../shell/keyboard.js"
import { t } from "../text/en.js"
import { copy } from "../ui/copy.js"
import { Icon } from "../ui/Icon.js"
import { narrow } from "../ui/media.js"
import { Announcer } from "./Announcer.js"
import { BulkBar, SelectionNote } from "./Bulk.js"
import { moveTo, neighbour, rowAtFocus } from "./cursor.js"
import { chooseStatus, FacetRow } from "./FacetRow.js"
import { startFigures } from "./figures.js"
import { Foot } from "./Foot.js"
import * as list from "./list.js"
import { Empty, Failed, Skeleton } from "./ListStates.js"
import { Outcomes } from "./Outcomes.js"
import { startPaces } from "./paces.js"
import { statuses } from "./query.js"
import { RunTable } from "./RunTable.js"
import { clearSelection, everything, hasSelection, select, selectLoaded } from "./selection.js"
import { Toolbar } from "./Toolbar.js"

/** What is new and not shown: a click shows it. Nothing above the rows moves by itself. */
const NewRuns = () => {
  const count = list.fresh.value
  if (count === 0 && !list.freshUnknown.value || list.phase.value.kind !== "ready") return null
  return (
    <button type="button" class="newbar" onClick={list.reveal}>
      <Icon name="up" size={14} />
      {count > 0 ? t.list.fresh(count) : t.list.freshSome}
      {paused.value && list.missed.value > 0 ? <span class="pill">+{list.missed.value}</span> : null}
    </button>
  )
}

const Body = () => {
  const phase = list.phase.value
  // Where a session ended, what was shown stays behind the login.
  const isAsked = phase.kind === "failed" && phase.problem.tag === "Unauthorized"
  if (phase.kind === "failed" && (list.order.value.length === 0 || list.isOfAnother.value && !isAsked)) {
    return <Failed problem={phase.problem} />
  }
  if (phase.kind === "first") return <Skeleton />
  return list.order.value.length === 0 ? <Empty /> : <RunTable />
}

const closePanel = (): void => {
  const id = param("run")
  setParams({ run: null, tab: null })
  if (id !== null) moveTo(id)
}

const step = (by: 1 | -1): void => {
  const next = neighbour(param("run") ?? rowAtFocus(), by)
  if (next === null) return
  moveTo(next)
  if (param("run") !== null) setParams({ run: next }, { replace: true })
}

const onSelected = (act: (id: string) => void) => () => {
  const id = rowAtFocus() ?? param("run")
  if (id !== null) act(id)
}

const statusKeys = Object.fromEntries([null, ...statuses].map((status, index) => [
  String(index + 1),
  () => chooseStatus(status)
]))

export const RunsPage = () => {
  // Before anything else can happen: what was asked ahead is older than whatever the stream tells.
  useLayoutEffect(list.startList, [])
  useEffect(() => {
    const idle = setTimeout(preloadRun, 2_000)
    const stops = [
      () => clearTimeout(idle),
      list.behindRows(startFigures),
      list.behindRows(startPaces)
    ]
    return () => {
      for (const stop of stops) stop()
      clearSelection()
    }
  }, [])

  useKeys({
    ...statusKeys,
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Enter: onSelected((id) => setParams({ run: id })),
    x: onSelected((id) => select(id, list.order.peek(), false)),
    "Shift+X": onSelected((id) => select(id, list.order.peek(), true)),
    "Mod+a": () => {
      const all = list.order.peek()
      if (hasSelection.peek() && list.meta.peek()?.nextCursor !== null) everything.value = true
      else selectLoaded(all, true)
    },
    "/": () => document.getElementById("filter")?.focus(),
    ".": list.reveal,
    y: onSelected((id) => void copy(href(runPath(id)))),
    Escape: () => param("run") === null ? clearSelection() : closePanel()
  })

  const opened = param("run")
  return (
    <div class={opened === null ? "runs" : "runs with-panel"}>
      {narrow.value && opened !== null ? null : (
        <section class="list" aria-label={t.table.caption}>
          <h1 class="sr">{t.sections.runs}</h1>
          {list.busy.value && list.phase.value.kind !== "first" ? <div class="progress" /> : null}
          <Toolbar />
          <FacetRow />
          <Outcomes />
          <NewRuns />
          <SelectionNote />
          <Body />
          <Foot />
          <BulkBar />
          <Announcer />
        </section>
      )}
      {opened === null ? null : <RunPanel id={opened} onClose={closePanel} />}
    </div>
  )
}
