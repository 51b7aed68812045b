/** Asks before many runs are changed: counts first what would happen, a page at a time, then does it, a page at a time. */
import type { ComponentChildren } from "preact"
import { useEffect, useState } from "preact/hooks"
import { isProblem } from "../api/problem.js"
import { t } from "../text/en.js"
import { Button } from "./controls.js"
import { Dialog } from "./Dialog.js"
import { Icon } from "./Icon.js"

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

/** Goes through all pages; `goesOn` is told after each and ends it with false. */
const through = async (take: TakePage, dryRun: boolean, goesOn: (tally: Tally) => boolean): Promise<Tally> => {
  let tally = nothing
  const next = async (cursor?: string): Promise<string | null> => {
    const page = await take(dryRun, cursor)
    tally = add(tally, page)
    return goesOn(tally) ? page.nextCursor : null
  }
  let cursor = await next()
  while (cursor !== null) cursor = await next(cursor)
  return tally
}

export interface ManyWords {
  readonly title: string
  readonly body: ComponentChildren
  readonly can: (value: number) => string
  readonly go: (value: number) => string
}

interface ConfirmManyProps {
  readonly words: ManyWords
  readonly kind: "primary" | "danger"
  readonly take: TakePage
  /** What is counted: another text counts again. */
  readonly what?: string
  readonly onClose: () => void
  readonly onDone: (done: number) => void
  /** Choices that decide what is counted. */
  readonly children?: ComponentChildren
}

export const ConfirmMany = ({ children, kind, onClose, onDone, take, what = "", words }: ConfirmManyProps) => {
  const [tally, setTally] = useState<Tally | null>(null)
  const [counted, setCounted] = useState(false)
  const [done, setDone] = useState<number | null>(null)
  const [trouble, setTrouble] = useState<string | null>(null)
  const fail = (error: unknown): void => setTrouble(isProblem(error) ? error.message : String(error))

  useEffect(() => {
    let here = true
    setTally(null)
    setCounted(false)
    setTrouble(null)
    through(take, true, (sofar) => {
      if (here) setTally(sofar)
      return here
    }).then(() => here && setCounted(true), (error) => here && fail(error))
    return () => {
      here = false
    }
  }, [what])

  const go = async (): Promise<void> => {
    setDone(0)
    setTrouble(null)
    try {
      const result = await through(take, false, (sofar) => {
        setDone(sofar.done)
        return true
      })
      onDone(result.done)
      onClose()
    } catch (error) {
      fail(error)
      setDone(null)
    }
  }

  const possible = tally?.done ?? 0
  return (
    <Dialog title={words.title} onClose={onClose} binding={done !== null}>
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
      {trouble === null ? null : <p class="trouble" role="alert">{t.run.actionFailed(trouble)}</p>}
      <div class="actions">
        <Button onClick={onClose} disabled={done !== null}>{t.bulk.keep}</Button>
        <Button kind={kind} disabled={!counted || possible === 0 || done !== null} onClick={() => void go()}>
          {done !== null ? t.bulk.progress(done) : counted && possible === 0 ? t.bulk.nothing : words.go(possible)}
        </Button>
      </div>
    </Dialog>
  )
}
