/** What can be done with what is selected: first counted, then done by the server. */
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import { param } from "../location.js"
import { may } from "../session.js"
import { useKeys } from "../shell/keyboard.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { ConfirmMany, type ManyDone, type ManyWords, type TakePage } from "../ui/ConfirmMany.js"
import { Button, IconButton } from "../ui/controls.js"
import { asked, meta, order, reload } from "./list.js"
import { clearSelection, everything, selected } from "./selection.js"

type Action = "retry" | "cancel"

const selectionNow = (): endpoints.Selection =>
  everything.peek() ? { filter: { q: asked.peek().q } } : { ids: [...selected.peek()] }

// More ids than one request takes are sent in several.
const atOnce = 1_000

const ask = async (action: Action, part: endpoints.Selection, dryRun: boolean): Promise<ManyDone> => {
  if (action === "retry") {
    const answer = await endpoints.bulkRetry(part, dryRun)
    return { done: answer.dispatched, reasons: answer.reasons, nextCursor: answer.nextCursor }
  }
  const answer = await endpoints.bulkCancel(part, dryRun)
  return { done: answer.cancelled + answer.requested, reasons: answer.reasons, nextCursor: answer.nextCursor }
}

/** A page of what is selected: of ids, those from a place on; of a filter, what the server's cursor says. */
const pagesOf = (action: Action, selection: endpoints.Selection): TakePage => async (dryRun, cursor) => {
  if (!("ids" in selection)) {
    return ask(action, cursor === undefined ? selection : { ...selection, cursor }, dryRun)
  }
  const from = Number(cursor ?? 0)
  const next = from + atOnce
  const page = await ask(action, { ids: selection.ids.slice(from, next) }, dryRun)
  return { ...page, nextCursor: next < selection.ids.length ? String(next) : null }
}

const words = (action: Action, what: string): ManyWords =>
  action === "retry"
    ? {
      title: t.bulk.retryTitle(what),
      body: t.bulk.retryBody,
      can: t.bulk.canRetry,
      go: t.bulk.doRetry,
      done: t.bulk.retried
    }
    : {
      title: t.bulk.cancelTitle(what),
      body: t.bulk.cancelBody,
      can: t.bulk.canCancel,
      go: t.bulk.doCancel,
      done: t.bulk.cancelled
    }

const Confirm = (
  { action, onClose, what }: { readonly action: Action; readonly what: string; readonly onClose: () => void }
) => {
  const [selection] = useState(selectionNow)
  const [take] = useState(() => pagesOf(action, selection))
  return (
    <ConfirmMany
      words={words(action, what)}
      kind={action === "retry" ? "primary" : "danger"}
      take={take}
      request={() => ({ action, selection })}
      onClose={onClose}
      onDone={() => {
        clearSelection()
        void reload()
      }}
    />
  )
}

const totalText = (): string => {
  const known = meta.value
  return known === null ? "" : format.countAtLeast(known.total, known.totalIsFloor)
}

const isAllLoaded = (): boolean => order.value.length > 1 && order.value.every((id) => selected.value.has(id))

/** Above the table: that the selection can become everything that matches, and that it did. */
export const SelectionNote = () => {
  if (everything.value) {
    return (
      <div class="note sel" role="status">
        <p>{t.bulk.everything(totalText())}</p>
        <button type="button" class="link" onClick={clearSelection}>{t.bulk.clear}</button>
      </div>
    )
  }
  const hasMore = meta.value?.nextCursor !== null || order.value.length < (meta.value?.total ?? 0)
  if (!isAllLoaded() || !hasMore) return null
  return (
    <div class="note sel" role="status">
      <p>{t.bulk.allLoaded(order.value.length)}</p>
      <button type="button" class="link" onClick={() => (everything.value = true)}>
        {t.bulk.selectAll(totalText())}
      </button>
    </div>
  )
}

/** At the foot of the list while something is selected. */
export const BulkBar = () => {
  const [action, setAction] = useState<Action | null>(null)
  const size = selected.value.size
  const none = size === 0 && !everything.value
  const begin = (which: Action) => () => may(which) ? setAction(which) : undefined
  // Of an open run they are the run's.
  useKeys(none || param("run") !== null ? {} : { r: begin("retry"), c: begin("cancel") })
  if (none) return null
  const what = everything.value ? totalText() : format.count(size)
  const button = (which: Action) => (
    <Button
      kind={which === "retry" ? "primary" : undefined}
      icon={which === "retry" ? "retrying" : "cancelled"}
      disabled={!may(which)}
      title={may(which) ? undefined : t.run.may(which)}
      onClick={() => setAction(which)}
    >
      {which === "retry" ? t.bulk.retry(what) : t.bulk.cancel(what)}
    </Button>
  )
  return (
    <div class="bulk" role="region" aria-label={t.bulk.selected(size)}>
      <b>{everything.value ? t.bulk.everything(what) : t.bulk.selected(size)}</b>
      <span class="grow" />
      {button("cancel")}
      {button("retry")}
      <IconButton icon="close" kind="quiet" label={t.bulk.clear} onClick={clearSelection} />
      {action === null ? null : <Confirm action={action} what={what} onClose={() => setAction(null)} />}
    </div>
  )
}
