/** What can be done with what is selected: first counted, then done, a page at a time. */
import { useEffect, useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import { isProblem } from "../api/problem.js"
import { may } from "../session.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Button, IconButton } from "../ui/controls.js"
import { Dialog } from "../ui/Dialog.js"
import { Icon } from "../ui/Icon.js"
import { toast } from "../ui/toasts.js"
import { asked, meta, order, reload } from "./list.js"
import { clearSelection, everything, selected } from "./selection.js"

type Action = "retry" | "cancel"

interface Tally {
  readonly done: number
  readonly skipped: ReadonlyArray<{ readonly reason: keyof typeof t.skips; readonly count: number }>
}

const selectionNow = (): endpoints.Selection =>
  everything.peek() ? { filter: { q: asked.peek().q } } : { ids: [...selected.peek()] }

// More ids than one request takes are sent in several.
const atOnce = 1_000

const add = (tally: Tally, done: number, reasons: Tally["skipped"]): Tally => {
  const counts = new Map(tally.skipped.map(({ count, reason }) => [reason, count]))
  for (const { count, reason } of reasons) counts.set(reason, (counts.get(reason) ?? 0) + count)
  return { done: tally.done + done, skipped: Array.from(counts, ([reason, count]) => ({ reason, count })) }
}

const ask = async (action: Action, part: endpoints.Selection, dryRun: boolean) => {
  if (action === "retry") {
    const answer = await endpoints.bulkRetry(part, dryRun)
    return { done: answer.dispatched, reasons: answer.reasons, nextCursor: answer.nextCursor }
  }
  const answer = await endpoints.bulkCancel(part, dryRun)
  return { done: answer.cancelled + answer.requested, reasons: answer.reasons, nextCursor: answer.nextCursor }
}

/** Goes through all that is selected; `goesOn` is told after each page and ends it with false. */
const through = async (
  action: Action,
  selection: endpoints.Selection,
  dryRun: boolean,
  goesOn: (tally: Tally) => boolean
): Promise<Tally> => {
  let tally: Tally = { done: 0, skipped: [] }
  const take = async (part: endpoints.Selection): Promise<string | null> => {
    const { done, nextCursor, reasons } = await ask(action, part, dryRun)
    tally = add(tally, done, reasons)
    return goesOn(tally) ? nextCursor : null
  }
  if ("ids" in selection) {
    for (let from = 0; from < selection.ids.length; from += atOnce) {
      await take({ ids: selection.ids.slice(from, from + atOnce) })
    }
    return tally
  }
  let cursor = await take(selection)
  while (cursor !== null) cursor = await take({ ...selection, cursor })
  return tally
}

const Confirm = (
  { action, onClose, what }: { readonly action: Action; readonly what: string; readonly onClose: () => void }
) => {
  const [selection] = useState(selectionNow)
  const [tally, setTally] = useState<Tally | null>(null)
  const [counted, setCounted] = useState(false)
  const [done, setDone] = useState<number | null>(null)
  const [trouble, setTrouble] = useState<string | null>(null)
  const words = (error: unknown): string => isProblem(error) ? error.message : String(error)

  useEffect(() => {
    let here = true
    through(action, selection, true, (sofar) => {
      if (here) setTally(sofar)
      return here
    }).then(() => here && setCounted(true), (error) => here && setTrouble(words(error)))
    return () => {
      here = false
    }
  }, [])

  const go = async (): Promise<void> => {
    setDone(0)
    try {
      const result = await through(action, selection, false, (sofar) => {
        setDone(sofar.done)
        return true
      })
      toast("good", action === "retry" ? t.bulk.retried(result.done) : t.bulk.cancelled(result.done))
      clearSelection()
      onClose()
      void reload()
    } catch (error) {
      setTrouble(words(error))
      setDone(null)
    }
  }

  const possible = tally?.done ?? 0
  return (
    <Dialog
      title={action === "retry" ? t.bulk.retryTitle(what) : t.bulk.cancelTitle(what)}
      onClose={onClose}
      binding={done !== null}
    >
      <p>{action === "retry" ? t.bulk.retryBody : t.bulk.cancelBody}</p>
      <ul class="dry" aria-live="polite">
        {tally === null ? <li class="dim">{t.bulk.counting}</li> : (
          <li class="can">
            <Icon name="success" />
            {action === "retry" ? t.bulk.canRetry(possible) : t.bulk.canCancel(possible)}
          </li>
        )}
        {tally?.skipped.map(({ count, reason }) => (
          <li key={reason} class="skip-note">
            <Icon name="interrupted" />
            {t.bulk.skipped(count, t.skips[reason])}
          </li>
        ))}
      </ul>
      {trouble === null ? null : <p class="trouble" role="alert">{t.run.actionFailed(trouble)}</p>}
      <div class="actions">
        <Button onClick={onClose} disabled={done !== null}>{t.bulk.keep}</Button>
        <Button
          kind={action === "retry" ? "primary" : "danger"}
          disabled={!counted || possible === 0 || done !== null}
          onClick={() => void go()}
        >
          {done !== null
            ? t.bulk.progress(done)
            : counted && possible === 0
            ? t.bulk.nothing
            : action === "retry"
            ? t.bulk.doRetry(possible)
            : t.bulk.doCancel(possible)}
        </Button>
      </div>
    </Dialog>
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
  if (size === 0 && !everything.value) return null
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
