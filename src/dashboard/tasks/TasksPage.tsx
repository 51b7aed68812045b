/** The page of tasks: every definition, how its runs do, and whether it is paused. */
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import type { Definition } from "../api/types.js"
import { useAnswer } from "../live/useAnswer.js"
import { param, setParams } from "../location.js"
import { Skeleton } from "../runs/ListStates.js"
import { useKeys } from "../shell/keyboard.js"
import { t } from "../text/en.js"
import { Blank } from "../ui/Blank.js"
import { Button } from "../ui/controls.js"
import { Find } from "../ui/Find.js"
import { LoadFailed } from "../ui/LoadFailed.js"
import { stepRow } from "../ui/rows.js"
import { useSteady } from "../ui/steady.js"
import { sorted, sortOf, textOf } from "./order.js"
import { PauseDialog, resume } from "./PauseDialog.js"
import { TaskTable } from "./TaskTable.js"

const keyOf = ({ taskName }: Definition): string => taskName

const Empty = ({ text }: { readonly text: string }) =>
  text === ""
    ? (
      <Blank title={t.tasks.empty}>
        <p>{t.tasks.emptyBody}</p>
      </Blank>
    )
    : (
      <Blank
        title={t.tasks.filtered}
        actions={<Button onClick={() => setParams({ q: null })}>{t.states.clearAll}</Button>}
      >
        <p>{t.tasks.filteredBody(text)}</p>
      </Blank>
    )

const row = "[data-task]"
const keys = {
  j: () => stepRow(row, 1),
  k: () => stepRow(row, -1),
  ArrowDown: () => stepRow(row, 1),
  ArrowUp: () => stepRow(row, -1)
}

export const TasksPage = () => {
  const text = param("q") ?? ""
  const sort = sortOf(param("sort"))
  const [pausing, setPausing] = useState<Definition | null>(null)
  const answer = useAnswer("definitions", endpoints.definitions)
  const wanted = text.trim().toLowerCase()
  const fitting = (answer.value?.items ?? []).filter(({ taskName }) => taskName.toLowerCase().includes(wanted))
  const { hold, rows } = useSteady(sorted(fitting, sort), keyOf, `${textOf(sort)} ${wanted}`)
  useKeys(keys)

  const isStale = answer.problem !== null && answer.problem.tag !== "Unauthorized"
  const here = rows.filter(({ definition }) => definition !== null)
  const elsewhere = rows.filter(({ definition }) => definition === null)
  const table = {
    sort,
    onPause: setPausing,
    onResume: (task: Definition) => void resume(task).then(answer.reload)
  }
  return (
    <div class="page">
      <div class="page-head">
        <h1>{t.sections.tasks}</h1>
        <p class="dim">{t.tasks.lastDay}</p>
        <span class="grow" />
        <Find name="q" label={t.tasks.find} />
      </div>
      {answer.value === null
        ? isStale
          ? <LoadFailed title={t.tasks.loadFailed} problem={answer.problem} onRetry={answer.reload} />
          : <Skeleton rows={6} />
        : rows.length === 0
        ? <Empty text={text} />
        : (
          <div {...hold}>
            {here.length === 0 ? null : <TaskTable {...table} caption={t.tasks.caption} tasks={here} />}
            {elsewhere.length === 0
              ? null
              : <TaskTable {...table} caption={t.tasks.unknownCaption} note={t.tasks.unknownBody} tasks={elsewhere} />}
            <p class="page-foot dim" role="status">
              {t.tasks.tasksOf(rows.length)}
              {isStale ? ` · ${t.list.notUpdated}: ${answer.problem.message}` : ""}
            </p>
          </div>
        )}
      {pausing === null
        ? null
        : <PauseDialog task={pausing} onClose={() => setPausing(null)} onDone={answer.reload} />}
    </div>
  )
}
