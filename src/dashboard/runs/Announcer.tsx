/** Says to screen readers what happened, now and then and in one sentence: never each row. */
import { useEffect, useState } from "preact/hooks"
import { onFrame } from "../live/store.js"
import { t } from "../text/en.js"

const every = 10_000

export const Announcer = () => {
  const [words, setWords] = useState("")
  useEffect(() => {
    let fresh = 0
    let failed = 0
    const stop = onFrame((frame) => {
      if (frame.t !== "runs") return
      fresh += frame.n.length + (frame.over ?? 0)
      failed += [...frame.n, ...frame.u].filter(({ status }) => status === "failed").length
    })
    const timer = setInterval(() => {
      if (fresh + failed > 0) setWords(t.live.announce(fresh, failed))
      fresh = 0
      failed = 0
    }, every)
    return () => {
      stop()
      clearInterval(timer)
    }
  }, [])
  return <p class="sr" role="status">{words}</p>
}
