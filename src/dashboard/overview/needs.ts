/** What needs a person beside errors: waiting runs, late schedules, silent instances. Pure. */
import type { Instance, Overview } from "../api/types.js"

/** A run that might have started so long ago means that nobody takes it. */
export const waitsLong = 60_000
/** Another instance that was not heard of for so long. One that is alone need not say that it is alive. */
export const silentFor = 30_000

export type Need =
  | { readonly kind: "waiting"; readonly since: number; readonly taskName: string }
  | { readonly kind: "late"; readonly name: string; readonly taskName: string; readonly slot: number }
  | { readonly kind: "silent"; readonly instance: string; readonly host: string; readonly beatAt: number }

export const isSilent = ({ answering, beatAt, slots, state }: Instance, now: number): boolean =>
  state === "dead" || !answering && slots !== null && now - Date.parse(beatAt) > silentFor

/** Of all that said how many they have; null when none did. */
export const slotsOf = (
  instances: ReadonlyArray<Instance>
): { readonly active: number; readonly max: number } | null => {
  const told = instances.flatMap(({ slots, state }) => state === "live" && slots !== null ? [slots] : [])
  return told.length === 0 ? null : {
    active: told.reduce((sum, { active }) => sum + active, 0),
    max: told.reduce((sum, { max }) => sum + max, 0)
  }
}

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
