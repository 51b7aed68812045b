/** The dialog that retries a run with changes, loaded when somebody first asks for it. */
import { signal } from "@preact/signals"
import type { RunDetail } from "../api/types.js"
import { refusalOf } from "../run/actions.js"
import { may } from "../session.js"
import { t } from "../text/en.js"
import { lazy } from "../ui/lazy.js"
import type { RetryChangesProps } from "./form/RetryChanges.js"

const { Part } = lazy<RetryChangesProps>(
  () => import("./form/RetryChanges.js").then((module) => module.RetryChanges),
  () => <></>
)

interface Asked {
  readonly run: RunDetail
  readonly done: () => void
}

const asked = signal<Asked | null>(null)

/** Why a run cannot be retried with changes; null when it can. Undefined: a retry makes no sense for this run. */
export const refusalOfChanges = (run: RunDetail): string | null | undefined => {
  const refusal = refusalOf("retry", run)
  if (refusal !== null) return refusal
  if (!may("enqueue")) return t.run.may("enqueue")
  return run.hidden.includes("payload") ? t.run.changesHidden : null
}

export const askChanges = (run: RunDetail, done: () => void): void => {
  asked.value = { run, done }
}

export const RetryChangesDialog = () => {
  const now = asked.value
  const close = (): void => {
    asked.value = null
  }
  return now === null ? null : <Part run={now.run} onClose={close} onDone={now.done} />
}
