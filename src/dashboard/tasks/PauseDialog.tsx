/** Pauses a task in all instances, after it was asked; resumes it at once. */
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import { isProblem } from "../api/problem.js"
import type { Definition } from "../api/types.js"
import { t } from "../text/en.js"
import { Button } from "../ui/controls.js"
import { Dialog } from "../ui/Dialog.js"
import { toast } from "../ui/toasts.js"

/** What `act` answers is said, or why it did not work. */
const told = async (act: () => Promise<string>): Promise<void> => {
  try {
    toast("good", await act())
  } catch (error) {
    toast("bad", t.run.actionFailed(isProblem(error) ? error.message : String(error)))
  }
}

export const resume = ({ taskName }: Definition): Promise<void> =>
  told(async () => {
    const { outcome } = await endpoints.resume(taskName)
    // It may be shown as paused because everything is.
    return outcome === "resumed" ? t.tasks.resumedToast(taskName) : t.tasks.notPausedToast(taskName)
  })

interface PauseDialogProps {
  readonly task: Definition
  readonly onClose: () => void
  readonly onDone: () => void
}

export const PauseDialog = ({ onClose, onDone, task: { pending, running, taskName } }: PauseDialogProps) => {
  const [busy, setBusy] = useState(false)
  const go = async (): Promise<void> => {
    setBusy(true)
    await told(async () => {
      await endpoints.pause(taskName)
      return t.tasks.pausedToast(taskName)
    })
    onDone()
    onClose()
  }
  return (
    <Dialog title={t.tasks.pauseTitle(taskName)} onClose={onClose} binding={busy}>
      <p>{t.tasks.pauseBody}</p>
      <p>{t.tasks.pauseNow(pending, running)}</p>
      <div class="actions">
        <Button onClick={onClose} disabled={busy}>{t.tasks.keep}</Button>
        <Button kind="primary" icon="pause" disabled={busy} onClick={() => void go()}>{t.tasks.doPause}</Button>
      </div>
    </Dialog>
  )
}
