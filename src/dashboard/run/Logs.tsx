/** The log of a run: followed while it grows, until somebody scrolls up; searched and narrowed here. */
import { signal } from "@preact/signals"
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"
import type { LogLine } from "../api/types.js"
import { useKeys } from "../shell/keyboard.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Blank } from "../ui/Blank.js"
import { Button, IconButton } from "../ui/controls.js"
import { Icon } from "../ui/Icon.js"
import { LogLines } from "./LogLines.js"
import type { LogState } from "./openRun.js"

const levels = ["debug", "info", "warning", "error"] as const

/** Which attempt to begin with, when somebody asked for one. */
export const wantedAttempt = signal<number | null>(null)

const fitting = (lines: ReadonlyArray<LogLine>, least: typeof levels[number], find: string): ReadonlyArray<LogLine> => {
  const wanted = find.toLowerCase()
  const from = levels.indexOf(least)
  return lines.filter(({ annotations, level, message }) =>
    levels.indexOf(level) >= from &&
    (wanted === "" || message.toLowerCase().includes(wanted) ||
      JSON.stringify(annotations).toLowerCase().includes(wanted))
  )
}

const nearEnd = 24

interface LogsProps {
  readonly log: LogState
  readonly growing: boolean
  readonly name: string
  readonly onRetry: () => void
  readonly onAttempt: (attempt: number) => void
}

const download = (lines: ReadonlyArray<LogLine>, name: string): void => {
  const text = lines.map((line) =>
    `${line.at} ${line.level} [${line.attempt}] ${line.message} ${JSON.stringify(line.annotations)}\n`
  ).join("")
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }))
  const anchor = document.createElement("a")
  anchor.href = url
  anchor.download = `${name}.log`
  anchor.click()
  URL.revokeObjectURL(url)
}

export const Logs = ({ growing, log, name, onAttempt, onRetry }: LogsProps) => {
  const [least, setLeast] = useState<typeof levels[number]>("debug")
  const [find, setFind] = useState("")
  const [following, setFollowing] = useState(growing)
  const [seen, setSeen] = useState(log.lines.length)
  const body = useRef<HTMLDivElement>(null)
  const lines = fitting(log.lines, least, find)
  // What has ended gets no newer lines.
  const behind = growing ? log.lines.length - seen : 0

  const toEnd = (): void => {
    const element = body.current
    if (element !== null) element.scrollTop = element.scrollHeight
  }
  const follow = (on: boolean): void => {
    setFollowing(on)
    if (on) setSeen(log.lines.length)
  }
  useKeys({ f: () => follow(!following) })

  useLayoutEffect(() => {
    if (!following) return
    toEnd()
    setSeen(log.lines.length)
  }, [following, log.lines.length, least, find])

  useEffect(() => {
    const attempt = wantedAttempt.value
    if (attempt === null) return
    wantedAttempt.value = null
    setFollowing(false)
    document.getElementById(`attempt-${attempt}`)?.scrollIntoView({ block: "start" })
  }, [wantedAttempt.value])

  const onScroll = (): void => {
    const element = body.current
    if (element === null) return
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < nearEnd
    if (!atEnd && following) setFollowing(false)
    if (atEnd) setSeen(log.lines.length)
  }

  if (log.hidden) {
    return (
      <Blank title={t.logs.hidden}>
        <p>{t.logs.hiddenBody}</p>
      </Blank>
    )
  }
  if (log.phase === "failed" && log.lines.length === 0) {
    return <Blank alert title={t.logs.failed} actions={<Button onClick={onRetry}>{t.states.tryAgain}</Button>} />
  }
  if (log.lines.length === 0) {
    return log.phase === "loading" ? null : (
      <Blank title={t.logs.empty}>
        <p>{t.logs.emptyBody}</p>
      </Blank>
    )
  }
  return (
    <div class="log-view">
      <div class="log-bar">
        <span class="find">
          <Icon name="search" size={14} />
          <input
            type="search"
            aria-label={t.logs.find}
            placeholder={t.logs.find}
            value={find}
            onInput={(event) => setFind(event.currentTarget.value)}
          />
        </span>
        <select
          aria-label={t.logs.levels}
          value={least}
          onChange={(event) => setLeast(levels[event.currentTarget.selectedIndex] ?? "debug")}
        >
          {levels.map((level) => <option key={level} value={level}>{t.logs.level[level]}</option>)}
        </select>
        <Button small pressed={following} icon="down" onClick={() => follow(!following)}>
          {following ? t.logs.following : t.logs.follow}
        </Button>
        <IconButton icon="download" label={t.logs.download} onClick={() => download(lines, name)} />
      </div>
      <div
        class="log-body"
        ref={body}
        onScroll={onScroll}
        tabIndex={0}
        role="log"
        aria-live={following ? "polite" : "off"}
        aria-label={t.run.tabs.logs}
      >
        {lines.length === 0 ? <Blank title={t.logs.nothingFits} /> : <LogLines lines={lines} onAttempt={onAttempt} />}
      </div>
      {behind > 0 && !following
        ? (
          <button type="button" class="newest" onClick={() => follow(true)}>
            <Icon name="down" size={14} />
            {t.logs.newest(behind)}
          </button>
        )
        : null}
      <p class="log-foot">
        {t.logs.lines(lines.length)}
        {lines.length < log.lines.length ? ` / ${format.count(log.lines.length)}` : ""}
      </p>
    </div>
  )
}
