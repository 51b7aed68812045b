/** What goes wrong with a task, its recent runs, and the schedules that enqueue it. */
import type { ComponentChildren } from "preact"
import * as endpoints from "../api/endpoints.js"
import { type ErrorGroup, type Run, type Schedule, shownStatus } from "../api/types.js"
import { href } from "../location.js"
import { runPath } from "../route.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { words } from "../text/task.js"
import { Status } from "../ui/controls.js"
import { usePolled } from "../ui/polled.js"
import { Age, Moment } from "../ui/Time.js"
import { termOf } from "./term.js"

const shownGroups = 5
const shownSchedules = 10

interface ListProps {
  readonly title: string
  readonly link: string
  readonly to: string
  /** Said where there are none. */
  readonly none: string
  readonly children: ReadonlyArray<ComponentChildren>
}

const List = ({ children, link, none, title, to }: ListProps) => (
  <section class="card">
    <div class="card-head">
      <h2>{title}</h2>
      <span class="grow" />
      <a class="link" href={to}>{link}</a>
    </div>
    {children.length === 0 ? <p class="nothing dim">{none}</p> : <ul class="entries">{children}</ul>}
  </section>
)

const Group = ({ group: { count, fingerprint, lastSeenAt, sample } }: { readonly group: ErrorGroup }) => (
  <li>
    <span class="entry">
      <a class="what" href={href("runs", { q: `group:${fingerprint}`, since: "all" })}>
        <b>{sample.name || t.dead.unnamed}</b> {sample.message || t.dead.noMessage}
      </a>
      <span class="under">
        <span>
          {words.lastSeen} <Age at={lastSeenAt} ago />
        </span>
        {sample.frame === null ? null : <span class="mono">{sample.frame}</span>}
      </span>
    </span>
    <b class="many">{format.count(count)}</b>
  </li>
)

export const TaskErrors = ({ name }: { readonly name: string }) => {
  const { problem, value } = usePolled(
    name,
    (signal) => endpoints.errorGroups({ task: name, sort: "count", limit: shownGroups }, signal),
    10_000
  )
  return (
    <List
      title={words.errors}
      link={words.toDead}
      to={href("dead-letters", { task: name })}
      none={value !== null ? words.errorsNone : problem === null ? "" : format.sentence(problem.message)}
    >
      {(value?.items ?? []).map((group) => <Group key={group.fingerprint} group={group} />)}
    </List>
  )
}

export const RecentRuns = ({ name, runs }: { readonly name: string; readonly runs: ReadonlyArray<Run> }) => (
  <List
    title={words.recent}
    link={words.allRuns}
    to={href("runs", { q: termOf(name), since: "all" })}
    none={words.recentNone}
  >
    {runs.map((run) => (
      <li key={run.taskId} data-recent={run.taskId}>
        <Status status={shownStatus(run)} />
        <a class="link mono" href={href(runPath(run.taskId))}>{run.taskId.slice(-8)}</a>
        <span class="grow one-line dim">{run.error ?? ""}</span>
        <span>{run.duration === null ? t.run.none : format.duration(run.duration)}</span>
        <span class="dim age">
          <Age at={run.createdAt} />
        </span>
      </li>
    ))}
  </List>
)

const readSchedules = (names: ReadonlyArray<string>, signal: AbortSignal): Promise<ReadonlyArray<Schedule>> =>
  Promise.all(
    // One that was removed meanwhile is left out.
    names.slice(0, shownSchedules).map((name) => endpoints.schedule(name, signal).catch(() => null))
  ).then((found) => found.flatMap((one) => one ?? []))

export const TaskSchedules = ({ names }: { readonly names: ReadonlyArray<string> }) => {
  const { value } = usePolled(names.join("\n"), (signal) => readSchedules(names, signal), 30_000)
  return (
    <List title={words.schedules} link={words.toSchedules} to={href("schedules")} none="">
      {(value ?? []).map(({ lastStatus, name, nextSlot, pausedAt, when }) => (
        <li key={name}>
          <span class="entry">
            <b class="one-line">{name}</b>
            <span class="under">{when ?? t.run.none}</span>
          </span>
          {lastStatus === null ? null : <Status status={lastStatus} />}
          <span class="dim">
            {pausedAt !== null
              ? words.pausedMark
              : nextSlot === null
              ? words.noNext
              : (
                <>
                  {words.next} <Moment at={nextSlot} />
                </>
              )}
          </span>
        </li>
      ))}
    </List>
  )
}
