/** The page of schedules: when each runs next, how it went lately, and what can be done with it. */
import { Fragment } from "preact"
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import type { Schedule, Schedules } from "../api/types.js"
import { now } from "../clock.js"
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
import { Sheet } from "../ui/Sheet.js"
import { Age } from "../ui/Time.js"
import { Actions, RunDialog, started } from "./actions.js"
import { Details } from "./Details.js"
import { fits, misfireOf, overlapOf, stateOf, states, whenOf } from "./shown.js"
import { Strip } from "./Strip.js"

const every = 5_000
const pageSize = 200

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

const Last = ({ schedule: { lastDuration, lastSlot, lastStatus, lastTask } }: { readonly schedule: Schedule }) => {
  if (lastTask === null) return <span class="dim">{t.schedules.never}</span>
  if (lastStatus === null) return <span class="dim">{t.schedules.removed}</span>
  return (
    <>
      <a class="to-run" href={href(runPath(lastTask))}>
        <Status status={lastStatus} />
      </a>
      <span class="under">
        {lastDuration === null ? t.run.none : format.duration(lastDuration)}
        {" · "}
        {lastSlot === null ? t.run.none : <Age at={lastSlot} />}
      </span>
    </>
  )
}

interface RowProps {
  readonly schedule: Schedule
  readonly turn: number
  readonly reload: () => void
}

const Row = ({ reload, schedule, turn }: RowProps) => {
  const [done, setDone] = useState(0)
  const when = whenOf(schedule)
  const act = (): void => {
    setDone((before) => before + 1)
    reload()
  }
  return (
    <Fragment>
      <tr class={stateOf(schedule)} data-schedule={schedule.name}>
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
          <Last schedule={schedule} />
        </td>
        <td class="c-strip wide">
          <Strip schedule={schedule} turn={turn} done={done + started.value} />
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

const Table = ({ items, reload, turn }: Omit<RowProps, "schedule"> & { readonly items: ReadonlyArray<Schedule> }) => (
  <table class="rows schedules">
    <caption class="sr">{t.schedules.title}</caption>
    <colgroup>
      <col class="w-name" />
      <col class="w-when" />
      <col class="w-next" />
      <col class="w-last" />
      <col class="c-strip" />
      <col class="c-policy" />
      <col class="w-actions" />
    </colgroup>
    <thead>
      <tr>
        <th scope="col">{t.schedules.name}</th>
        <th scope="col">{t.schedules.when}</th>
        <th scope="col">{t.schedules.next}</th>
        <th scope="col">{t.schedules.last}</th>
        <th scope="col" class="c-strip">{t.schedules.recent}</th>
        <th scope="col" class="c-policy">{t.schedules.missed}</th>
        <th scope="col" class="end">
          <span class="sr">{t.schedules.actions}</span>
        </th>
      </tr>
    </thead>
    <tbody>
      {items.map((schedule) => <Row key={schedule.name} schedule={schedule} turn={turn} reload={reload} />)}
    </tbody>
  </table>
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
  const polled = usePolled(`schedules ${pages}`, (signal) => read(pages, signal), every)
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
    </>
  )
}
