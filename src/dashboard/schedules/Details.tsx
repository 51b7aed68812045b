/** Everything else that is known of a schedule: its next times, what it does with missed ones, what it runs with. */
import type { ComponentChildren } from "preact"
import type { Schedule } from "../api/types.js"
import { now } from "../clock.js"
import { href } from "../location.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Moment } from "../ui/Time.js"
import { misfireOf, overlapOf, term, zoneOf } from "./shown.js"

/** How the clock stands in the zone of the schedule; null where that says nothing new, or this browser does not know the zone. */
const inZone = (millis: number, zone: string | null): string | null => {
  if (zone === null) return null
  try {
    const text = format.dayIn(millis, zone)
    return text === format.dayOf(millis, utc.value) ? null : `${text} ${zone}`
  } catch {
    return null
  }
}

const Next = ({ schedule }: { readonly schedule: Schedule }) => {
  const { nextSlots, pausedAt } = schedule
  return (
    <section>
      <h2>{pausedAt === null ? t.schedules.nextFive : t.schedules.nextFivePaused}</h2>
      {nextSlots.length === 0 ? <p class="dim">{t.schedules.none}</p> : (
        <ol class="next-times">
          {nextSlots.map((slot) => {
            const millis = Date.parse(slot)
            const there = inZone(millis, zoneOf(schedule))
            return (
              <li key={slot}>
                <time dateTime={slot} title={format.fullTime(millis, utc.value)}>
                  {format.dayOf(millis, utc.value)}
                </time>
                <span class="dim">{t.schedules.inSpan(format.countdown(Math.max(0, millis - now.value)))}</span>
                {there === null ? null : <span class="dim">{there}</span>}
              </li>
            )
          })}
        </ol>
      )}
    </section>
  )
}

const at = (time: string | null): ComponentChildren => time === null ? t.schedules.off : <Moment at={time} />

export const Details = ({ schedule }: { readonly schedule: Schedule }) => {
  const { executor, name, origin, pausedAt, priority, problem, retiredAt, runOnStartup, tags, taskName } = schedule
  const facts: ReadonlyArray<readonly [string, ComponentChildren]> = [
    [t.schedules.missedSlots, misfireOf(schedule)],
    [t.schedules.overlaps, overlapOf(schedule)],
    [
      t.schedules.onStart,
      runOnStartup === null ? t.schedules.off : runOnStartup ? t.schedules.yes : t.schedules.no
    ],
    [t.schedules.origin, t.schedules.origins[origin]],
    [t.schedules.priority, priority ?? t.schedules.off],
    [t.schedules.executor, executor ?? t.schedules.off],
    [t.schedules.lastSlot, at(schedule.lastSlot)],
    [t.schedules.defined, at(schedule.definedAt)],
    [t.schedules.seen, at(schedule.seenAt)],
    ...pausedAt === null ? [] : [[t.schedules.pausedSince, at(pausedAt)] as const],
    ...retiredAt === null ? [] : [[t.schedules.retiredSince, at(retiredAt)] as const]
  ]
  return (
    <div class="more">
      <Next schedule={schedule} />
      <section>
        <h2>{t.schedules.facts}</h2>
        {problem === null ? null : <p class="trouble">{format.sentence(problem)}</p>}
        <dl class="facts">
          {facts.map(([what, value]) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <div class="tags">
          {Object.entries(tags ?? {}).map(([key, value]) => <span key={key} class="tag">{key}={value}</span>)}
        </div>
      </section>
      <section>
        {schedule.payload === undefined ? null : (
          <>
            <h2>{t.schedules.payload}</h2>
            <pre class="json" tabIndex={0}>{JSON.stringify(schedule.payload, null, 2)}</pre>
          </>
        )}
        <a class="link" href={href("runs", { q: term("schedule", name), since: "all" })}>{t.schedules.allRuns}</a>
        <a class="link" href={href("runs", { q: term("task", taskName) })}>{t.schedules.taskRuns(taskName)}</a>
      </section>
    </div>
  )
}
