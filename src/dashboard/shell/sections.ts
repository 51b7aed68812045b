/** The sections of the app, in the order of the navigation. A new page is added here, to `route.ts` and to `Pages.tsx`. */
import type { Permission } from "../api/types.js"
import { live } from "../live/store.js"
import type { Route } from "../route.js"
import { t } from "../text/en.js"

interface Section {
  readonly path: string
  readonly label: string
  /** The pages that belong to it. */
  readonly pages: ReadonlyArray<Route["page"]>
  /** How many of its things wait for a person, and what they are. */
  readonly count?: () => number
  readonly counted?: (value: number) => string
  /** The same where there is little room. */
  readonly short?: (value: number) => string
  /** Shown to those who have it. */
  readonly permission?: Permission
}

export const sections: ReadonlyArray<Section> = [
  { path: "", label: t.sections.overview, pages: ["home"] },
  { path: "runs", label: t.sections.runs, pages: ["runs", "run"] },
  { path: "tasks", label: t.sections.tasks, pages: ["tasks", "task"] },
  { path: "schedules", label: t.schedules.title, pages: ["schedules"] },
  {
    path: "dead-letters",
    label: t.sections.deadLetters,
    pages: ["deadLetters"],
    count: () => live.value.counts?.attention ?? 0,
    counted: t.dead.badge,
    short: t.dead.badgeShort
  },
  { path: "instances", label: t.instances.title, pages: ["instances"] },
  { path: "audit", label: t.audit.title, pages: ["audit"], permission: "audit" }
]
