/** Does something that the server may refuse, and says so then. */
import { isProblem } from "../api/problem.js"
import { t } from "../text/en.js"
import { toast } from "./toasts.js"

export const attempt = async (act: () => Promise<void>): Promise<void> => {
  try {
    await act()
  } catch (error) {
    if (!isProblem(error)) throw error
    toast("bad", t.run.actionFailed(error.message))
  }
}
