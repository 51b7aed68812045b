/** The page of schedules: when each runs next, how it went lately, and what can be done with it. */
import { Fragment } from "preact"
import { useState } from "preact/hooks"
import type { Frame } from "../../http/stream/frame.js"
import * as endpoints from "../api/endpoints.js"
import type { Run, Schedule, ScheduleRun, Schedules } from "../api/types.js"
import { now } from "../clock.js"
import { isNewsOf } from "../live/fleet.js"
import { isPaused } from "../live/pauses.js"
import { href, param, setParams } from "../location.js"
import { runPath } from "../route.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Blank } from "../ui/Blank.js"
import { Button, Status } from "../ui/controls.js"
import { Find } from "../ui/Find.js"
import { Icon } from "../ui/Icon.js"
import { tight, tighter } from "../ui/media.js"
import { usePolled } from "../ui/polled.js"
import { type Column, RowTable } from "../ui/RowTable.js"
import { Sheet } from "../ui/Sheet.js"
import { Age } from "../ui/Time.js"
import { Actions, RemoveDialog, RunDialog, started } from "./actions.js"
import { Details } from "./Details.js"
import { fits, misfireOf, overlapOf, stateOf, states, whenOf } from "./shown.js"
import { Strip } from "./Strip.js"
import { useRuns } from "./useRuns.js"

const every = 5_000
const pageSize = 200

const ofFleet = isNewsOf("schedules")
/** How the last run of one ended is told with the run. */
const isNews = (frame: Frame<Run>): boolean =>
  ofFleet(frame) || frame.t === "runs" && [...frame.n, ...frame.u].some(({ schedule }) => schedule !== null)

const read = async (pages: number, signal: AbortSignal): Promise<Schedules> => {
  const items: Array<Schedule> = []
  let nextCursor: string | null = null
  for (let page = 0; page < pages && (page === 0 || nextCursor !== null); page += 1) {
    const answer: Schedules = await endpoints.schedules({
      limit: pageSize,
      ...nextCursor === null ? {} : { cursor: nextCursor }
    }, signal)
    items.push(...answer.items)
    nextCursor = answer.nextCursor
  }
  return { items, nextCursor }
}

const Name = ({ schedule }: { readonly schedule: Schedule }) => {
  const { name, origin, taskName } = schedule
  const state = stateOf(schedule)
  const isOpen = param("open") === name
  return (
    <>
      <span class="name-line">
        <button
          type="button"
          class="unfold"
          aria-expanded={isOpen}
          aria-label={t.schedules.details(name)}
          onClick={() => setParams({ open: isOpen ? null : name }, { replace: true })}
        >
          <Icon name="chevron" size={14} />
          <span title={name}>{name}</span>
        </button>
        {state === "active" ? null : <span class={`mark-word ${state}`}>{t.schedules.state[state]}</span>}
      </span>
      <span class="under">
        {taskName}
        {isPaused(taskName) ? ` · ${t.schedules.taskPaused}` : ""}
        {origin === "dynamic" ? ` · ${t.schedules.dynamic}` : ""}
      </span>
    </>
  )
}

const Next = ({ schedule: { nextSlot, nextSlots, pausedAt } }: { readonly schedule: Schedule }) => {
  const would = nextSlots[0]
  if (nextSlot === null) {
    return (
      <>
        {t.schedules.off}
        {pausedAt === null || would === undefined
          ? null
          : <span class="under">{t.schedules.wouldBe(format.dayOf(Date.parse(would), utc.value))}</span>}
      </>
    )
  }
  const millis = Date.parse(nextSlot)
  const left = millis - now.value
  return (
    <time dateTime={nextSlot} title={format.fullTime(millis, utc.value)}>
      {left > 0 ? t.schedules.inSpan(format.countdown(left)) : t.schedules.due}
      <span class="under">{format.nearTime(millis, now.value, utc.value)}</span>
    </time>
  )
}

/** The last run, whoever asked for it: of the list, or a later one that was started by hand. */
const Last = (
  { runs, schedule }: { readonly schedule: Schedule; readonly runs: ReadonlyArray<ScheduleRun> | null }
) => {
  const { lastDuration, lastSlot, lastStatus, lastTask } = schedule
  const newest = runs?.at(-1)
  if (newest !== undefined) {
    const { createdAt, duration, slot, source, status, taskId } = newest
    return (
      <LastRun
        id={taskId}
        status={status}
        duration={duration}
        at={slot ?? createdAt}
        note={source === "manual" ? t.schedules.byHand : null}
      />
    )
  }
  if (lastTask === null) return <span class="dim">{t.schedules.never}</span>
  if (lastStatus === null) return <span class="dim">{t.schedules.removed}</span>
  return <LastRun id={lastTask} status={lastStatus} duration={lastDuration} at={lastSlot} note={null} />
}

interface LastRunProps {
  readonly id: string
  readonly status: ScheduleRun["status"]
  readonly duration: number | null
  readonly at: string | null
  readonly note: string | null
}

