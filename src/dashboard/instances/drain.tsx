/** Asking an instance to take no more work, and to take work again. */
import { signal } from "@preact/signals"
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import type { Instance } from "../api/types.js"
import { may } from "../session.js"
import { t } from "../text/en.js"
import { attempt } from "../ui/attempt.js"
import { Button } from "../ui/controls.js"
import { Dialog } from "../ui/Dialog.js"
import { toast } from "../ui/toasts.js"

const takesWork = ({ draining, state }: Instance): boolean => state === "live" && !draining

/** The one that somebody wants to drain, and whether nobody else takes work. */
const asked = signal<{ readonly instance: Instance; readonly isLast: boolean } | null>(null)

export const DrainDialog = ({ done }: { readonly done: () => void }) => {
  const [busy, setBusy] = useState(false)
  if (asked.value === null) return null
  const { instance: { host, instance }, isLast } = asked.value
  const close = (): void => {
    asked.value = null
  }
  const go = async (): Promise<void> => {
    setBusy(true)
    await attempt(async () => {
      await endpoints.drain(instance)
      toast("good", t.instances.drained(host))
    })
    setBusy(false)
    close()
    done()
  }
  return (
    <Dialog title={t.instances.drainTitle(host)} onClose={close}>
      <p>{t.instances.drainBody}</p>
      {isLast ? <p class="trouble">{t.instances.drainLast}</p> : null}
      <div class="actions">
        <Button onClick={close}>{t.instances.keep}</Button>
        <Button kind="primary" disabled={busy} onClick={() => void go()}>{t.instances.drainIt}</Button>
      </div>
    </Dialog>
  )
}

export interface RowProps {
  readonly instance: Instance
  readonly all: ReadonlyArray<Instance>
  readonly reload: () => void
}

export const Action = ({ all, instance: one, reload }: RowProps) => {
  const reason = may("drain") ? one.state === "dead" ? t.instances.isDead : undefined : t.run.may("drain")
  const isLast = !all.some((other) => other.instance !== one.instance && takesWork(other))
  const undrain = (): Promise<void> =>
    attempt(async () => {
      await endpoints.undrain(one.instance)
      toast("good", t.instances.undrained(one.host))
      reload()
    })
  return one.draining && one.state === "live"
    ? (
      <Button small disabled={reason !== undefined} title={reason} onClick={() => void undrain()}>
        {t.instances.undrain}
      </Button>
    )
    : (
      <Button
        small
        disabled={reason !== undefined}
        title={reason}
        onClick={() => (asked.value = { instance: one, isLast })}
      >
        {t.instances.drain}
      </Button>
    )
}
