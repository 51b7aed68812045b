/** The page of instances: who is alive, how busy, how late; and asking one to take no more work. */
import { Fragment } from "preact"
import * as endpoints from "../api/endpoints.js"
import type { Instance } from "../api/types.js"
import { now } from "../clock.js"
import { isNewsOf } from "../live/fleet.js"
import { everything } from "../live/pauses.js"
import { href, param, setParams } from "../location.js"
import { wanted } from "../palette/state.js"
import { may } from "../session.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Blank } from "../ui/Blank.js"
import { Button } from "../ui/controls.js"
import { Gauge } from "../ui/Gauge.js"
import { Icon } from "../ui/Icon.js"
import { tight, tighter } from "../ui/media.js"
import { CurlItem, MoreMenu } from "../ui/MoreMenu.js"
import { usePolled } from "../ui/polled.js"
import { type Column, RowTable } from "../ui/RowTable.js"
import { Sheet } from "../ui/Sheet.js"
import { Details } from "./Details.js"
import { Action, DrainDialog, type RowProps } from "./drain.js"
import { PausedNames } from "./PausedNames.js"

const every = 2_000
const isNews = isNewsOf("instances")
/** An event loop that is this late makes everything in the process late. */
const late = 100

/** Where an instance did not say how often it beats. */
const usualBeat = 10_000
/** Two heartbeats that did not come, and what an answer may take, are worth a look. */
const isSilent = ({ beatAt, beatEvery }: Instance): boolean =>
  now.value - Date.parse(beatAt) > 2 * (beatEvery ?? usualBeat) + 5_000

const stateOf = (one: Instance): "live" | "dead" | "draining" | "silent" =>
  one.state === "dead" ? "dead" : isSilent(one) ? "silent" : one.draining ? "draining" : "live"

const Beat = ({ at }: { readonly at: string }) => {
  const millis = Date.parse(at)
  return (
    <time dateTime={at} title={format.fullTime(millis, utc.value)}>
      {t.instances.ago(format.age(now.value - millis))}
    </time>
  )
}

const Name = ({ instance: one }: { readonly instance: Instance }) => {
  const { answering, host, instance, pid, startedAt, state } = one
  const isOpen = param("open") === instance
  return (
    <>
      <span class="name-line">
        <button
          type="button"
          class="unfold"
          aria-expanded={isOpen}
          aria-label={t.instances.details(host)}
          onClick={() => setParams({ open: isOpen ? null : instance }, { replace: true })}
        >
          <Icon name="chevron" size={14} />
          <span title={host}>{host}</span>
        </button>
        {answering ? <span class="mark-word">{t.instances.answering}</span> : null}
      </span>
      <span class="under">
        <a
          class="mono"
          href={href("runs", { q: `instance:${instance}` })}
          title={instance}
          aria-label={`${t.instances.runs} ${instance.slice(0, 8)}`}
        >
          {instance.slice(0, 8)}
        </a>
        {pid === null ? "" : ` · ${t.instances.pid(pid)}`}
        {startedAt === null || state === "dead"
          ? ""
          : (
            <span title={format.fullTime(Date.parse(startedAt), utc.value)}>
              {" · "}
              {t.instances.up(format.age(now.value - Date.parse(startedAt)))}
            </span>
          )}
      </span>
    </>
  )
}

const none = t.instances.notSaid
const unknown = { lag: null, memory: null, slots: null, waiting: null, waits: null } as const

