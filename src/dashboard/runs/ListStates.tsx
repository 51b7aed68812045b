/** What is shown where rows would be: loading, nothing yet, nothing that fits, and that it went wrong are four different things. */
import { useEffect, useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import type { ApiProblem } from "../api/problem.js"
import { isLive } from "../live/store.js"
import { href, setParams } from "../location.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Blank } from "../ui/Blank.js"
import { Button } from "../ui/controls.js"
import { copy } from "../ui/copy.js"
import { asked, query, reload } from "./list.js"
import { isNarrowed, type RunsQuery, textOf } from "./query.js"
import { chipsOf, joined, problemOf } from "./terms.js"

/** With the geometry of what comes, and only when it does not come at once. */
export const Skeleton = ({ rows = 12 }: { readonly rows?: number }) => {
  const [shown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 150)
    return () => clearTimeout(timer)
  }, [])
  if (!shown) {
    return (
      <div class="skeleton" role="status">
        <span class="sr">{t.loading}</span>
      </div>
    )
  }
  return (
    <div class="skeleton" role="status">
      <span class="sr">{t.loading}</span>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} aria-hidden="true">
          <i class="s" />
          <i class="m" />
          <i class={index % 3 === 0 ? "l" : "xl"} />
          <i class="e" />
        </div>
      ))}
    </div>
  )
}

interface Without {
  readonly label: string
  readonly total: number
  readonly isFloor: boolean
  readonly remove: () => void
}

const withoutTerm = ({ q, ...query }: RunsQuery, index: number): RunsQuery => ({
  ...query,
  q: joined((chipsOf(q)?.terms ?? []).filter((_, other) => other !== index))
})

const isBounded = ({ from, to, window }: RunsQuery): boolean => from !== null || to !== null || window !== "all"

/** The part of the filter that hides most: without it the most runs fit. */
const useWorst = (): Without | null => {
  const [worst, setWorst] = useState<Without | null>(null)
  const key = asked.value
  useEffect(() => {
    let here = true
    const now = query.peek()
    const parts = [
      ...(chipsOf(now.q)?.terms ?? []).map((term, index) => ({
        label: term,
        query: withoutTerm(now, index),
        remove: () => setParams({ q: withoutTerm(now, index).q })
      })),
      ...now.status === null ? [] : [{
        label: `status:${now.status}`,
        query: { ...now, status: null },
        remove: () => setParams({ status: null })
      }],
      // Alone it is what "all time" is offered for.
      ...isNarrowed(now) && isBounded(now)
        ? [{
          label: now.from === null && now.to === null ? t.filter.windows[now.window].toLowerCase() : t.filter.chosen,
          query: { ...now, from: null, to: null, window: "all" as const },
          remove: () => setParams({ since: "all", from: null, to: null })
        }]
        : []
    ].slice(-7)
    void Promise.all(parts.map(async ({ label, query, remove }) => {
      const page = await endpoints.listRuns({ q: textOf(query), limit: 1 }).catch(() => null)
      return { label, remove, total: page?.total ?? 0, isFloor: page?.totalIsFloor ?? false }
    })).then((all) => {
      if (here) setWorst(all.filter(({ total }) => total > 0).sort((a, b) => b.total - a.total)[0] ?? null)
    })
    return () => {
      here = false
    }
  }, [key])
  return worst
}

const Filtered = () => {
  const worst = useWorst()
  return (
    <Blank
      title={t.states.filtered}
      actions={
        <>
          {worst === null ? null : <Button onClick={worst.remove}>{t.states.removeThat}</Button>}
          {isBounded(query.value) && worst === null
            ? <Button onClick={() => setParams({ since: "all", from: null, to: null })}>{t.states.allTime}</Button>
            : null}
          {isNarrowed(query.value)
            ? <Button kind="quiet" onClick={() => setParams({ q: null, status: null })}>{t.states.clearAll}</Button>
            : null}
        </>
      }
    >
      {worst === null ? <p>{t.states.filteredBody(asked.value.q)}</p> : (
        <p>
          {t.states.filteredWithout(worst.total, worst.isFloor)}
          <b>{worst.label}</b>.
        </p>
      )}
    </Blank>
  )
}

const Nothing = () => {
  const [tasks, setTasks] = useState(0)
  useEffect(() => {
    const asking = new AbortController()
    endpoints.definitions(asking.signal).then(({ items }) => setTasks(items.length), () => {})
    return () => asking.abort()
  }, [])
  return (
    <Blank title={t.states.empty}>
      <p>{t.states.emptyBody}</p>
      <code class="code">{t.states.emptyCode}</code>
      {tasks === 0 ? null : (
        <p>
          <a class="link" href={href("tasks")}>{t.states.registered(tasks)}</a>
        </p>
      )}
    </Blank>
  )
}

/** No rows: because there are none at all, or because none fits. */
export const Empty = () => {
  const { window } = query.value
  return asked.value.q === "" && window === "all" ? <Nothing /> : <MaybeNothing />
}

// A window of time alone hides nothing where there is nothing.
const MaybeNothing = () => {
  const [none, setNone] = useState<boolean | null>(null)
  useEffect(() => {
    let here = true
    endpoints.listRuns({ limit: 1 }).then(
      ({ items }) => here && setNone(items.length === 0),
      () => here && setNone(false)
    )
    return () => {
      here = false
    }
  }, [])
  return none === null ? null : none ? <Nothing /> : <Filtered />
}

export const Failed = ({ problem }: { readonly problem: ApiProblem }) => {
  const isFilter = problem.tag === "TaskFilterError"
  return (
    <Blank
      alert
      title={isFilter ? t.states.badFilter : t.states.failed}
      actions={
        <>
          {isFilter
            ? <Button onClick={() => setParams({ q: null })}>{t.states.clearAll}</Button>
            : <Button onClick={() => void reload()}>{t.states.tryAgain}</Button>}
          <Button
            kind="quiet"
            onClick={() =>
              void copy(
                JSON.stringify(
                  { tag: problem.tag, status: problem.status, message: problem.message, ...asked.peek() },
                  null,
                  2
                )
              )}
          >
            {t.states.copyDetails}
          </Button>
        </>
      }
    >
      <p>
        {format.sentence(isFilter ? problemOf(query.value.q) ?? problem.message : problem.message)}
        {!isFilter && isLive.value ? ` ${t.states.failedLive}` : ""}
      </p>
    </Blank>
  )
}
