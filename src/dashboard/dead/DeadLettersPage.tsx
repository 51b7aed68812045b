/** The page of dead letters: failed runs as the few errors that they are, to be looked at, retried or dismissed. */
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import { isProblem } from "../api/problem.js"
import type { ErrorGroup } from "../api/types.js"
import { live } from "../live/store.js"
import { useAnswer } from "../live/useAnswer.js"
import { href, param, setParams } from "../location.js"
import { Skeleton } from "../runs/ListStates.js"
import { may } from "../session.js"
import { useKeys } from "../shell/keyboard.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Blank } from "../ui/Blank.js"
import { Button } from "../ui/controls.js"
import { LoadFailed } from "../ui/LoadFailed.js"
import { stepRow } from "../ui/rows.js"
import { Segments } from "../ui/Segments.js"
import { useSteady } from "../ui/steady.js"
import { toast } from "../ui/toasts.js"
import { GroupRow } from "./GroupRow.js"
import { type DeadQuery, isNarrowed, orders, paramsOf, queryOf, windows } from "./query.js"
import { RetryGroup, RetryWindow } from "./RetryDialogs.js"

const pageSize = 100

interface Groups {
  readonly items: ReadonlyArray<ErrorGroup>
  readonly hasMore: boolean
}

/** So many pages, one behind the other. */
const read = async (query: DeadQuery, pages: number, signal: AbortSignal): Promise<Groups> => {
  const items: Array<ErrorGroup> = []
  let cursor: string | null = null
  for (let page = 0; page < pages; page += 1) {
    const answer: Awaited<ReturnType<typeof endpoints.errorGroups>> = await endpoints.errorGroups(
      { ...paramsOf(query), limit: pageSize, cursor: cursor ?? undefined },
      signal
    )
    items.push(...answer.items)
    cursor = answer.nextCursor
    if (cursor === null) break
  }
  return { items, hasMore: cursor !== null }
}

const keyOf = ({ fingerprint }: ErrorGroup): string => fingerprint

const Head = ({ onRetry, query }: { readonly query: DeadQuery; readonly onRetry: () => void }) => {
  const { failed = 0, interrupted = 0 } = live.value.counts?.c ?? {}
  const runs = (status: string): string => href("runs", { status, since: "all" })
  return (
    <div class="page-head">
      <h1>{t.sections.deadLetters}</h1>
      <p class="dim">
        <a class="link quiet" href={runs("failed")}>{t.dead.failedRuns(failed)}</a>
        {interrupted === 0 ? null : (
          <>
            {" · "}
            <a class="link quiet" href={runs("interrupted")}>{t.dead.interrupted(interrupted)}</a>
          </>
        )}
      </p>
      <span class="grow" />
      <Button
        icon="retrying"
        disabled={!may("retry")}
        title={may("retry") ? undefined : t.run.may("retry")}
        onClick={onRetry}
      >
        {query.task === null ? t.dead.window : t.dead.windowOf(query.task)}
      </Button>
    </div>
  )
}

const Choices = ({ query }: { readonly query: DeadQuery }) => (
  <div class="page-bar">
    <Segments
      label={t.dead.which}
      choices={[["open", t.dead.open], ["dismissed", t.dead.dismissed]]}
      at={query.dismissed ? "dismissed" : "open"}
      onChoose={(which) => setParams({ show: which === "open" ? null : which })}
    />
    <Segments
      label={t.dead.seen}
      choices={windows.map((one) => [one, t.dead.windows[one]])}
      at={query.window}
      onChoose={(window) => setParams({ since: window === "all" ? null : window })}
    />
    <Segments
      label={t.dead.sort}
      choices={orders.map((one) => [one, t.dead.sorts[one]])}
      at={query.order}
      onChoose={(order) => setParams({ sort: order === "lastSeen" ? null : order })}
    />
    {query.task === null ?
      null :
      (
        <Button icon="close" title={t.dead.everyTask} onClick={() => setParams({ task: null })}>
          {t.dead.of(query.task)}
        </Button>
      )}
  </div>
)

