/**
 * Asks before many runs are changed: counts first what would happen, a page at a time. Then the server does it behind its answer, a
 * little later so that it can be undone; what is one run alone is done at once.
 */
import type { ComponentChildren } from "preact"
import { useEffect, useState } from "preact/hooks"
import type { BatchRequest } from "../api/endpoints.js"
import { isProblem } from "../api/problem.js"
import { preloadTray } from "../batches/lazyTray.js"
import { begin, undoFor } from "../batches/store.js"
import { endpoint } from "../config.js"
import { session } from "../session.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Button } from "./controls.js"
import { copy } from "./copy.js"
import { curlOf } from "./curl.js"
import { Dialog } from "./Dialog.js"
import { Icon } from "./Icon.js"
import { Segments } from "./Segments.js"
import { toast } from "./toasts.js"

interface Skipped {
  readonly reason: keyof typeof t.skips
  readonly count: number
}

/** What was done, or would be, with one page of runs. */
export interface ManyDone {
  readonly done: number
  readonly reasons: ReadonlyArray<Skipped>
  readonly nextCursor: string | null
}

/** Does one page, or only counts it. */
export type TakePage = (dryRun: boolean, cursor: string | undefined) => Promise<ManyDone>

interface Tally {
  readonly done: number
  readonly skipped: ReadonlyArray<Skipped>
}

const nothing: Tally = { done: 0, skipped: [] }

const add = (tally: Tally, { done, reasons }: ManyDone): Tally => {
  const counts = new Map(tally.skipped.map(({ count, reason }) => [reason, count]))
  for (const { count, reason } of reasons) counts.set(reason, (counts.get(reason) ?? 0) + count)
  return { done: tally.done + done, skipped: Array.from(counts, ([reason, count]) => ({ reason, count })) }
}

/** Counts all pages; `goesOn` is told after each and ends it with false. */
const counting = async (take: TakePage, goesOn: (tally: Tally) => boolean): Promise<void> => {
  let tally = nothing
  const next = async (cursor?: string): Promise<string | null> => {
    const page = await take(true, cursor)
    tally = add(tally, page)
    return goesOn(tally) ? page.nextCursor : null
  }
  let cursor = await next()
  while (cursor !== null) cursor = await next(cursor)
}

const rates = { fast: null, ten: 10, one: 1 } as const
type Rate = keyof typeof rates

// Fewer are over before a rate says anything.
const manyFrom = 20

export interface ManyWords {
  readonly title: string
  readonly body: ComponentChildren
  readonly can: (value: number) => string
  readonly go: (value: number) => string
  readonly done: (value: number) => string
}

interface ConfirmManyProps {
  readonly words: ManyWords
  readonly kind: "primary" | "danger"
  readonly take: TakePage
  /** The same as one request: what the server is asked to do. */
  readonly request: () => BatchRequest
  /** What is counted: another text counts again. */
  readonly what?: string
  readonly onClose: () => void
  /** It was done, or the server does it. */
  readonly onDone: () => void
  /** Choices that decide what is counted. */
  readonly children?: ComponentChildren
}

export const ConfirmMany = (
  { children, kind, onClose, onDone, request, take, what = "", words }: ConfirmManyProps
) => {
  const [tally, setTally] = useState<Tally | null>(null)
  const [counted, setCounted] = useState(false)
  const [busy, setBusy] = useState(false)
  const [rate, setRate] = useState<Rate>("fast")
  const [trouble, setTrouble] = useState<string | null>(null)
  const fail = (error: unknown): void => setTrouble(isProblem(error) ? error.message : String(error))

  useEffect(preloadTray, [])
  useEffect(() => {
    let here = true
    setTally(null)
    setCounted(false)
    setTrouble(null)
    counting(take, (sofar) => {
      if (here) setTally(sofar)
      return here
    }).then(() => here && setCounted(true), (error) => here && fail(error))
    return () => {
      here = false
    }
  }, [what])

  const possible = tally?.done ?? 0
  const all = possible + (tally?.skipped ?? []).reduce((sum, { count }) => sum + count, 0)
  const isMany = counted && possible >= manyFrom
  const perSecond = isMany ? rates[rate] : null
  const asked = (): BatchRequest => perSecond === null ? request() : { ...request(), perSecond }

  const go = async (): Promise<void> => {
    setBusy(true)
    setTrouble(null)
    try {
      if (all === 1) toast("good", words.done((await take(false, undefined)).done))
      else await begin(asked())
      onDone()
      onClose()
    } catch (error) {
      fail(error)
      setBusy(false)
    }
  }

  const curl = (): string =>
    curlOf(endpoint("batches").href, asked(), session.peek()?.open === false ? session.peek()?.user : undefined)

  return (
    <Dialog title={words.title} onClose={onClose} binding={busy}>
      <p>{words.body}</p>
      {children}
      <ul class="dry" aria-live="polite">
        {tally === null
          ? trouble === null ? <li class="dim">{t.bulk.counting}</li> : null
          : (
            <li class="can">
              <Icon name="success" />
              {words.can(possible)}
            </li>
          )}
        {tally?.skipped.map(({ count, reason }) => (
          <li key={reason} class="skip-note">
            <Icon name="interrupted" />
            {t.bulk.skipped(count, t.skips[reason])}
          </li>
        ))}
      </ul>
      {isMany
        ? (
          <div class="paces">
            <Segments
              label={t.bulk.rate}
              choices={[["fast", t.bulk.rates.fast], ["ten", t.bulk.rates.ten], ["one", t.bulk.rates.one]]}
              at={rate}
              onChoose={setRate}
            />
            {perSecond === null
              ? null
              : <span class="dim">{t.bulk.takes(format.countdown(all / perSecond * 1_000))}</span>}
          </div>
        )
        : null}
      {counted && possible > 0 && all > 1 ? <p class="dim">{t.bulk.undoable(undoFor / 1_000)}</p> : null}
      {trouble === null ? null : <p class="trouble" role="alert">{t.run.actionFailed(trouble)}</p>}
      <div class="actions">
        <Button small kind="quiet" icon="copy" onClick={() => void copy(curl())}>{t.bulk.curl}</Button>
        <span class="grow" />
        <Button first onClick={onClose} disabled={busy}>{t.bulk.keep}</Button>
        <Button kind={kind} disabled={!counted || possible === 0 || busy} onClick={() => void go()}>
          {busy ? t.bulk.doing : counted && possible === 0 ? t.bulk.nothing : words.go(possible)}
        </Button>
      </div>
    </Dialog>
  )
}
