/**
 * Batches under way and how they ended: on every page, above the short messages. Each can be undone until it begins and stopped
 * until it is over. What moves is not read out; that it began and how it ended is.
 */
import "./batches.css"
import { signal } from "@preact/signals"
import { useEffect, useRef, useState } from "preact/hooks"
import { isProblem } from "../api/problem.js"
import type { Batch } from "../api/types.js"
import * as clock from "../clock.js"
import { href } from "../location.js"
import { may, session } from "../session.js"
import { t } from "../text/en.js"
import { Button, IconButton } from "../ui/controls.js"
import { Icon } from "../ui/Icon.js"
import { toast } from "../ui/toasts.js"
import { isEnded, putAway, type Shown, shown, startNow, stop } from "./store.js"
import { announcementOf, lineOf, noteOf } from "./words.js"

/** They take little room: what runs long stands in nobody's way. */
const folded = signal(false)

/** Where the runs are that it was for: those that its filter shows, or those that it made. */
const runsOf = (batch: Batch): string | null => {
  const { action, done, endedAt, q, startsAt } = batch
  if (q !== null && !q.endsWith("…")) return href("runs", { q, since: "all" })
  if (action !== "retry" || done === 0 || endedAt === null) return null
  return href("runs", { from: startsAt, to: new Date(Date.parse(endedAt) + 1).toISOString() })
}

/** The button that had the focus may be gone with the state: it goes to one of the same batch. */
const useKeptFocus = (state: string) => {
  const ref = useRef<HTMLLIElement>(null)
  const acted = useRef(false)
  useEffect(() => {
    if (!acted.current) return
    acted.current = false
    if (document.activeElement === document.body) ref.current?.querySelector("button")?.focus()
  }, [state])
  return { ref, acted }
}

/** Puts one away. The button goes with it, so the focus goes to what is behind. */
const leave = (id: string): void => {
  document.getElementById("main")?.focus({ preventScroll: true })
  putAway(id)
}

const Progress = ({ batch }: { readonly batch: Batch }) => {
  const { done, skipped, total, totalIsFloor } = batch
  return totalIsFloor || total === 0
    ? <progress aria-label={t.batches.progress} />
    : <progress aria-label={t.batches.progress} max={total} value={Math.min(total, done + skipped)} />
}

const Item = ({ batch }: { readonly batch: Batch }) => {
  if (batch.state === "waiting") void clock.now.value
  const { action, id, state, who } = batch
  const { acted, ref } = useKeptFocus(`${state}${batch.stopRequested}`)
  const [busy, setBusy] = useState(false)
  const doing = (what: () => Promise<void>) => async (): Promise<void> => {
    acted.current = true
    setBusy(true)
    try {
      await what()
    } catch (error) {
      toast("bad", t.run.actionFailed(isProblem(error) ? error.message : String(error)))
    }
    setBusy(false)
  }
  const refused = may(action) ? undefined : t.run.may(action)
  const line = lineOf(batch, clock.serverNow())
  const note = noteOf(batch)
  const runs = isEnded(batch) ? runsOf(batch) : null
  const isOther = who !== session.value?.user
  const tone = state === "failed" ? "bad" : state === "stopped" ? "warn" : isEnded(batch) ? "good" : "busy"
  return (
    <li ref={ref} class={`batch ${tone}`} data-batch={id}>
      <div class="batch-words">
        <b>{line}</b>
        {isOther ? <span class="dim">{t.batches.by(who)}</span> : null}
        {note === null ? null : <span class="dim">{note}</span>}
      </div>
      <div class="batch-actions">
        {state === "waiting"
          ? (
            <>
              <Button
                small
                disabled={refused !== undefined || busy}
                title={refused}
                onClick={() => void doing(() => stop(id))()}
              >
                {t.batches.undo}
              </Button>
              <Button
                small
                kind="quiet"
                disabled={refused !== undefined || busy}
                title={refused}
                onClick={() => void doing(() => startNow(id))()}
              >
                {t.batches.startNow}
              </Button>
            </>
          )
          : state === "running"
          ? (
            <>
              <Button
                small
                disabled={refused !== undefined || busy || batch.stopRequested}
                title={refused}
                onClick={() => void doing(() => stop(id))()}
              >
                {t.batches.stop}
              </Button>
              <IconButton
                icon="chevron"
                label={t.batches.fold}
                small
                kind="quiet"
                onClick={() => (folded.value = true)}
              />
            </>
          )
          : null}
        {runs === null ? null : <a class="link" href={runs}>{t.batches.show}</a>}
        {isEnded(batch)
          ? <IconButton icon="close" label={t.batches.putAway} small kind="quiet" onClick={() => leave(id)} />
          : null}
      </div>
      {state === "running" ? <Progress batch={batch} /> : null}
    </li>
  )
}

const Lost = ({ id }: { readonly id: string }) => (
  <li class="batch warn" data-batch={id}>
    <div class="batch-words">
      <b>{t.batches.lost}</b>
      <span class="dim">{t.batches.lostWhy}</span>
    </div>
    <div class="batch-actions">
      {may("audit") ? <a class="link" href={href("audit", { target: id })}>{t.batches.audit}</a> : null}
      <IconButton icon="close" label={t.batches.putAway} small kind="quiet" onClick={() => leave(id)} />
    </div>
  </li>
)

const textOf = ({ batch, isLost }: Shown): string => batch === null || isLost ? t.batches.lost : announcementOf(batch)

/** The latest that is new, for those who do not see it. */
const Announcements = ({ all }: { readonly all: ReadonlyArray<Shown> }) => {
  const said = useRef(new Map<string, string>())
  const [text, setText] = useState("")
  useEffect(() => {
    for (const one of all) {
      const next = textOf(one)
      if (said.current.get(one.id) === next) continue
      said.current.set(one.id, next)
      setText(next)
    }
  }, [all])
  return <p class="sr" role="status">{text}</p>
}

/** All of them as one button, for what takes long. */
const Folded = ({ all }: { readonly all: ReadonlyArray<Shown> }) => {
  const ref = useRef<HTMLButtonElement>(null)
  useEffect(() => ref.current?.focus(), [])
  const [first] = all
  const batch = first?.batch ?? null
  return (
    <button
      ref={ref}
      type="button"
      class="btn batches-folded"
      aria-expanded={false}
      onClick={() => (folded.value = false)}
    >
      <Icon name="running" size={14} />
      {all.length > 1 || batch === null ? t.batches.many(all.length) : lineOf(batch, clock.serverNow())}
    </button>
  )
}

export const Tray = () => {
  const all = shown.value
  const isFolded = folded.value && all.some(({ batch }) => batch?.state === "running")
  // What begins or ended while it was folded is seen again.
  useEffect(() => {
    if (!isFolded) folded.value = false
  }, [isFolded])
  return (
    <section class="batches" aria-label={t.batches.title}>
      {isFolded
        ? <Folded all={all} />
        : (
          <ul>
            {all.map(({ batch, id, isLost }) =>
              batch === null || isLost ? <Lost key={id} id={id} /> : <Item key={id} batch={batch} />
            )}
          </ul>
        )}
      <Announcements all={all} />
    </section>
  )
}
