/** What keys do, and the switch that turns single keys off. */
import { modifier } from "../palette/state.js"
import { shortcuts } from "../settings.js"
import { t } from "../text/en.js"
import { Key } from "../ui/controls.js"
import { Dialog } from "../ui/Dialog.js"
import { helpOpen } from "./helpOpen.js"

const rows: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  [t.keys.palette, [modifier, "K"]],
  [t.keys.next, ["j", "k"]],
  [t.keys.open, ["Enter"]],
  [t.keys.close, ["Esc"]],
  [t.keys.select, ["x"]],
  [t.keys.selectAll, ["Ctrl", "A"]],
  [t.keys.filter, ["/"]],
  [t.keys.facets, ["1", "…", "8"]],
  [t.keys.tabs, ["[", "]"]],
  [t.keys.retry, ["r"]],
  [t.keys.cancel, ["c"]],
  [t.keys.link, ["y"]],
  [t.keys.follow, ["f"]],
  [t.keys.pause, ["p"]],
  [t.keys.fresh, ["."]],
  [t.keys.goOverview, ["g", "o"]],
  [t.keys.goRuns, ["g", "r"]],
  [t.keys.goTasks, ["g", "t"]],
  [t.keys.goDead, ["g", "d"]],
  [t.keys.goSchedules, ["g", "s"]],
  [t.keys.goInstances, ["g", "i"]],
  [t.keys.goAudit, ["g", "a"]],
  [t.keys.help, ["?"]]
]

export const Help = () => (
  <Dialog title={t.keys.title} onClose={() => (helpOpen.value = false)}>
    <dl class="keys">
      {rows.map(([what, keys]) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd>{keys.map((key) => <Key key={key}>{key}</Key>)}</dd>
        </div>
      ))}
    </dl>
    <label class="check">
      <input
        type="checkbox"
        checked={shortcuts.value}
        onChange={(event) => (shortcuts.value = event.currentTarget.checked)}
      />
      {t.account.shortcuts}
    </label>
    <form method="dialog" class="actions">
      <button type="button" class="btn" onClick={() => (helpOpen.value = false)}>{t.close}</button>
    </form>
  </Dialog>
)
