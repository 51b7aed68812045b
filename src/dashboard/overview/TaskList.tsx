/** Task names by failures: what became of their runs within the window. */
import type { Overview, OverviewTask } from "../api/types.js"
import { href } from "../location.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { useSteady } from "../ui/steady.js"
import { badOf, endedOf, type Range, sinceOf } from "./change.js"
import { Spark } from "./Spark.js"

const span = (millis: number | null): string => millis === null ? t.overview.none : format.duration(millis)

// From here on a bar is full: what fails more often does not need a longer one.
const fullAt = 0.15

const Row = ({ range, task }: { readonly task: OverviewTask; readonly range: Range }) => {
  const { durations, ended: series, taskName } = task
  const bad = badOf(task)
  const ended = endedOf(task)
  const rate = ended === 0 ? 0 : bad / ended
  const q = `task:${JSON.stringify(taskName)}`
  const runs = (more = "", sort: string | null = null): string =>
    href("runs", { q: `${q}${more}`, since: sinceOf(range), sort })
  return (
    <tr data-task={taskName}>
      <th scope="row">
        <a class="what" href={runs()}>{taskName}</a>
      </th>
      <td class="end" data-label={t.overview.runs}>
        <a href={runs()}>{format.count(ended)}</a>
      </td>
      <td class="c-rate" data-label={t.overview.failureRate}>
        <span class={bad === 0 ? "failing" : "failing bad"}>
          <span class="bar" aria-hidden="true">
            <i style={{ width: `${Math.min(1, rate / fullAt) * 100}%` }} />
          </span>
          <a href={bad === 0 ? runs() : runs(" status:failed,interrupted")}>{t.overview.rateOf(rate)}</a>
        </span>
      </td>
      <td class="end" data-label={t.overview.p50}>
        <a href={runs("", "-duration")}>{span(durations.p50)}</a>
      </td>
      <td class="end" data-label={t.overview.p95Short}>
        <a href={runs("", "-duration")}>{span(durations.p95)}</a>
      </td>
      <td class="c-spark">
        <Spark values={series} bad={task.bad} />
        <span class="sr">{t.overview.spark(ended, bad)}</span>
      </td>
    </tr>
  )
}

const keyOf = ({ taskName }: OverviewTask): string => taskName

export const TaskList = ({ overview: { names, tasks }, range }: {
  readonly overview: Overview
  readonly range: Range
}) => {
  const { hold, rows } = useSteady(tasks, keyOf, range)
  return (
    <section class="card ov-tasks" aria-label={t.overview.tasks} {...hold}>
      <div class="ov-head">
        <h2>{t.overview.tasks}</h2>
        <span class="dim">{t.overview.byFailures}</span>
        <span class="grow" />
        <a class="link" href={href("tasks")}>{names === 0 ? t.overview.all : t.overview.allTasks(names)}</a>
      </div>
      {rows.length === 0 ? <p class="ov-none">{t.overview.noTasks}</p> : (
        <table class="plain">
          <caption class="sr">{t.overview.tasks}</caption>
          <thead>
            <tr>
              <th scope="col">{t.overview.task}</th>
              <th scope="col" class="c-num end">{t.overview.runs}</th>
              <th scope="col" class="c-rate">{t.overview.failureRate}</th>
              <th scope="col" class="c-span end">{t.overview.p50}</th>
              <th scope="col" class="c-span end">{t.overview.p95Short}</th>
              <th scope="col" class="c-spark end">{t.overview.last[range]}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((task) => <Row key={task.taskName} task={task} range={range} />)}
          </tbody>
        </table>
      )}
    </section>
  )
}
