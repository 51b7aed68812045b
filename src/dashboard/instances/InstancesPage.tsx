/** The page of instances: who is alive, how busy, how late; and asking one to take no more work. */
import { signal } from "@preact/signals"
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import type { Instance } from "../api/types.js"
import { now } from "../clock.js"
import { href } from "../location.js"
import { may } from "../session.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { attempt } from "../ui/attempt.js"
import { Blank } from "../ui/Blank.js"
import { Button } from "../ui/controls.js"
import { Dialog } from "../ui/Dialog.js"
import { usePolled } from "../ui/polled.js"
import { Sheet } from "../ui/Sheet.js"
import { toast } from "../ui/toasts.js"

const every = 2_000
/** From here on a gauge warns: bursts have little room left. */
const nearlyFull = 0.85
/** An event loop that is this late makes everything in the process late. */
const late = 100

const takesWork = ({ draining, state }: Instance): boolean => state === "live" && !draining

/** The one that somebody wants to drain, and whether nobody else takes work. */
const asked = signal<{ readonly instance: Instance; readonly isLast: boolean } | null>(null)

const DrainDialog = ({ done }: { readonly done: () => void }) => {
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

const Gauge = ({ active, max }: { readonly active: number; readonly max: number }) => {
  const part = max === 0 ? 0 : Math.min(1, active / max)
  const full = part >= nearlyFull
  return (
    <span class="gauge">
      <span
        class={full ? "bar full" : "bar"}
        role="meter"
        aria-label={t.instances.slots}
        aria-valuemin={0}
        aria-valuemax={max}
        aria-valuenow={active}
        aria-valuetext={t.instances.slotsOf(active, max)}
      >
        <i style={{ width: `${Math.round(part * 100)}%` }} />
      </span>
      <span>{format.count(active)} / {format.count(max)}</span>
    </span>
  )
}

const stateOf = ({ draining, state }: Instance): "live" | "dead" | "draining" =>
  state === "live" && draining ? "draining" : state

const Beat = ({ at }: { readonly at: string }) => {
  const millis = Date.parse(at)
  return (
    <time dateTime={at} title={format.fullTime(millis, utc.value)}>
      {t.instances.ago(format.age(now.value - millis))}
    </time>
  )
}

interface RowProps {
  readonly instance: Instance
  readonly all: ReadonlyArray<Instance>
  readonly reload: () => void
}

const Action = ({ all, instance: one, reload }: RowProps) => {
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

const Row = (props: RowProps) => {
  const { answering, beatAt, host, instance, pid, state, tasks, versions } = props.instance
  // What a dead one said last is not so any more.
  const { lag, slots, waiting } = state === "live" ? props.instance : { lag: null, slots: null, waiting: null }
  const shown = stateOf(props.instance)
  const none = t.instances.notSaid
  return (
    <tr class={`is-${state}`} data-instance={instance}>
      <th scope="row" class="wide">
        <span class="name-line">
          <b title={host}>{host}</b>
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
        </span>
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
      <td data-label={t.instances.slots}>{slots === null ? none : <Gauge {...slots} />}</td>
      <td class="end" data-label={t.instances.waiting}>{waiting === null ? none : format.count(waiting)}</td>
      <td class="end" data-label={t.instances.lag}>
        {lag === null ? none : <span class={lag >= late ? "raised" : ""}>{format.duration(lag)}</span>}
      </td>
      <td data-label={t.instances.versions}>
        {versions?.app ?? none}
        {versions === null ? null : <span class="under">{t.instances.library(versions.taskflow)}</span>}
      </td>
      <td class="c-policy" data-label={t.instances.tasks}>
        {tasks === null ? none : <span title={tasks.join(", ")}>{t.instances.handlers(tasks.length)}</span>}
      </td>
      <td class="end wide">
        <span class="row-actions">
          <Action {...props} />
        </span>
      </td>
    </tr>
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

const Table = ({ items, reload }: { readonly items: ReadonlyArray<Instance>; readonly reload: () => void }) => (
  <table class="rows instances">
    <caption class="sr">{t.instances.title}</caption>
    <colgroup>
      <col />
      <col class="w-state" />
      <col class="w-beat" />
      <col class="w-slots" />
      <col class="w-waiting" />
      <col class="w-lag" />
      <col class="w-versions" />
      <col class="c-policy w-tasks" />
      <col class="w-action" />
    </colgroup>
    <thead>
      <tr>
        <th scope="col">{t.instances.name}</th>
        <th scope="col">{t.instances.state}</th>
        <th scope="col">{t.instances.beat}</th>
        <th scope="col">{t.instances.slots}</th>
        <th scope="col" class="end" title={t.instances.waitingWhy}>{t.instances.waiting}</th>
        <th scope="col" class="end" title={t.instances.lagWhy}>{t.instances.lag}</th>
        <th scope="col">{t.instances.versions}</th>
        <th scope="col" class="c-policy">{t.instances.tasks}</th>
        <th scope="col" class="end">
          <span class="sr">{t.schedules.actions}</span>
        </th>
      </tr>
    </thead>
    <tbody>
      {ordered(items).map((one) => <Row key={one.instance} instance={one} all={items} reload={reload} />)}
    </tbody>
  </table>
)

export const InstancesPage = () => {
  const polled = usePolled("instances", endpoints.instances, every)
  return (
    <>
      <Sheet
        title={t.instances.title}
        note={polled.value === null ? undefined : noteOf(polled.value.items)}
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
