/** What needs a person beside errors: waiting runs, late schedules, silent instances. Pure. */
import type { Instance, Overview } from "../api/types.js"

/** A run that might have started so long ago means that nobody takes it. */
export const waitsLong = 60_000
/** A live instance that was not heard of for so long. */
export const silentFor = 30_000

export type Need =
  | { readonly kind: "waiting"; readonly since: number; readonly taskName: string }
  | { readonly kind: "late"; readonly name: string; readonly taskName: string; readonly slot: number }
  | { readonly kind: "silent"; readonly instance: string; readonly host: string; readonly beatAt: number }

export const isSilent = ({ beatAt, state }: Instance, now: number): boolean =>
  state === "dead" || now - Date.parse(beatAt) > silentFor

export const needsOf = (
  { late, waiting }: Pick<Overview, "late" | "waiting">,
  instances: ReadonlyArray<Instance>,
  now: number
): ReadonlyArray<Need> => {
  const since = waiting === null ? null : Date.parse(waiting.since)
  return [
    ...waiting === null || since === null || now - since < waitsLong
      ? []
      : [{ kind: "waiting" as const, since, taskName: waiting.taskName }],
    ...late.map(({ name, slot, taskName }) => ({ kind: "late" as const, name, taskName, slot: Date.parse(slot) })),
    ...instances.filter((one) => isSilent(one, now)).map(({ beatAt, host, instance }) => ({
      kind: "silent" as const,
      instance,
      host,
      beatAt: Date.parse(beatAt)
    }))
  ]
}
