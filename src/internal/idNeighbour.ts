/** The id directly before or behind another: where a page begins that is to include that one. Pure. */
import { isTaskId, type TaskId } from "../TaskId.js"

const digits = "0123456789abcdef"
const variants = "89ab"

// The version digit is the same in every id; the variant has four values.
const alphabetAt = (index: number): string | null => index === 14 ? null : index === 19 ? variants : digits

/** Null behind the last and before the first of all ids. */
export const neighbourOf = (taskId: TaskId, side: "before" | "behind"): TaskId | null => {
  const step = side === "behind" ? 1 : -1
  const found = [...taskId]
  for (let index = found.length - 1; index >= 0; index -= 1) {
    const alphabet = alphabetAt(index)
    if (alphabet === null || found[index] === "-") continue
    const at = alphabet.indexOf(found[index]!) + step
    found[index] = alphabet.at(at % alphabet.length)!
    if (at >= 0 && at < alphabet.length) break
    if (index === 0) return null
  }
  const text = found.join("")
  return isTaskId(text) ? text : null
}
