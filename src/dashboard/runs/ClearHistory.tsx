/** Removes runs that ended long ago: asks how long, does it in parts, and says how many. */
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import { isProblem } from "../api/problem.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Button } from "../ui/controls.js"
import { Dialog } from "../ui/Dialog.js"
import { toast } from "../ui/toasts.js"
import { reload } from "./list.js"

const units = ["day", "hour", "min"] as const
type Unit = typeof units[number]

/** Until the server says that there is no more. */
const clear = async (value: number, unit: Unit, progress: (deleted: number) => void): Promise<number> => {
  let deleted = 0
  for (let complete = false; !complete;) {
    const answer = await endpoints.deleteHistory(value, unit)
    deleted += answer.deleted
    complete = answer.complete || answer.deleted === 0
    progress(deleted)
  }
  return deleted
}

export const ClearHistory = ({ onClose }: { readonly onClose: () => void }) => {
  const [value, setValue] = useState("30")
  const [unit, setUnit] = useState<Unit>("day")
  const [deleted, setDeleted] = useState<number | null>(null)
  const [trouble, setTrouble] = useState<string | null>(null)
  const amount = Number(value)
  const isValid = Number.isInteger(amount) && amount >= 1 && amount <= 100_000

  const go = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!isValid || deleted !== null) return
    setDeleted(0)
    setTrouble(null)
    try {
      toast("good", t.clear.done(await clear(amount, unit, setDeleted)))
      onClose()
      void reload()
    } catch (error) {
      setTrouble(isProblem(error) ? error.message : String(error))
      setDeleted(null)
    }
  }

  return (
    <Dialog title={t.clear.title} onClose={onClose} binding={deleted !== null}>
      <p>{t.clear.body}</p>
      <form class="clear-form" onSubmit={(event) => void go(event)}>
        <label>
          {t.clear.olderThan}
          <input
            type="number"
            min={1}
            max={100_000}
            step={1}
            required
            value={value}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
        </label>
        <select
          aria-label={t.clear.unit}
          value={unit}
          onChange={(event) => setUnit(units[event.currentTarget.selectedIndex] ?? "day")}
        >
          {units.map((one) => <option key={one} value={one}>{t.clear.units[one]}</option>)}
        </select>
        {trouble === null ? null : <p class="trouble" role="alert">{t.run.actionFailed(trouble)}</p>}
        <div class="actions">
          <Button onClick={onClose} disabled={deleted !== null}>{t.clear.keep}</Button>
          <button type="submit" class="btn danger" aria-disabled={!isValid || deleted !== null ? true : undefined}>
            {deleted === null ? t.clear.go : t.clear.progress(format.count(deleted))}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
