/** Dialogs that the palette opens on any page. */
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import { readPauses } from "../live/pauses.js"
import { ClearHistory } from "../runs/ClearHistory.js"
import { t } from "../text/en.js"
import { attempt } from "../ui/attempt.js"
import { Button } from "../ui/controls.js"
import { Dialog } from "../ui/Dialog.js"
import { toast } from "../ui/toasts.js"
import { wanted } from "./state.js"

const close = (): void => {
  wanted.value = null
}

const PauseEverything = () => {
  const [busy, setBusy] = useState(false)
  const go = async (): Promise<void> => {
    setBusy(true)
    await attempt(async () => {
      const { outcome } = await endpoints.pauseAll()
      await readPauses()
      toast("good", outcome === "paused" ? t.pausing.paused : t.pausing.already)
    })
    close()
  }
  return (
    <Dialog title={t.pausing.title} onClose={close} binding={busy}>
      <p>{t.pausing.body}</p>
      <div class="actions">
        <Button onClick={close} disabled={busy}>{t.pausing.keep}</Button>
        <Button kind="primary" icon="pause" disabled={busy} onClick={() => void go()}>{t.pausing.go}</Button>
      </div>
    </Dialog>
  )
}

export const PaletteDialogs = () =>
  wanted.value === "clear" ? <ClearHistory onClose={close} /> : wanted.value === "pause" ? <PauseEverything /> : null
