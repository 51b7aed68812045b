/** What stands beside the filter: the window of time, the columns, the export. */
import { useState } from "preact/hooks"
import { address } from "../api/request.js"
import { param, setParams } from "../location.js"
import { may } from "../session.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { IconButton } from "../ui/controls.js"
import { Icon } from "../ui/Icon.js"
import { Menu, MenuItem } from "../ui/Menu.js"
import { Views } from "../views/Views.js"
import { ClearHistory } from "./ClearHistory.js"
import { optional } from "./columns.js"
import { FilterLine } from "./FilterLine.js"
import { asked, query } from "./list.js"
import { defaultWindow, windows } from "./query.js"

const custom = (from: string | null, to: string | null): string => {
  const of = (time: string | null): string => time === null ? "…" : format.shortTime(Date.parse(time), utc.value)
  return `${of(from)} – ${of(to)}`
}

const TimeWindow = () => {
  const { from, to, window } = query.value
  const isCustom = from !== null || to !== null
  return (
    <Menu
      grows
      label={t.filter.window}
      button={(open, toggle) => (
        <button type="button" class="btn window" aria-haspopup="menu" aria-expanded={open} onClick={toggle}>
          <Icon name="clock" size={14} />
          <span class="sr">{t.filter.window}:</span>
          {isCustom ? custom(from, to) : t.filter.windows[window]}
          <Icon name="chevron" size={12} />
        </button>
      )}
    >
      {windows.map((one) => (
        <MenuItem
          key={one}
          checked={!isCustom && one === window}
          onSelect={() => setParams({ since: one === defaultWindow ? null : one, from: null, to: null })}
        >
          {t.filter.windows[one]}
        </MenuItem>
      ))}
    </Menu>
  )
}

const Columns = () => {
  const shown = new Set((param("cols") ?? "").split(",").filter((id) => id !== ""))
  const toggle = (id: string, on: boolean): void => {
    const next = optional.map((column) => column.id).filter((one) => one === id ? on : shown.has(one))
    setParams({ cols: next.join(",") }, { replace: true })
  }
  return (
    <Menu
      role="group"
      label={t.filter.columns}
      button={(open, press) => <IconButton icon="columns" label={t.filter.columns} expanded={open} onClick={press} />}
    >
      {optional.map(({ id, label }) => (
        <label key={id} class="check">
          <input
            type="checkbox"
            checked={shown.has(id)}
            onChange={(event) => toggle(id, event.currentTarget.checked)}
          />
          {label}
        </label>
      ))}
    </Menu>
  )
}

const Export = ({ onClear }: { readonly onClear: () => void }) => (
  <Menu
    label={t.filter.exportAs}
    button={(open, toggle) => (
      <IconButton icon="download" label={t.filter.exportAs} expanded={open} popover="menu" onClick={toggle} />
    )}
  >
    <MenuItem href={address("export.csv", { q: asked.value.q }).href} download="">{t.filter.exportCsv}</MenuItem>
    <MenuItem href={address("export.ndjson", { q: asked.value.q }).href} download="">{t.filter.exportNdjson}</MenuItem>
    <hr />
    <MenuItem
      onSelect={onClear}
      disabled={!may("delete")}
      title={may("delete") ? undefined : t.run.may("delete")}
    >
      {t.clear.menu}
    </MenuItem>
  </Menu>
)

export const Toolbar = () => {
  const [clearing, setClearing] = useState(false)
  return (
    <div class="bar-top">
      <FilterLine />
      <TimeWindow />
      <Views />
      <Columns />
      <Export onClear={() => setClearing(true)} />
      {clearing ? <ClearHistory onClose={() => setClearing(false)} /> : null}
    </div>
  )
}
