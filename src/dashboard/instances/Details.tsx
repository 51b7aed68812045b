/** Everything else that an instance said of itself: the bounds of its tasks, what it has handlers for. */
import type { Instance } from "../api/types.js"
import { href } from "../location.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Gauge } from "../ui/Gauge.js"
import { tight } from "../ui/media.js"
import { Moment } from "../ui/Time.js"

const mostNames = 60

const runsOf = (taskName: string): string => href("runs", { q: `task:${JSON.stringify(taskName)}` })

const Limits = ({ limits, state }: Instance) =>
  limits === null || state === "dead"
    ? <p class="dim">{t.instances.limitsUnknown}</p>
    : limits.length === 0
    ? <p class="dim">{t.instances.noLimits}</p>
    : (
      <ul class="limits">
        {limits.map(({ active, max, taskName }) => (
          <li key={taskName}>
            <a href={runsOf(taskName)} title={taskName}>{taskName}</a>
            <Gauge active={active} max={max} label={t.instances.limitOf(taskName)} />
          </li>
        ))}
      </ul>
    )

export const Details = ({ instance }: { readonly instance: Instance }) => {
  const { instance: id, lag, memory, startedAt, tasks, versions, waits } = instance
  const facts = [
    [t.instances.id, <span class="mono">{id}</span>],
    [t.instances.started, startedAt === null ? t.instances.notSaid : <Moment at={startedAt} />],
    [
      t.instances.heapOf,
      memory === null
        ? t.instances.notSaid
        : t.instances.heapUsed(format.bytes(memory.heapUsed), format.bytes(memory.heapLimit))
    ],
    [
      t.instances.waitOf,
      waits === null || waits.p95 === null
        ? t.instances.notSaid
        : `${format.duration(waits.p95)} (${format.count(waits.count)})`
    ],
    // What the table has no room for then.
    ...tight.value
      ? [
        [t.instances.memory, memory === null ? t.instances.notSaid : format.bytes(memory.rss)],
        [t.instances.lag, lag === null ? t.instances.notSaid : format.duration(lag)],
        [
          t.instances.versions,
          versions === null
            ? t.instances.notSaid
            : [versions.app, t.instances.library(versions.taskflow)].filter((one) => one !== null).join(", ")
        ]
      ] as const
      : []
  ] as const
  return (
    <div class="more">
      <section>
        <h2>{t.instances.limits}</h2>
        <Limits {...instance} />
      </section>
      <section>
        <h2>{t.schedules.facts}</h2>
        <dl class="facts">
          {facts.map(([what, value]) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section>
        <h2>{t.instances.tasks}</h2>
        {tasks === null ? <p class="dim">{t.instances.notSaid}</p> : (
          <div class="tags">
            {tasks.slice(0, mostNames).map((name) => <span key={name} class="tag">{name}</span>)}
            {tasks.length > mostNames ? <span class="dim">+{format.count(tasks.length - mostNames)}</span> : null}
          </div>
        )}
      </section>
    </div>
  )
}
