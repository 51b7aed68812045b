/** One task: how it is defined, how its runs do, what goes wrong, and a way to enqueue it by hand. */
import "./task.css"
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import type { Definition } from "../api/types.js"
import { useAnswer } from "../live/useAnswer.js"
import { href, param, setParams } from "../location.js"
import { Skeleton } from "../runs/ListStates.js"
import { may } from "../session.js"
import { t } from "../text/en.js"
import { words } from "../text/task.js"
import { Blank } from "../ui/Blank.js"
import { Button } from "../ui/controls.js"
import { LoadFailed } from "../ui/LoadFailed.js"
import { Segments } from "../ui/Segments.js"
import { EnqueueDialog } from "./form/EnqueueDialog.js"
import { PauseDialog, resume } from "./PauseDialog.js"
import { TaskFigures } from "./TaskFigures.js"
import { RecentRuns, TaskErrors, TaskSchedules } from "./TaskLists.js"
import { PayloadSchema, TaskPolicy } from "./TaskPolicy.js"
import { termOf } from "./term.js"

const windows = ["1h", "6h", "24h", "7d", "30d"] as const
type Window = typeof windows[number]

const usual: Window = "24h"
const windowNow = (): Window => windows.find((one) => one === param("window")) ?? usual

const read = async (name: string, signal: AbortSignal) => {
  const [task, runs] = await Promise.all([
    endpoints.definition(name, signal),
    endpoints.listRuns({ q: termOf(name), limit: 10 }, signal)
  ])
  return { task, runs: runs.items }
}

type Asked = "pause" | "enqueue" | null

interface HeadProps {
  readonly task: Definition
  readonly onAsk: (asked: Asked) => void
  readonly onResume: () => void
}

const Head = ({ onAsk, onResume, task }: HeadProps) => {
  const { definition, paused, taskName } = task
  const enqueueRefusal = definition === null
    ? words.noHandlerHere
    : may("enqueue")
    ? undefined
    : t.run.may("enqueue")
  const pauseRefusal = may("pause") ? undefined : t.run.may("pause")
  return (
    <div class="page-head task-head">
      <a class="link quiet" href={href("tasks")}>{t.sections.tasks}</a>
      <span class="dim" aria-hidden="true">/</span>
      <h1>{taskName}</h1>
      {paused ? <span class="env paused">{t.tasks.paused}</span> : null}
      {definition === null ? null : <span class="env">{t.tasks.executor[definition.executor]}</span>}
      <span class="grow" />
      <Segments
        label={words.window}
        at={windowNow()}
        choices={windows.map((one) => [one, words.windows[one]] as const)}
        onChoose={(one) => setParams({ window: one === usual ? null : one })}
      />
      <Button
        icon={paused ? "play" : "pause"}
        disabled={pauseRefusal !== undefined}
        title={pauseRefusal}
        onClick={() => paused ? onResume() : onAsk("pause")}
      >
        {paused ? words.resume : words.pause}
      </Button>
      <Button
        kind="primary"
        disabled={enqueueRefusal !== undefined}
        title={enqueueRefusal}
        onClick={() => onAsk("enqueue")}
      >
        {words.enqueue}
      </Button>
    </div>
  )
}

const NotFound = ({ name }: { readonly name: string }) => (
  <Blank title={words.notFound} actions={<a class="btn" href={href("tasks")}>{words.allTasks}</a>}>
    <p>{words.notFoundBody(name)}</p>
  </Blank>
)

export const TaskPage = ({ name }: { readonly name: string }) => {
  const [asked, setAsked] = useState<Asked>(null)
  const { problem, reload, value } = useAnswer(`task ${name}`, (signal) => read(name, signal))
  const close = (): void => setAsked(null)

  if (value === null) {
    return (
      <div class="page task-page">
        <div class="page-head">
          <a class="link quiet" href={href("tasks")}>{t.sections.tasks}</a>
          <span class="dim" aria-hidden="true">/</span>
          <h1>{name}</h1>
        </div>
        {problem === null || problem.tag === "Unauthorized"
          ? <Skeleton rows={6} />
          : problem.tag === "DefinitionNotFound"
          ? <NotFound name={name} />
          : <LoadFailed title={words.loadFailed} problem={problem} onRetry={reload} />}
      </div>
    )
  }
  const { runs, task } = value
  return (
    <div class="page task-page">
      <Head task={task} onAsk={setAsked} onResume={() => void resume(task).then(reload)} />
      {task.definition === null
        ? <p class="card notice">{task.instances.length === 0 ? words.noHandler : words.noHandlerHere}</p>
        : null}
      <TaskFigures task={task} window={windowNow()} />
      <div class="columns">
        <div class="stack-of">
          <TaskErrors name={name} />
          <TaskPolicy task={task} />
          {task.schedules.length === 0 ? null : <TaskSchedules names={task.schedules} />}
        </div>
        <div class="stack-of">
          <RecentRuns name={name} runs={runs} />
          {task.definition === null ? null : <PayloadSchema definition={task.definition} />}
        </div>
      </div>
      <p class="page-foot dim" role="status">
        {problem === null || problem.tag === "Unauthorized" ? "" : `${t.list.notUpdated}: ${problem.message}`}
      </p>
      {asked === "pause" ? <PauseDialog task={task} onClose={close} onDone={reload} /> : null}
      {asked === "enqueue" ? <EnqueueDialog task={task} onClose={close} onDone={reload} /> : null}
    </div>
  )
}
