/** The table of runs: a window over any number of rows, with the keyboard and the focus of a list. */
import { useComputed } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { param, setParams } from "../location.js"
import { density } from "../settings.js"
import { t } from "../text/en.js"
import { Icon } from "../ui/Icon.js"
import { narrow } from "../ui/media.js"
import { type Column, columnsOf } from "./columns.js"
import { cursor } from "./cursor.js"
import * as hold from "./hold.js"
import * as list from "./list.js"
import { defaultSort, isDescending, sortKeyOf } from "./query.js"
import { RunRow } from "./RunRow.js"
import { everything, select, selected, selectLoaded } from "./selection.js"
import { useWindow } from "./useWindow.js"

const headHeight = 30
const rowHeights = { comfortable: 34, compact: 28 } as const
const narrowHeight = 78
/** How many rows before the end the next page is asked for. */
const ahead = 30

const sortBy = ({ sort }: Column): void => {
  if (sort === undefined) return
  const now = list.query.peek().sort
  const next = sortKeyOf(now) === sort && isDescending(now) ? sort : `-${sort}`
  setParams({ sort: next === defaultSort ? null : next })
}

const Head = ({ column }: { readonly column: Column }) => {
  const { sort } = list.query.value
  const sorted = column.sort !== undefined && sortKeyOf(sort) === column.sort
  return (
    <th
      scope="col"
      class={`c-${column.id}${column.end === true ? " end" : ""}`}
      aria-sort={sorted ? (isDescending(sort) ? "descending" : "ascending") : undefined}
    >
      {column.sort === undefined ? column.label : (
        <button type="button" onClick={() => sortBy(column)}>
          {column.label}
          {sorted ? <Icon name={isDescending(sort) ? "down" : "up"} size={12} /> : null}
        </button>
      )}
    </th>
  )
}

const SelectAll = ({ order }: { readonly order: ReadonlyArray<string> }) => {
  const ref = useRef<HTMLInputElement>(null)
  const some = selected.value.size > 0
  const all = everything.value || some && order.every((id) => selected.value.has(id))
  useEffect(() => {
    if (ref.current !== null) ref.current.indeterminate = some && !all
  })
  return (
    <input
      ref={ref}
      type="checkbox"
      checked={all}
      aria-label={t.table.selectAll}
      onChange={(event) => selectLoaded(order, event.currentTarget.checked)}
    />
  )
}

const onSelect = (id: string, range: boolean): void => select(id, list.order.peek(), range)

export const RunTable = () => {
  const scroller = useRef<HTMLDivElement>(null)
  const columns = useComputed(() => columnsOf(param("cols"))).value
  const order = list.order.value
  const rows = list.rows.value
  const opened = param("run")
  const rowHeight = narrow.value ? narrowHeight : rowHeights[density.value]
  const above = narrow.value ? 0 : headHeight
  const at = cursor.value === null ? -1 : order.indexOf(cursor.value)
  const { height, items, reveal } = useWindow({
    count: order.length,
    rowHeight,
    above,
    scroller,
    keyOf: (index) => order[index] ?? String(index),
    pinned: at < 0 ? null : at
  })
  cursor.reveal = reveal

  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (order.length > 0 && last >= order.length - ahead && list.more.peek() === "idle") void list.loadMore()
  }, [last, order])

  // The list follows the newest rows: what the browser would keep in place must not move away with them.
  const onScroll = (): void => {
    hold.atTop.value = (scroller.current?.scrollTop ?? 0) < 8
  }
  useEffect(() => () => {
    hold.atTop.value = true
    hold.pointerInside.value = false
    hold.focusInside.value = false
  }, [])

  // One cell: a style may hide columns, and a span over them would bring them back.
  const spacer = (key: string, size: number) =>
    size > 0
      ? (
        <tr key={key} class="spacer" aria-hidden="true">
          <td style={{ height: `${size}px` }} />
        </tr>
      )
      : null

  let reached = 0
  const body = items.flatMap((item) => {
    const id = order[item.index]
    const run = id === undefined ? undefined : rows.get(id)
    const start = item.start - above
    const gap = spacer(`gap-${item.index}`, start - reached)
    reached = start + item.size
    return run === undefined
      ? [gap, spacer(`none-${item.index}`, item.size)]
      : [
        gap,
        <RunRow
          key={run.taskId}
          run={run}
          index={item.index + 1}
          columns={columns}
          opened={opened === run.taskId}
          selected={everything.value || selected.value.has(run.taskId)}
          onSelect={onSelect}
        />
      ]
  })
  body.push(spacer("end", height - reached))

  return (
    <div
      class="scroll"
      ref={scroller}
      onScroll={onScroll}
      onPointerMove={() => (hold.pointerInside.value = true)}
      onPointerLeave={() => (hold.pointerInside.value = false)}
      onFocusCapture={() => (hold.focusInside.value = true)}
      onBlurCapture={() => (hold.focusInside.value = false)}
    >
      <table
        class={`runs-table cols-${columns.length}`}
        aria-rowcount={list.meta.value === null || list.meta.value.totalIsFloor ? -1 : list.meta.value.total + 1}
        aria-busy={list.busy.value}
      >
        <caption class="sr">{t.table.caption}</caption>
        <colgroup>
          <col class="c-select" />
          <col class="c-status" />
          <col class="c-task" />
          {columns.map(({ id, width }) => <col key={id} class={`c-${id}`} style={width === null ? {} : { width }} />)}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col" class="c-select">
              <SelectAll order={order} />
            </th>
            <th scope="col" class="c-status">{t.table.status}</th>
            <th scope="col" class="c-task">{t.table.task}</th>
            {columns.map((column) => <Head key={column.id} column={column} />)}
          </tr>
        </thead>
        <tbody>{body}</tbody>
      </table>
    </div>
  )
}
