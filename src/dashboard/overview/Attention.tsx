/** What needs somebody: open errors, runs that wait too long, late schedules, silent instances. Or that nothing does. */
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import type { ErrorGroup, Instance, Overview } from "../api/types.js"
import { now } from "../clock.js"
import { titleOf } from "../dead/GroupRow.js"
import { RetryGroup } from "../dead/RetryDialogs.js"
import { useAnswer } from "../live/useAnswer.js"
import { href } from "../location.js"
import { may } from "../session.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Button } from "../ui/controls.js"
import { Icon } from "../ui/Icon.js"
import { useSteady } from "../ui/steady.js"
import { type Need, needsOf } from "./needs.js"

const shown = 5

const Group = ({ group, onRetry }: { readonly group: ErrorGroup; readonly onRetry: (group: ErrorGroup) => void }) => {
  const { count, dismissed, fingerprint, firstSeenAt, lastSeenAt, sample, taskName } = group
  const runs = href("runs", { q: `group:${fingerprint}`, since: "all" })
  return (
    <li data-group={fingerprint}>
      <div class="need">
        <a class="what" href={runs}>{sample.name || t.dead.unnamed}: {sample.message || t.dead.noMessage}</a>
        <span class="under">
          <b>{taskName}</b> {t.overview.firstSeen(format.nearTime(Date.parse(firstSeenAt), now.value, utc.value))} ·
          {" "}
          {t.overview.lastSeen(format.age(now.value - Date.parse(lastSeenAt)))}
        </span>
      </div>
      <a class="tally" href={runs} title={t.dead.showRuns(count - dismissed)}>{format.count(count - dismissed)}</a>
      <Button
        small
        label={t.dead.retryOf(titleOf(group))}
        disabled={!may("retry")}
        title={may("retry") ? undefined : t.run.may("retry")}
        onClick={() => onRetry(group)}
      >
        {t.dead.retry}
      </Button>
    </li>
  )
}

const wordsOf = (
  need: Need,
  pending: string
): { readonly what: string; readonly under: string; readonly to: string } => {
  const ago = (at: number): string => format.age(now.value - at)
  switch (need.kind) {
    case "waiting":
      return {
        what: t.overview.waiting(ago(need.since)),
        under: `${need.taskName} · ${t.overview.waitingNote(pending)}`,
        to: href("runs", { status: "pending", since: "all", sort: "-wait" })
      }
    case "late":
      return {
        what: t.overview.lateSchedule(need.name),
        under: `${need.taskName} · ${t.overview.lateBy(ago(need.slot))}`,
        to: href("schedules", { open: need.name })
      }
    case "silent":
      return {
        what: t.overview.silent(need.host),
        under: `${need.instance.slice(0, 8)} · ${t.overview.silentFor(ago(need.beatAt))}`,
        to: href("instances")
      }
  }
}

const Other = ({ need, pending }: { readonly need: Need; readonly pending: string }) => {
  const { to, under, what } = wordsOf(need, pending)
  return (
    <li data-need={need.kind}>
      <Icon name="warning" />
      <div class="need">
        <a class="what" href={to}>{what}</a>
        <span class="under">{under}</span>
      </div>
      <a class="btn sm" href={to} aria-label={t.overview.showWhat(what)}>{t.overview.show}</a>
    </li>
  )
}

interface AttentionProps {
  readonly overview: Overview
  readonly instances: ReadonlyArray<Instance>
}

const keyOf = ({ fingerprint }: ErrorGroup): string => fingerprint

export const Attention = ({ instances, overview }: AttentionProps) => {
  const answer = useAnswer("open errors", (signal) => endpoints.errorGroups({ limit: shown }, signal))
  const [retried, setRetried] = useState<ErrorGroup | null>(null)
  const { hold, rows } = useSteady(answer.value?.items ?? [], keyOf, "")
  const needs = needsOf(overview, instances, now.value)
  const more = overview.attention - rows.length
  const failed = answer.problem !== null && answer.problem.tag !== "Unauthorized"
  const pending = format.countAtLeast(overview.pending, overview.atLeast.includes("pending"))
  return (
    <section class="card ov-attention" aria-label={t.overview.attention} {...hold}>
      <div class="ov-head">
        <h2>{t.overview.attention}</h2>
        {rows.length === 0 ? null : <span class="dim">{t.overview.attentionNote}</span>}
        <span class="grow" />
        <a class="link" href={href("dead-letters")}>{t.sections.deadLetters}</a>
      </div>
      {failed
        ? <p class="ov-none stale">{t.overview.attentionFailed} {format.sentence(answer.problem.message)}</p>
        : null}
      {answer.value !== null && rows.length + needs.length === 0
        ? (
          <div class="ov-well">
            <Icon name="success" />
            <div>
              <p>{t.overview.nothing}</p>
              <p class="dim">{t.overview.nothingBody}</p>
            </div>
          </div>
        )
        : (
          <ul>
            {rows.map((group) => <Group key={group.fingerprint} group={group} onRetry={setRetried} />)}
            {more > 0 && rows.length === shown
              ? (
                <li>
                  <a class="link" href={href("dead-letters")}>
                    {t.overview.moreGroups(more, overview.attention >= 100)}
                  </a>
                </li>
              )
              : null}
            {needs.map((need, index) => <Other key={`${need.kind} ${index}`} need={need} pending={pending} />)}
          </ul>
        )}
      {retried === null
        ? null
        : <RetryGroup group={retried} onClose={() => setRetried(null)} onDone={answer.reload} />}
    </section>
  )
}
