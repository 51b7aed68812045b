/** The sections of the app, in the order of the navigation. A new page is added here, to `route.ts` and to `Pages.tsx`. */
import type { Route } from "../route.js"
import { t } from "../text/en.js"

interface Section {
  readonly path: string
  readonly label: string
  /** The pages that belong to it. */
  readonly pages: ReadonlyArray<Route["page"]>
}

export const sections: ReadonlyArray<Section> = [
  { path: "runs", label: t.sections.runs, pages: ["runs", "run"] }
]
