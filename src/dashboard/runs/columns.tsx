/** The columns of the table: those that are always there, and those that a person adds. */
import type { JSX } from "preact"
import type { Run } from "../api/types.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Age, Moment } from "../ui/Time.js"
import { Detail, Duration, Tags, Tries } from "./cells.js"
import type { SortKey } from "./query.js"

export interface Column {
  readonly id: string
  readonly label: string
  /** As a CSS length; the one without takes what is left. */
  readonly width: string | null
  readonly end?: boolean
  readonly sort?: SortKey
  readonly cell: (run: Run) => JSX.Element | string
}

const waitOf = ({ createdAt, runAt, startedAt }: Run): string =>
  startedAt === null ? t.run.none : format.duration(Math.max(0, Date.parse(startedAt) - Date.parse(runAt ?? createdAt)))

const moment = (at: string | null): JSX.Element | string => at === null ? t.run.none : <Moment at={at} />

const detail: Column = { id: "detail", label: t.table.detail, width: null, cell: (run) => <Detail run={run} /> }
const run: Column = {
  id: "run",
  label: t.table.run,
  width: "80px",
  cell: ({ taskId }) => <span class="mono dim">{taskId.slice(-8)}</span>
}
const tries: Column = {
  id: "tries",
  label: t.table.tries,
  width: "70px",
  sort: "attempts",
  cell: (run) => <Tries run={run} />
}
const duration: Column = {
  id: "duration",
  label: t.table.duration,
  width: "118px",
  end: true,
  sort: "duration",
  cell: (run) => <Duration run={run} />
}
const created: Column = {
  id: "age",
  label: t.table.age,
  width: "64px",
  end: true,
  sort: "created",
  cell: ({ createdAt }) => <Age at={createdAt} />
}

export const optional: ReadonlyArray<Column> = [
  { id: "tags", label: t.table.tags, width: "180px", cell: (run) => <Tags run={run} /> },
  { id: "started", label: t.table.started, width: "112px", cell: ({ startedAt }) => moment(startedAt) },
  { id: "ended", label: t.table.ended, width: "112px", sort: "ended", cell: ({ endedAt }) => moment(endedAt) },
  { id: "wait", label: t.table.wait, width: "80px", end: true, sort: "wait", cell: waitOf },
  {
    id: "priority",
    label: t.table.priority,
    width: "72px",
    end: true,
    cell: ({ priority }) => <span class={priority >= 8 ? "high" : priority >= 5 ? "raised" : "dim"}>{priority}</span>
  },
  {
    id: "instance",
    label: t.table.instance,
    width: "96px",
    cell: ({ instance }) => <span class="mono dim">{instance === null ? t.run.none : instance.slice(-8)}</span>
  }
]

/** The columns for `cols` of the address. */
export const columnsOf = (cols: string | null): ReadonlyArray<Column> => {
  const wanted = new Set((cols ?? "").split(","))
  return [detail, run, tries, ...optional.filter(({ id }) => wanted.has(id)), duration, created]
}
