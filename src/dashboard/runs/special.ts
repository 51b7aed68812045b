/** What is special about a run, in words and as the name of a sign. Pure. */
import type { Run } from "../api/types.js"
import { t } from "../text/en.js"
import type { IconName } from "../ui/Icon.js"

export interface Mark {
  readonly icon: IconName
  /** A few words. */
  readonly label: string
  /** The same with the facts. */
  readonly title: string
}

/** Whether its process died, or lost its lease, under it. */
export const isRescued = ({ crashes, status }: Run): boolean => crashes > 0 && status !== "interrupted"

export const marksOf = (run: Run): ReadonlyArray<Mark> => {
  const { crashes, idempotencyKey, retryOf, schedule, source } = run
  return [
    ...source === "scheduled"
      ? [
        {
          icon: "clock",
          label: t.table.scheduled,
          title: schedule === null ? t.table.scheduled : t.table.scheduledBy(schedule.name)
        } as const
      ]
      : [],
    ...retryOf === null
      ? []
      : [{ icon: "retrying", label: t.run.retryOf, title: `${t.run.retryOf} ${retryOf.slice(-8)}` } as const],
    ...isRescued(run)
      ? [{ icon: "rescued", label: t.marks.rescued, title: t.marks.rescuedAfter(crashes) } as const]
      : [],
    ...idempotencyKey === null
      ? []
      : [{ icon: "key", label: t.marks.keyed, title: t.marks.keyedBy(idempotencyKey) } as const]
  ]
}
