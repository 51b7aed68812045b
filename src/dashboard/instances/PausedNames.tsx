/** What is paused for all instances, and which of them have not heard of it yet. */
import * as endpoints from "../api/endpoints.js"
import { now } from "../clock.js"
import { pauses, readPauses } from "../live/pauses.js"
import { may } from "../session.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { attempt } from "../ui/attempt.js"
import { Button } from "../ui/controls.js"
import { Icon } from "../ui/Icon.js"
import { toast } from "../ui/toasts.js"

const most = 20

const resume = (taskName: string): Promise<void> =>
  attempt(async () => {
    await endpoints.resume(taskName)
    await readPauses()
    toast("good", t.tasks.resumedToast(taskName))
  })

export const PausedNames = () => {
  const { awaiting, heededBy, items } = pauses.value ?? { awaiting: [], heededBy: [], items: [] }
  const names = items.flatMap(({ by, since, taskName }) => taskName === null ? [] : [{ by, since, taskName }])
  if (names.length === 0 && awaiting.length === 0) return null
  return (
    <ul class="paused-names" aria-label={t.instances.paused}>
      {names.slice(0, most).map(({ by, since, taskName }) => (
        <li key={taskName}>
          <Icon name="pause" size={14} />
          <b>{taskName}</b>
          <span class="dim">
            {t.instances.pausedSince(format.nearTime(Date.parse(since), now.value, utc.value), by)}
          </span>
          <Button
            small
            label={t.tasks.resumeOf(taskName)}
            disabled={!may("pause")}
            title={may("pause") ? undefined : t.run.may("pause")}
            onClick={() => void resume(taskName)}
          >
            {t.tasks.resume}
          </Button>
        </li>
      ))}
      {names.length > most ? <li class="dim">{t.instances.morePaused(names.length - most)}</li> : null}
      {awaiting.length === 0
        ? null
        : <li class="dim">{t.instances.awaiting(awaiting.length, awaiting.length + heededBy.length)}</li>}
    </ul>
  )
}