const Empty = ({ query }: { readonly query: DeadQuery }) => {
  if (isNarrowed(query)) {
    return (
      <Blank
        title={t.dead.filtered}
        actions={<Button onClick={() => setParams({ since: null, task: null })}>{t.states.clearAll}</Button>}
      >
        <p>{t.dead.filteredBody(query.window === "all" ? null : t.dead.windows[query.window], query.task)}</p>
      </Blank>
    )
  }
  if (query.dismissed) {
    return (
      <Blank title={t.dead.emptyDismissed}>
        <p>{t.dead.emptyDismissedBody}</p>
      </Blank>
    )
  }
  const hasFailed = (live.value.counts?.c["failed"] ?? 0) > 0
  return (
    <Blank
      title={hasFailed ? t.dead.emptyOpen : t.dead.empty}
      actions={hasFailed
        ? <Button onClick={() => setParams({ show: "dismissed" })}>{t.dead.showDismissed}</Button>
        : undefined}
    >
      <p>{hasFailed ? t.dead.emptyOpenBody : t.dead.emptyBody}</p>
    </Blank>
  )
}

export const DeadLettersPage = () => {
  const query = queryOf(param)
  const [pages, setPages] = useState(1)
  const [group, setGroup] = useState<ErrorGroup | null>(null)
  const [replaying, setReplaying] = useState(false)
  const question = JSON.stringify(query)
  const answer = useAnswer(`${question} ${pages}`, (signal) => read(query, pages, signal))
  const { hold, rows } = useSteady(answer.value?.items ?? [], keyOf, question)

  const dismiss = async (one: ErrorGroup): Promise<void> => {
    try {
      await endpoints.dismissGroup(one.fingerprint)
      toast("good", t.dead.dismissedToast)
    } catch (error) {
      toast("bad", t.run.actionFailed(isProblem(error) ? error.message : String(error)))
    }
    answer.reload()
  }

  const atFocus = (): ErrorGroup | undefined => {
    const key = document.activeElement?.closest<HTMLElement>("[data-group]")?.dataset["group"]
    return rows.find(({ fingerprint }) => fingerprint === key)
  }
  useKeys({
    j: () => stepRow("[data-group]", 1),
    k: () => stepRow("[data-group]", -1),
    ArrowDown: () => stepRow("[data-group]", 1),
    ArrowUp: () => stepRow("[data-group]", -1),
    r: () => {
      if (may("retry")) setGroup(atFocus() ?? null)
    }
  })

  const isStale = answer.problem !== null && answer.problem.tag !== "Unauthorized"
  return (
    <div class="page">
      {answer.busy && answer.value !== null && answer.isOfAnother ? <div class="progress" /> : null}
      <Head query={query} onRetry={() => setReplaying(true)} />
      <Choices query={query} />
      {isStale && (answer.value === null || answer.isOfAnother)
        ? <LoadFailed title={t.dead.failed} problem={answer.problem} onRetry={answer.reload} />
        : answer.value === null
        ? <Skeleton rows={6} />
        : rows.length === 0
        ? <Empty query={query} />
        : (
          <>
            <div class="card" {...hold}>
              <table class="plain groups" aria-busy={answer.busy}>
                <caption class="sr">{t.dead.caption}</caption>
                <thead>
                  <tr>
                    <th scope="col" class="c-error">{t.dead.error}</th>
                    <th scope="col" class="c-of">{t.dead.task}</th>
                    <th scope="col" class="c-count end">{t.dead.runs}</th>
                    <th scope="col" class="c-first end">{t.dead.first}</th>
                    <th scope="col" class="c-last end">{t.dead.last}</th>
                    <th scope="col" class="c-do end">
                      <span class="sr">{t.dead.actions}</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map((one) => (
                    <GroupRow
                      key={one.fingerprint}
                      group={one}
                      onRetry={setGroup}
                      onDismiss={(which) => void dismiss(which)}
                    />
                  ))}
                </tbody>
              </table>
            </div>
            <p class="page-foot dim" role="status">
              {t.dead.groups(format.countAtLeast(rows.length, answer.value.hasMore), rows.length)}
              {isStale ? ` · ${t.list.notUpdated}: ${answer.problem?.message}` : ""}
              {answer.value.hasMore
                ? <Button small onClick={() => setPages(pages + 1)}>{t.dead.more}</Button>
                : null}
            </p>
          </>
        )}
      {group === null ? null : <RetryGroup group={group} onClose={() => setGroup(null)} onDone={answer.reload} />}
      {replaying
        ? (
          <RetryWindow
            window={query.window}
            task={query.task}
            onClose={() => setReplaying(false)}
            onDone={answer.reload}
          />
        )
        : null}
    </div>
  )
}