const Row = (props: RowProps) => {
  const { beatAt, instance, state, tasks, versions } = props.instance
  // What a dead one said last is not so any more.
  const { lag, memory, slots, waiting, waits } = state === "live" ? props.instance : unknown
  const shown = stateOf(props.instance)
  return (
    <Fragment>
      <tr class={`is-${shown}`} data-instance={instance}>
        <th scope="row" class="wide">
          <Name instance={props.instance} />
        </th>
        <td data-label={t.instances.state}>
          <span class={`vital is-${shown}`}>
            <i />
            {t.instances.states[shown]}
          </span>
        </td>
        <td data-label={t.instances.beat}>
          <Beat at={beatAt} />
        </td>
        <td data-label={t.instances.slots}>{slots === null ? none : <Gauge {...slots} label={t.instances.slots} />}</td>
        <td class="end" data-label={t.instances.waiting}>
          {waiting === null ? none : format.count(waiting)}
          {waits === null || waits.p95 === null
            ? null
            : (
              <span class="under" title={t.instances.waitWhy(waits.count)}>
                {t.instances.wait(format.duration(waits.p95))}
              </span>
            )}
        </td>
        <td class="end c-vital" data-label={t.instances.lag}>
          {lag === null ? none : <span class={lag >= late ? "raised" : ""}>{format.duration(lag)}</span>}
        </td>
        <td class="end c-vital" data-label={t.instances.memory}>
          {memory === null ? none : (
            <>
              {format.bytes(memory.rss)}
              <span class="under" title={t.instances.heapWhy(format.bytes(memory.heapLimit))}>
                {t.instances.heap(format.bytes(memory.heapUsed))}
              </span>
            </>
          )}
        </td>
        <td class="c-policy" data-label={t.instances.versions}>
          {versions?.app ?? none}
          {versions === null ? null : <span class="under">{t.instances.library(versions.taskflow)}</span>}
        </td>
        <td class="c-policy" data-label={t.instances.tasks}>
          {tasks === null ? none : <span title={tasks.join(", ")}>{t.instances.handlers(tasks.length)}</span>}
        </td>
        <td class="end wide">
          <span class="row-actions">
            <Action {...props} />
            <MoreMenu of={props.instance.host}>
              <CurlItem label={t.curl.drain} path={`instances/${encodeURIComponent(instance)}/drain`} />
              <CurlItem label={t.curl.undrain} path={`instances/${encodeURIComponent(instance)}/undrain`} />
            </MoreMenu>
          </span>
        </td>
      </tr>
      {param("open") === instance
        ? (
          <tr class="more-row">
            <td colSpan={tight.value ? tighter.value ? 6 : 8 : 10}>
              <Details instance={props.instance} />
            </td>
          </tr>
        )
        : null}
    </Fragment>
  )
}

const rank = (one: Instance): number => one.state === "dead" ? 1 : 0

/** The living first, by host: rows stay where they are while figures change. */
const ordered = (items: ReadonlyArray<Instance>): ReadonlyArray<Instance> =>
  [...items].sort((a, b) => rank(a) - rank(b) || a.host.localeCompare(b.host) || a.instance.localeCompare(b.instance))

const noteOf = (items: ReadonlyArray<Instance>): string => {
  const living = items.filter(({ state }) => state === "live")
  const sum = (of: "active" | "max"): number => living.reduce((total, { slots }) => total + (slots?.[of] ?? 0), 0)
  return t.instances.note(living.length, sum("active"), sum("max"))
}

const columns: ReadonlyArray<Column> = [
  { label: t.instances.name },
  { label: t.instances.state, col: "w-state" },
  { label: t.instances.beat, col: "w-beat" },
  { label: t.instances.slots, col: "w-slots" },
  { label: t.instances.waiting, col: "w-waiting", end: true, title: t.instances.waitingWhy },
  { label: t.instances.lag, col: "c-vital w-lag", end: true, title: t.instances.lagWhy },
  { label: t.instances.memory, col: "c-vital w-memory", end: true, title: t.instances.memoryWhy },
  { label: t.instances.versions, col: "c-policy w-versions" },
  { label: t.instances.tasks, col: "c-policy w-tasks" },
  { label: t.schedules.actions, col: "w-action", end: true, silent: true }
]

const Table = ({ items, reload }: { readonly items: ReadonlyArray<Instance>; readonly reload: () => void }) => (
  <RowTable name="instances" caption={t.instances.title} columns={columns}>
    {ordered(items).map((one) => <Row key={one.instance} instance={one} all={items} reload={reload} />)}
  </RowTable>
)

export const InstancesPage = () => {
  const polled = usePolled("instances", endpoints.instances, every, isNews)
  return (
    <>
      <Sheet
        title={t.instances.title}
        note={polled.value === null ? undefined : noteOf(polled.value.items)}
        tools={
          <Button
            icon="pause"
            disabled={!may("pause") || everything.value !== null}
            title={may("pause") ? everything.value === null ? undefined : t.pausing.already : t.run.may("pause")}
            onClick={() => (wanted.value = "pause")}
          >
            {t.pausing.pause}
          </Button>
        }
        above={<PausedNames />}
        failed={t.instances.failed}
        polled={polled}
      >
        {({ items }) =>
          items.length === 0
            ? (
              <Blank title={t.instances.empty}>
                <p>{t.instances.emptyBody}</p>
              </Blank>
            )
            : <Table items={items} reload={polled.reload} />}
      </Sheet>
      <DrainDialog done={polled.reload} />
    </>
  )
}
