/** Removes runs that ended long ago: asks how long, says how many that are, and does it in parts. */
import { useEffect, useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import { isAborted, isProblem } from "../api/problem.js"
import type { HistoryDeleted } from "../api/types.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Button } from "../ui/controls.js"
import { Dialog } from "../ui/Dialog.js"
import { Icon } from "../ui/Icon.js"
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

type Counted =
  | { readonly kind: "counting" }
  | { readonly kind: "unknown" }
  | { readonly kind: "counted"; readonly found: HistoryDeleted }
  | { readonly kind: "failed"; readonly message: string }

const typing = 300

/** How many that would be, a moment after the typing stopped. */
const useCount = (amount: number, unit: Unit, isValid: boolean): Counted => {
  const [counted, setCounted] = useState<Counted>({ kind: "counting" })
  useEffect(() => {
    if (!isValid) return setCounted({ kind: "unknown" })
    setCounted({ kind: "counting" })
    const asking = new AbortController()
    const timer = setTimeout(() => {
      endpoints.deleteHistory(amount, unit, true, asking.signal).then(
        (found) => setCounted({ kind: "counted", found }),
        (error) => {
          if (!isAborted(error)) {
            setCounted({ kind: "failed", message: isProblem(error) ? error.message : String(error) })
          }
        }
      )
    }, typing)
    return () => {
      clearTimeout(timer)
      asking.abort()
    }
  }, [amount, unit, isValid])
  return counted
}

const HowMany = ({ counted }: { readonly counted: Counted }) => (
  <p class="how-many" role="status">
    {counted.kind === "counting"
      ? t.clear.counting
      : counted.kind === "failed"
      ? t.clear.notCounted(counted.message)
      : counted.kind === "unknown"
      ? null
      : (
        <>
          <Icon name={counted.found.deleted === 0 ? "success" : "warning"} size={14} />
          {t.clear.many(counted.found.deleted, !counted.found.complete)}
        </>
      )}
  </p>
)

export const ClearHistory = ({ onClose }: { readonly onClose: () => void }) => {
  const [value, setValue] = useState("30")
  const [unit, setUnit] = useState<Unit>("day")
  const [deleted, setDeleted] = useState<number | null>(null)
  const [trouble, setTrouble] = useState<string | null>(null)
  const amount = Number(value)
  const isValid = Number.isInteger(amount) && amount >= 1 && amount <= 100_000
  const counted = useCount(amount, unit, isValid)
  const nothing = counted.kind === "counted" && counted.found.deleted === 0
  // Nobody removes what they were not told the number of; where it cannot be counted, it cannot be removed either.
  const isReady = isValid && counted.kind === "counted" && !nothing && deleted === null

  const go = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!isReady) return
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
        <HowMany counted={counted} />
        {trouble === null ? null : <p class="trouble" role="alert">{t.run.actionFailed(trouble)}</p>}
        <div class="actions">
          <Button onClick={onClose} disabled={deleted !== null}>{t.clear.keep}</Button>
          <button type="submit" class="btn danger" aria-disabled={isReady ? undefined : true}>
            {deleted !== null
              ? t.clear.progress(format.count(deleted))
              : counted.kind === "counted" && !nothing
              ? t.clear.goMany(counted.found.deleted, !counted.found.complete)
              : t.clear.go}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
