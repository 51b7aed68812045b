/** What is wrong with all that is shown: that it is not live any more, or made by another version. */
import { useEffect, useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import * as clock from "../clock.js"
import { everything, readPauses } from "../live/pauses.js"
import { connection, lastHeard, outdated, retryNow } from "../live/store.js"
import { may } from "../session.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { attempt } from "../ui/attempt.js"
import { Button } from "../ui/controls.js"
import { Icon } from "../ui/Icon.js"

// A line that comes back within this was never worth a word.
const patience = 1_500

const Countdown = ({ until }: { readonly until: number }) => {
  void clock.now.value
  const seconds = Math.ceil((until - clock.local()) / 1_000)
  return <>{seconds > 0 ? t.live.retryIn(seconds) : t.live.retrying}</>
}

const NotLive = () => {
  const state = connection.value
  const troubled = state.kind === "lost" || state.kind === "connecting"
  const [shown, setShown] = useState(false)
  useEffect(() => {
    if (!troubled) return setShown(false)
    const timer = setTimeout(() => setShown(true), patience)
    return () => clearTimeout(timer)
  }, [troubled])
  if (!shown || !troubled) return null
  const since = lastHeard.value
  return (
    <div class="note warn" role="status">
      <Icon name="interrupted" />
      <p>
        <b>{t.live.notLive}</b> {since === null ? t.live.noData : t.live.dataFrom(format.time(since, utc.value))}{" "}
        <span aria-hidden="true">
          {state.kind === "lost" ? <Countdown until={state.retryAt} /> : t.live.retrying}
        </span>
      </p>
      <Button small onClick={retryNow}>{t.live.retryNow}</Button>
    </div>
  )
}

const Outdated = () =>
  outdated.value
    ? (
      <div class="note info" role="status">
        <p>{t.live.outdated}</p>
        <Button small onClick={() => location.reload()}>{t.live.reload}</Button>
      </div>
    )
    : null

const resume = (): Promise<void> =>
  attempt(async () => {
    await endpoints.resumeAll()
    await readPauses()
  })

/** Why nothing starts, on every page: whoever wonders may look anywhere. */
const EverythingPaused = () => {
  const pause = everything.value
  if (pause === null) return null
  return (
    <div class="note warn" role="status">
      <Icon name="pause" />
      <p>
        <b>{t.pausing.everything}</b>{" "}
        {t.pausing.since(format.nearTime(Date.parse(pause.since), clock.now.value, utc.value), pause.by)}
      </p>
      <Button
        small
        disabled={!may("pause")}
        title={may("pause") ? undefined : t.run.may("pause")}
        onClick={() => void resume()}
      >
        {t.pausing.resume}
      </Button>
    </div>
  )
}

export const Banners = () => (
  <>
    <EverythingPaused />
    <NotLive />
    <Outdated />
  </>
)