const LastRun = ({ at, duration, id, note, status }: LastRunProps) => (
  <>
    <a class="to-run" href={href(runPath(id))}>
      <Status status={status} />
    </a>
    <span class="under">
      {duration === null ? t.run.none : format.duration(duration)}
      {" · "}
      {at === null ? t.run.none : <Age at={at} ago />}
      {note === null ? null : ` · ${note}`}
    </span>
  </>
)

interface RowProps {
  readonly schedule: Schedule
  readonly turn: number
  readonly reload: () => void
}

const Row = ({ reload, schedule, turn }: RowProps) => {
  const [done, setDone] = useState(0)
  const when = whenOf(schedule)
  const { ref, ...lately } = useRuns({ schedule, turn, done: done + started.value })
  const act = (): void => {
    setDone((before) => before + 1)
    reload()
  }
  return (
    <Fragment>
      <tr ref={ref} class={stateOf(schedule)} data-schedule={schedule.name}>
        <th scope="row" class="wide">
          <Name schedule={schedule} />
        </th>
        <td data-label={t.schedules.when}>
          {when.words}
          {when.exact === null ? null : <span class="under mono">{when.exact}</span>}
        </td>
        <td data-label={t.schedules.next}>
          <Next schedule={schedule} />
        </td>
        <td data-label={t.schedules.last}>
          <Last schedule={schedule} runs={lately.runs} />
        </td>
        <td class="c-strip wide">
          <Strip schedule={schedule} {...lately} />
        </td>
        <td class="c-policy" data-label={t.schedules.missed}>
          {misfireOf(schedule)}
          <span class="under">{overlapOf(schedule)}</span>
        </td>
        <td class="end wide">
          <Actions schedule={schedule} done={act} />
        </td>
      </tr>
      {param("open") === schedule.name
        ? (
          <tr class="more-row">
            <td colSpan={tight.value ? tighter.value ? 5 : 6 : 7}>
              <Details schedule={schedule} />
            </td>
          </tr>
        )
        : null}
    </Fragment>
  )
}

const columns: ReadonlyArray<Column> = [
  { label: t.schedules.name, col: "w-name" },
  { label: t.schedules.when, col: "w-when" },
  { label: t.schedules.next, col: "w-next" },
  { label: t.schedules.last, col: "w-last" },
  { label: t.schedules.recent, col: "c-strip" },
  { label: t.schedules.missed, col: "c-policy" },
  { label: t.schedules.actions, col: "w-actions", end: true, silent: true }
]

const Table = ({ items, reload, turn }: Omit<RowProps, "schedule"> & { readonly items: ReadonlyArray<Schedule> }) => (
  <RowTable name="schedules" caption={t.schedules.title} columns={columns}>
    {items.map((schedule) => <Row key={schedule.name} schedule={schedule} turn={turn} reload={reload} />)}
  </RowTable>
)

const States = ({ items }: { readonly items: ReadonlyArray<Schedule> }) => {
  const chosen = param("state")
  const choices = [null, ...states].map((state) => ({
    state,
    many: state === null ? items.length : items.filter((one) => stateOf(one) === state).length
  }))
  return (
    <div class="segments" role="group" aria-label={t.schedules.states}>
      {choices.filter(({ many, state }) => many > 0 || state === chosen || state === null).map(({ many, state }) => (
        <button
          key={state}
          type="button"
          aria-pressed={state === chosen}
          onClick={() => setParams({ state: state === chosen ? null : state })}
        >
          {t.schedules.state[state ?? "all"]} <b>{format.count(many)}</b>
        </button>
      ))}
    </div>
  )
}

export const SchedulesPage = () => {
  const [pages, setPages] = useState(1)
  const polled = usePolled(`schedules ${pages}`, (signal) => read(pages, signal), every, isNews)
  const all = polled.value?.items ?? []
  const items = all.filter(fits(param("find") ?? "", param("state")))
  return (
    <>
      <Sheet
        title={t.schedules.title}
        note={polled.value === null ? undefined : t.schedules.counted(items.length, all.length)}
        tools={all.length === 0 ? undefined : (
          <>
            <States items={all} />
            <Find name="find" label={t.schedules.find} />
          </>
        )}
        failed={t.schedules.failed}
        polled={polled}
      >
        {({ nextCursor }) =>
          all.length === 0
            ? (
              <Blank title={t.schedules.empty}>
                <p>{t.schedules.emptyBody}</p>
                <code class="code">{t.schedules.emptyCode}</code>
              </Blank>
            )
            : (
              <>
                {items.length === 0
                  ? (
                    <Blank
                      title={t.schedules.filtered}
                      actions={
                        <Button onClick={() => setParams({ find: null, state: null })}>{t.states.clearAll}</Button>
                      }
                    >
                      <p>{t.schedules.filteredBody}</p>
                    </Blank>
                  )
                  : <Table items={items} turn={polled.turn} reload={polled.reload} />}
                {nextCursor === null ? null : (
                  <p class="more-pages">
                    <Button onClick={() => setPages(pages + 1)}>{t.schedules.more}</Button>
                  </p>
                )}
              </>
            )}
      </Sheet>
      <RunDialog done={polled.reload} />
      <RemoveDialog done={polled.reload} />
    </>
  )
}
