/** Who works, and how busy. */
import type { Instance } from "../api/types.js"
import { now } from "../clock.js"
import { href } from "../location.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import type { Polled } from "../ui/polled.js"
import { isSilent, slotsOf } from "./needs.js"

const nearlyFull = 0.85

const byHost = (a: Instance, b: Instance): number =>
  a.host.localeCompare(b.host) || a.instance.localeCompare(b.instance)

const Row = ({ instance: one }: { readonly instance: Instance }) => {
  const { draining, host, instance, slots, state } = one
  const silent = isSilent(one, now.value)
  // What a dead one said last is not so any more.
  const known = state === "live" ? slots : null
  const part = known === null || known.max === 0 ? 0 : Math.min(1, known.active / known.max)
  const mark = silent ? t.overview.silentMark : draining ? t.overview.draining : null
  return (
    <li data-instance={instance}>
      <i class={mark === null ? "dot" : "dot warn"} aria-hidden="true" />
      <a class="what" href={href("runs", { q: `instance:${instance}`, since: "all" })}>
        {host} <span class="dim mono">{instance.slice(0, 8)}</span>
      </a>
      {mark === null ? null : <span class="mark-word late">{mark}</span>}
      {known === null ? <span class="of">{t.overview.none}</span> : (
        <>
          <span
            class={part >= nearlyFull ? "bar full" : "bar"}
            role="meter"
            aria-label={`${host} ${instance.slice(0, 8)}`}
            aria-valuemin={0}
            aria-valuemax={known.max}
            aria-valuenow={known.active}
            aria-valuetext={t.overview.slotsBusy(known.active, known.max)}
          >
            <i style={{ width: `${Math.round(part * 100)}%` }} />
          </span>
          <span class="of">{format.count(known.active)} / {format.count(known.max)}</span>
        </>
      )}
    </li>
  )
}

const shown = 8

export const InstanceList = ({ polled: { problem, value } }: {
  readonly polled: Polled<{ readonly items: ReadonlyArray<Instance> }>
}) => {
  const items = [...value?.items ?? []].sort(byHost)
  const slots = slotsOf(items)
  return (
    <section class="card ov-instances" aria-label={t.overview.instances}>
      <div class="ov-head">
        <h2>{t.overview.instances}</h2>
        {slots === null ? null : <span class="dim">{t.overview.slotsBusy(slots.active, slots.max)}</span>}
        <span class="grow" />
        <a class="link" href={href("instances")}>{t.overview.all}</a>
      </div>
      {value === null && problem !== null
        ? <p class="ov-none stale">{t.overview.instancesFailed} {format.sentence(problem.message)}</p>
        : value !== null && items.length === 0
        ? <p class="ov-none">{t.overview.noInstances}</p>
        : <ul>{items.slice(0, shown).map((one) => <Row key={one.instance} instance={one} />)}</ul>}
    </section>
  )
}
