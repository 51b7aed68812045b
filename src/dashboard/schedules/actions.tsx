/** What can be done with a schedule. Pausing can be taken back; running cannot, so that is asked before. */
import { signal } from "@preact/signals"
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import type { Schedule } from "../api/types.js"
import { href } from "../location.js"
import { runPath } from "../route.js"
import { may } from "../session.js"
import { t } from "../text/en.js"
import { attempt } from "../ui/attempt.js"
import { Button } from "../ui/controls.js"
import { Dialog } from "../ui/Dialog.js"
import { MenuItem } from "../ui/Menu.js"
import { CurlItem, MoreMenu } from "../ui/MoreMenu.js"
import { toast } from "../ui/toasts.js"
import { stateOf } from "./shown.js"

/** Counts what was started here: it is among the recent runs at once. */
export const started = signal(0)

/** The schedule that somebody wants to remove. */
const removing = signal<Schedule | null>(null)

export const RemoveDialog = ({ done }: { readonly done: () => void }) => {
  const schedule = removing.value
  const [busy, setBusy] = useState(false)
  if (schedule === null) return null
  const { name, origin, retiredAt } = schedule
  const close = (): void => {
    removing.value = null
  }
  const go = async (): Promise<void> => {
    setBusy(true)
    await attempt(async () => {
      await endpoints.removeSchedule(name)
      toast("good", t.schedules.removedToast(name))
    })
    setBusy(false)
    close()
    done()
  }
  return (
    <Dialog title={t.schedules.removeTitle(name)} onClose={close}>
      <p>{t.schedules.removeBody} {origin === "code" && retiredAt === null ? t.schedules.removeCode : null}</p>
      <div class="actions">
        <Button onClick={close}>{t.schedules.cancel}</Button>
        <Button kind="danger" disabled={busy} onClick={() => void go()}>{t.schedules.removeIt}</Button>
      </div>
    </Dialog>
  )
}

/** The schedule that somebody wants to run. */
const asked = signal<Schedule | null>(null)

export const RunDialog = ({ done }: { readonly done: () => void }) => {
  const schedule = asked.value
  const [busy, setBusy] = useState(false)
  if (schedule === null) return null
  const close = (): void => {
    asked.value = null
  }
  const go = async (): Promise<void> => {
    setBusy(true)
    await attempt(async () => {
      const { outcome, taskId } = await endpoints.triggerSchedule(schedule.name)
      started.value += 1
      const words = outcome === "enqueued" ? t.schedules.started : t.schedules.startedBefore
      toast(
        "good",
        <>
          {words} <a class="link" href={href(runPath(taskId))}>{t.run.open}</a>
        </>
      )
    })
    setBusy(false)
    close()
    done()
  }
  return (
    <Dialog title={t.schedules.runTitle(schedule.name)} onClose={close}>
      <p>{t.schedules.runBody(schedule.taskName)} {schedule.pausedAt === null ? null : t.schedules.runPaused}</p>
      <div class="actions">
        <Button onClick={close}>{t.schedules.cancel}</Button>
        <Button kind="primary" disabled={busy} onClick={() => void go()}>{t.schedules.runIt}</Button>
      </div>
    </Dialog>
  )
}

interface ActionsProps {
  readonly schedule: Schedule
  readonly done: () => void
}

export const Actions = ({ done, schedule }: ActionsProps) => {
  const { name, pausedAt } = schedule
  const state = stateOf(schedule)
  const at = `schedules/${encodeURIComponent(name)}`
  const refused = may("schedules") ? undefined : t.run.may("schedules")
  const retired = state === "retired" ? t.schedules.isRetired : undefined
  const noRun = refused ?? (schedule.problem === null ? undefined : t.schedules.isUnreadable)
  const noPause = refused ?? retired
  const turn = (): Promise<void> =>
    attempt(async () => {
      await (pausedAt === null ? endpoints.pauseSchedule(name) : endpoints.resumeSchedule(name))
      toast("good", pausedAt === null ? t.schedules.pausedToast(name) : t.schedules.resumedToast(name))
      done()
    })
  return (
    <span class="row-actions">
      <Button small disabled={noRun !== undefined} title={noRun} onClick={() => (asked.value = schedule)}>
        {t.schedules.run}
      </Button>
      <Button
        small
        icon={pausedAt === null ? "pause" : "play"}
        disabled={noPause !== undefined}
        title={noPause}
        onClick={() => void turn()}
      >
        {pausedAt === null ? t.schedules.pause : t.schedules.resume}
      </Button>
      <MoreMenu of={name}>
        <MenuItem disabled={refused !== undefined} title={refused} onSelect={() => (removing.value = schedule)}>
          {t.schedules.remove}
        </MenuItem>
        <hr />
        <CurlItem label={t.curl.trigger} path={`${at}/trigger`} />
        <CurlItem label={t.curl.pause} path={`${at}/pause`} />
        <CurlItem label={t.curl.resume} path={`${at}/resume`} />
        <CurlItem label={t.curl.remove} method="DELETE" path={at} />
      </MoreMenu>
    </span>
  )
}
