/** The frame of a table whose rows are entries on a phone: caption, widths, heads. The rows are the page's own. */
import type { ComponentChildren } from "preact"

export interface Column {
  readonly label: string
  /** Of the column: its width, and when it is left out. */
  readonly col?: string
  readonly end?: boolean
  /** What it means, for whoever asks. */
  readonly title?: string
  /** Only said: what the cells hold speaks for itself. */
  readonly silent?: boolean
}

interface RowTableProps {
  readonly name: string
  readonly caption: string
  readonly columns: ReadonlyArray<Column>
  readonly children: ComponentChildren
}

// A column that is left out where room is short says so by the class of its cells.
const leftOut = (col: string): string => col.split(" ").filter((one) => one.startsWith("c-")).join(" ")

export const RowTable = ({ caption, children, columns, name }: RowTableProps) => (
  <table class={`rows ${name}`}>
    <caption class="sr">{caption}</caption>
    <colgroup>
      {columns.map(({ col, label }) => <col key={label} class={col} />)}
    </colgroup>
    <thead>
      <tr>
        {columns.map(({ col = "", end = false, label, silent = false, title }) => (
          <th key={label} scope="col" class={`${end ? "end" : ""} ${leftOut(col)}`.trim() || undefined} title={title}>
            {silent ? <span class="sr">{label}</span> : label}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>{children}</tbody>
  </table>
)
