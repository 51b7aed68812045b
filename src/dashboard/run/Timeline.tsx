/** The attempts of a run on one scale of time. */
import { signal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import type { Attempt } from "../api/types.js"
import type { RunDetail } from "../api/types.js"
import { isEnded } from "../api/types.js"
import { now } from "../clock.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { timelineOf } from "./lanes.js"

const percent = (share: number): string => `${(share * 100).toFixed(2)}%`

const toneOf = (attempt: Attempt | null): string => {
  switch (attempt?.outcome) {
    case "success":
      return "ok"
    case "running":
      return "now"
    case "failed":
    case "interrupted":
      return "bad"
    default:
      return "off"
  }
}

/** The attempt that somebody asked for: it is brought into view. */
export const shownAttempt = signal<number | null>(null)

interface TimelineProps {
  readonly run: RunDetail
  readonly attempts: ReadonlyArray<Attempt>
  readonly onAttempt: (attempt: number) => void
}

export const Timeline = ({ attempts, onAttempt, run }: TimelineProps) => {
  const { collapsed, lanes, ticks, total, waiting } = timelineOf(run, attempts, isEnded(run) ? 0 : now.value)
  const list = useRef<HTMLOListElement>(null)
  const wanted = shownAttempt.value
  useEffect(() => {
    const button = list.current?.querySelector<HTMLElement>(`[data-attempt="${wanted}"]`)
    if (wanted === null || button === null || button === undefined) return
    shownAttempt.value = null
    button.scrollIntoView({ block: "center" })
    button.focus({ preventScroll: true })
  }, [wanted, attempts.length])
  return (
    <section class="sec">
      <div class="sec-head">
        <h3>{t.run.timeline}</h3>
        <span class="dim">{t.run.attemptsOf(attempts.length)}</span>
        <span class="grow" />
        <span class="dim">
          {t.run.total(format.duration(total))} · {t.run.waiting(format.duration(waiting))}
          {collapsed ? `, ${t.run.shortened}` : ""}
        </span>
      </div>
      <ol ref={list} class={collapsed ? "timeline uneven" : "timeline"}>
        {lanes.map(({ attempt, bars, took }) => (
          <li key={attempt?.attempt ?? 0}>
            {attempt === null ?
              <span class="what">{t.run.queued}</span> :
              (
                <button
                  type="button"
                  class="what"
                  data-attempt={attempt.attempt}
                  onClick={() => onAttempt(attempt.attempt)}
                  title={attempt.error ?? undefined}
                >
                  {t.run.attempt(attempt.attempt)}
                </button>
              )}
            <span class="lane" aria-hidden="true">
              {bars.map(({ from, kind, to }) => (
                <i
                  key={kind}
                  class={`b ${kind} ${kind === "attempt" ? toneOf(attempt) : ""}`}
                  style={{ insetInlineStart: percent(from), width: `max(3px, ${percent(to - from)})` }}
                />
              ))}
            </span>
            <span class="took">{format.duration(took)}</span>
            {attempt === null ? null : <span class="sr">{attempt.outcome}</span>}
          </li>
        ))}
      </ol>
      <div class="axis" aria-hidden="true">
        {ticks.map(({ at, millis }, index) => (
          <span
            key={index}
            class={at > 0.9 ? "last" : at < 0.05 ? "first" : ""}
            style={{ insetInlineStart: percent(at) }}
          >
            {millis === 0 ? "0" : format.duration(millis)}
          </span>
        ))}
      </div>
    </section>
  )
}
