/** What can be done with one run, and the dialogs before it. */
import { signal } from "@preact/signals"
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import { isProblem } from "../api/problem.js"
import { isEnded, type Permission, type Run } from "../api/types.js"
import { withParams } from "../location.js"
import { may } from "../session.js"
import { t } from "../text/en.js"
import { Button } from "../ui/controls.js"
import { Dialog } from "../ui/Dialog.js"
import { toast } from "../ui/toasts.js"

export type Action = "retry" | "cancel"

/** Why an action cannot be done; null when it can. Undefined: it makes no sense for this run. */
export const refusalOf = (action: Action, run: Run): string | null | undefined => {
  const permission: Permission = action
  if (action === "cancel") return isEnded(run) ? undefined : may(permission) ? null : t.run.may(permission)
  if (!isEnded(run) || run.status === "success") return undefined
  return run.retriedAs !== null ? t.skips.alreadyRetried : may(permission) ? null : t.run.may(permission)
}

const failed = (error: unknown): void =>
  toast("bad", t.run.actionFailed(isProblem(error) ? error.message : String(error)))

export const retryNow = async (run: Run, done: () => void): Promise<void> => {
  try {
    const { taskId } = await endpoints.retry(run.taskId)
    toast(
      "good",
      (
        <>
          {t.run.dispatched} <a class="link" href={withParams({ run: taskId })}>{t.run.open}</a>
        </>
      )
    )
    done()
  } catch (error) {
    failed(error)
  }
}

const cancelNow = async (run: Run, done: () => void): Promise<void> => {
  try {
    const { outcome } = await endpoints.cancel(run.taskId)
    toast("good", outcome === "cancelled" ? t.run.cancelledToast : t.run.cancelAsked)
    done()
  } catch (error) {
    failed(error)
  }
}

interface Asked {
  readonly action: Action
  readonly run: Run
  readonly done: () => void
}

/** The dialog that is open. */
const asked = signal<Asked | null>(null)

/** Asks before it acts. */
export const confirm = (action: Action, run: Run, done: () => void): void => {
  if (refusalOf(action, run) === null) asked.value = { action, run, done }
}

/** Retries at once what can be retried without a second thought. */
export const retryOrConfirm = (run: Run, done: () => void): void => {
  if (run.status === "interrupted") confirm("retry", run, done)
  else void retryNow(run, done)
}

const Words = ({ action, run }: Asked) => {
  if (action === "retry") return <p>{run.status === "interrupted" ? t.run.retryInterrupted : t.run.retryBody}</p>
  const waits = run.status === "pending" || run.nextAttemptAt !== null
  return (
    <>
      <p>{waits ? t.run.cancelPending : t.run.cancelRunning}</p>
      {!waits && run.executor !== "fiber" ? <p>{t.run.cancelExecutor}</p> : null}
    </>
  )
}

export const ActionDialog = () => {
  const now = asked.value
  const [busy, setBusy] = useState(false)
  if (now === null) return null
  const { action, done, run } = now
  const close = (): void => {
    asked.value = null
  }
  const go = async (): Promise<void> => {
    setBusy(true)
    await (action === "retry" ? retryNow(run, done) : cancelNow(run, done))
    setBusy(false)
    close()
  }
  return (
    <Dialog
      title={action === "retry" ? t.run.retryTitle(run.taskName) : t.run.cancelTitle(run.taskName)}
      onClose={close}
    >
      <Words {...now} />
      <div class="actions">
        <Button onClick={close}>{t.run.keep}</Button>
        <Button kind={action === "retry" ? "primary" : "danger"} disabled={busy} onClick={() => void go()}>
          {action === "retry" ? t.run.retry : t.run.cancel}
        </Button>
      </div>
    </Dialog>
  )
}
