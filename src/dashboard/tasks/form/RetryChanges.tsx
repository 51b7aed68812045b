/** Retries a run with another payload: the one that is shown, changed. What is hidden in it stays what it was. */
import { useEffect, useState } from "preact/hooks"
import * as endpoints from "../../api/endpoints.js"
import { type ApiProblem, isAborted, isProblem } from "../../api/problem.js"
import type { Definition, RunDetail } from "../../api/types.js"
import { endpoint } from "../../config.js"
import { withParams } from "../../location.js"
import * as format from "../../text/format.js"
import { words } from "../../text/task.js"
import { Dialog } from "../../ui/Dialog.js"
import { toast } from "../../ui/toasts.js"
import { PayloadDialog } from "./PayloadDialog.js"

const { changes: said, form } = words

// What the server shows in place of what it hides.
const isKept = (value: unknown): boolean => typeof value === "string" && value.includes("<redacted>")

export interface RetryChangesProps {
  readonly run: RunDetail
  readonly onClose: () => void
  readonly onDone: () => void
}

export const RetryChanges = ({ onClose, onDone, run }: RetryChangesProps) => {
  const { payload, status, taskId, taskName } = run
  const [task, setTask] = useState<Definition | null>(null)
  const [problem, setProblem] = useState<ApiProblem | null>(null)
  useEffect(() => {
    const asking = new AbortController()
    endpoints.definition(taskName, asking.signal).then(setTask, (error) => {
      if (!isAborted(error) && isProblem(error)) setProblem(error)
    })
    return () => asking.abort()
  }, [taskName])
  const title = said.title(taskName)
  if (task === null || task.definition === null) {
    return (
      <Dialog wide title={title} onClose={onClose}>
        <p role={problem === null ? "status" : "alert"}>
          {problem !== null ? format.sentence(problem.message) : task === null ? said.loading : said.unregistered}
        </p>
        <div class="actions">
          <button type="button" class="btn" onClick={onClose}>{form.cancel}</button>
        </div>
      </Dialog>
    )
  }
  return (
    <PayloadDialog
      title={title}
      body={
        <>
          <p>{said.body}</p>
          {status === "interrupted" ? <p>{said.interrupted}</p> : null}
        </>
      }
      submit={said.submit}
      submitting={said.submitting}
      schema={task.definition.payloadSchema}
      payload={payload ?? {}}
      isKept={isKept}
      url={endpoint(`${encodeURIComponent(taskId)}/retry`)}
      onClose={onClose}
      send={async (body) => {
        const { taskId: again } = await endpoints.retry(taskId, { payload: body.payload })
        toast(
          "good",
          <>
            {said.retried} <a class="link" href={withParams({ run: again })}>{form.open}</a>
          </>
        )
        onDone()
      }}
    />
  )
}
