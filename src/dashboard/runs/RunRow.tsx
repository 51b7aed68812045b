/** One run of the table. Drawn again only when what it says changed. */
import type { Run } from "../api/types.js"
import { shownStatus } from "../api/types.js"
import { withParams } from "../location.js"
import { t } from "../text/en.js"
import { Status } from "../ui/controls.js"
import { memo } from "../ui/memo.js"
import { TaskName } from "./cells.js"
import type { Column } from "./columns.js"

export interface RunRowProps {
  readonly run: Run
  /** Counted from 1, in the whole list. */
  readonly index: number
  readonly columns: ReadonlyArray<Column>
  readonly opened: boolean
  readonly selected: boolean
  readonly onSelect: (id: string, range: boolean) => void
}

export const RunRow = memo(({ columns, index, onSelect, opened, run, selected }: RunRowProps) => (
  <tr
    class={`${opened ? "opened" : ""} ${selected ? "selected" : ""}`}
    aria-rowindex={index + 1}
    aria-selected={selected}
    data-run={run.taskId}
  >
    <td class="c-select">
      <input
        type="checkbox"
        tabIndex={-1}
        checked={selected}
        aria-label={t.table.selectRun(run.taskName, run.taskId.slice(-8))}
        onClick={(event) => onSelect(run.taskId, event.shiftKey)}
      />
    </td>
    <td class="c-status">
      <Status status={shownStatus(run)} />
    </td>
    <th scope="row" class="c-task">
      <a href={withParams({ run: run.taskId, tab: null })} aria-current={opened ? "true" : undefined}>
        <TaskName run={run} />
      </a>
    </th>
    {columns.map(({ cell, end, id }) => <td key={id} class={`c-${id}${end === true ? " end" : ""}`}>{cell(run)}</td>)}
  </tr>
))
