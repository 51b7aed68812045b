/** A page that is one table: its head, and where the rows are or why there are none. */
import "../style/sheet.css"
import type { ComponentChildren } from "preact"
import type { ApiProblem } from "../api/problem.js"
import { Skeleton } from "../runs/ListStates.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import type { Polled } from "./polled.js"
import { Trouble } from "./Trouble.js"

interface SheetProps<A extends object> {
  readonly title: string
  /** Beside the title. */
  readonly note?: ComponentChildren
  /** What narrows it. */
  readonly tools?: ComponentChildren
  /** Between the head and the rows. */
  readonly above?: ComponentChildren
  readonly failed: string
  readonly polled: Polled<A>
  readonly children: (value: A) => ComponentChildren
}

const Stale = ({ problem }: { readonly problem: ApiProblem }) => (
  <p class="stale" role="status">{t.sheet.stale} {format.sentence(problem.message)}</p>
)

export const Sheet = <A extends object>({ above, children, failed, note, polled, title, tools }: SheetProps<A>) => {
  const { busy, isOfAnother, problem, reload, value } = polled
  // Where a session ended, what was shown stays behind the login.
  const isGone = problem !== null && (value === null || isOfAnother && problem.tag !== "Unauthorized")
  return (
    <div class="sheet">
      {busy && value !== null && isOfAnother ? <div class="progress" /> : null}
      <div class="sheet-head">
        <h1>{title}</h1>
        {note === undefined ? null : <span class="dim">{note}</span>}
        <span class="grow" />
        {tools}
      </div>
      {above}
      <div class="sheet-body">
        {isGone ? <Trouble title={failed} problem={problem} onRetry={reload} /> : value === null ? <Skeleton /> : (
          <>
            {problem === null ? null : <Stale problem={problem} />}
            {children(value)}
          </>
        )}
      </div>
    </div>
  )
}
