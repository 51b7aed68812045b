/** What a schedule is at the moment, which of them are shown, and its times in words. Pure but for the address. */
import type { Schedule } from "../api/types.js"
import { t } from "../text/en.js"

export const states = ["active", "paused", "retired", "unreadable"] as const
export type State = typeof states[number]

/** The one that says most: what nobody defines does not fire, whatever else it is. */
export const stateOf = ({ pausedAt, problem, retiredAt }: Schedule): State =>
  retiredAt !== null ? "retired" : problem !== null ? "unreadable" : pausedAt !== null ? "paused" : "active"

export const fits = (find: string, state: string | null) => (schedule: Schedule): boolean => {
  const text = find.trim().toLowerCase()
  return (state === null || stateOf(schedule) === state) &&
    (schedule.name.toLowerCase().includes(text) || schedule.taskName.toLowerCase().includes(text))
}

export interface When {
  readonly words: string
  /** The expression and the time zone it is meant in. */
  readonly exact: string | null
}

export const whenOf = ({ trigger, when, words }: Schedule): When => {
  if (trigger === null || when === null) return { words: t.schedules.off, exact: null }
  if ("every" in trigger) return { words: when, exact: null }
  return words === null
    ? { words: trigger.cron, exact: trigger.timezone }
    : { words, exact: `${trigger.cron} · ${trigger.timezone}` }
}

export const zoneOf = ({ trigger }: Schedule): string | null =>
  trigger !== null && "timezone" in trigger ? trigger.timezone : null

export const misfireOf = ({ maxCatchUp, misfire }: Schedule): string =>
  misfire === null
    ? t.schedules.off
    : misfire === "all"
    ? t.schedules.misfire.all(maxCatchUp)
    : t.schedules.misfire[misfire]

export const overlapOf = ({ overlap }: Schedule): string =>
  overlap === null ? t.schedules.off : t.schedules.overlap[overlap]

/** Words of the filter that show the runs of something. */
export const term = (key: string, value: string): string =>
  `${key}:${/^[\w.-]+$/.test(value) ? value : JSON.stringify(value)}`
