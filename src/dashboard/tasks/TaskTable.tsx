/** Tasks as a table: how each is defined, and how its runs of the last day did. */
import type { Definition } from "../api/types.js"
import { href, setParams } from "../location.js"
import { may } from "../session.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Button } from "../ui/controls.js"
import { Icon } from "../ui/Icon.js"
import { CurlItem, MoreMenu } from "../ui/MoreMenu.js"
import { factsOf } from "./facts.js"
import { endedOf, failuresOf, next, type Sort, type SortKey, textOf } from "./order.js"
import { taskPath, termOf } from "./term.js"

const span = (millis: number | null): string => millis === null ? t.tasks.none : format.duration(millis)

const runsOf = (task: Definition, status: string | null = null): string =>
  href("runs", { q: termOf(task.taskName), status, since: status === null ? null : "all" })

const Name = ({ task }: { readonly task: Definition }) => (
  <th scope="row" class="c-name">
    <span class="line">
      <a class="what" href={href(taskPath(task.taskName))}>{task.taskName}</a>
      {task.paused ? <span class="env paused">{t.tasks.paused}</span> : null}
      {task.schedules.length === 0
        ? null
        : (
          <span class="mark-icon" title={t.tasks.scheduledBy(task.schedules)}>
            <Icon name="clock" size={14} />
            <span class="sr">{t.tasks.scheduledBy(task.schedules)}</span>
          </span>
        )}
    </span>
    {task.definition === null ? null : <span class="under">{factsOf(task.definition).join(" · ")}</span>}
  </th>
)

/** What succeeded of what ended, as a number and as a bar whose rest is what failed. */
const Success = ({ task }: { readonly task: Definition }) => {
  const { successRate } = task.last24h
  if (successRate === null) return <>{t.tasks.none}</>
  return (
    <span class="took">
      <span>{format.share(successRate)}</span>
      <span class="bar rate-bar" aria-hidden="true">
        <i style={{ width: `${successRate * 100}%` }} />
        <i class="bad" style={{ width: `${failuresOf(task) / endedOf(task) * 100}%` }} />
      </span>
    </span>
  )
}

const Instances = ({ task: { instances } }: { readonly task: Definition }) =>
  instances.length === 0
    ? <span title={t.tasks.noInstances}>{t.tasks.none}</span>
    : <span title={instances.join(", ")}>{format.count(instances.length)}</span>

export interface TaskActions {
  readonly onPause: (task: Definition) => void
  readonly onResume: (task: Definition) => void
}

const Pausing = ({ onPause, onResume, task }: TaskActions & { readonly task: Definition }) => (
  <Button
    small
    label={task.paused ? t.tasks.resumeOf(task.taskName) : t.tasks.pauseOf(task.taskName)}
    disabled={!may("pause")}
    title={may("pause") ? undefined : t.run.may("pause")}
    onClick={() => task.paused ? onResume(task) : onPause(task)}
  >
    {task.paused ? t.tasks.resume : t.tasks.pause}
  </Button>
)

const Row = ({ task, ...actions }: TaskActions & { readonly task: Definition }) => {
  const failures = failuresOf(task)
  const number = (value: number, status: string) =>
    value === 0 ? "0" : <a class="tally" href={runsOf(task, status)}>{format.count(value)}</a>
  return (
    <tr data-task={task.taskName}>
      <Name task={task} />
      <td class="c-num end" data-label={t.tasks.waiting}>{number(task.pending, "pending")}</td>
      <td class="c-num end" data-label={t.tasks.running}>{number(task.running, "running")}</td>
      <td class="c-num end" data-label={t.tasks.ended}>{format.count(endedOf(task))}</td>
      <td class="c-num end" data-label={t.tasks.failed}>
        {failures === 0
          ? "0"
          : (
            <a
              class="tally bad"
              href={href("dead-letters", { task: task.taskName })}
              title={t.tasks.showFailures(failures, task.taskName)}
            >
              {format.count(failures)}
            </a>
          )}
      </td>
      <td class="c-rate end" data-label={t.tasks.success}>
        <Success task={task} />
      </td>
      <td class="c-num c-p50 end" data-label={t.tasks.p50}>{span(task.last24h.p50Duration)}</td>
      <td class="c-num end" data-label={t.tasks.p95}>{span(task.last24h.p95Duration)}</td>
      <td class="c-at end" data-label={t.tasks.instances}>
        <Instances task={task} />
      </td>
      <td class="c-do end">
        <span class="row-actions">
          <Pausing task={task} {...actions} />
          <MoreMenu of={task.taskName}>
            <CurlItem label={t.curl.pause} path={`definitions/${encodeURIComponent(task.taskName)}/pause`} />
            <CurlItem label={t.curl.resume} path={`definitions/${encodeURIComponent(task.taskName)}/resume`} />
          </MoreMenu>
        </span>
      </td>
    </tr>
  )
}

const heads: ReadonlyArray<readonly [SortKey, string, string]> = [
  ["name", t.tasks.name, "c-name"],
  ["waiting", t.tasks.waiting, "c-num end"],
  ["running", t.tasks.running, "c-num end"],
  ["ended", t.tasks.ended, "c-num end"],
  ["failed", t.tasks.failed, "c-num end"],
  ["success", t.tasks.success, "c-rate end"],
  ["p50", t.tasks.p50, "c-num c-p50 end"],
  ["p95", t.tasks.p95, "c-num end"]
]

const Heads = ({ sort }: { readonly sort: Sort }) => (
  <tr>
    {heads.map(([key, label, kind]) => (
      <th
        key={key}
        scope="col"
        class={kind}
        aria-sort={sort.key === key ? (sort.descending ? "descending" : "ascending") : undefined}
      >
        <button type="button" onClick={() => setParams({ sort: textOf(next(sort, key)) })}>
          {label}
          {sort.key === key ? <Icon name={sort.descending ? "down" : "up"} size={12} /> : null}
        </button>
      </th>
    ))}
    <th scope="col" class="c-at end">{t.tasks.instances}</th>
    <th scope="col" class="c-do end">
      <span class="sr">{t.tasks.actions}</span>
    </th>
  </tr>
)

interface TaskTableProps extends TaskActions {
  readonly caption: string
  /** It is said before the table, for all to see. */
  readonly note?: string
  readonly sort: Sort
  readonly tasks: ReadonlyArray<Definition>
}

export const TaskTable = ({ caption, note, sort, tasks, ...actions }: TaskTableProps) => (
  <section class="card">
    {note === undefined ? null : (
      <div class="card-head">
        <h2>{caption}</h2>
        <p class="dim">{note}</p>
      </div>
    )}
    <table class="plain task-table">
      <caption class="sr">{caption}</caption>
      <thead>
        <Heads sort={sort} />
      </thead>
      <tbody>
        {tasks.map((task) => <Row key={task.taskName} task={task} {...actions} />)}
      </tbody>
    </table>
  </section>
)
