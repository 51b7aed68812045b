/** No process grows without bound. */
import { type Invariant, of } from "./Finding.js"

const most = 600 * 1_048_576

export const memory: Invariant = ({ seen }) => {
  const large = of(seen, "memory").filter(({ rss }) => rss > most)
  return [...new Set(large.map(({ life }) => life))].map((life) => ({
    taskId: null,
    what: `process ${life} needed more than ${most / 1_048_576} MiB`
  }))
}
