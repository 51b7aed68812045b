/** How many runs failed the same way, and the way to them. */
import { useEffect, useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import type { ErrorGroup } from "../api/types.js"
import { now } from "../clock.js"
import { href } from "../location.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"

export const SameError = ({ fingerprint }: { readonly fingerprint: string }) => {
  const [group, setGroup] = useState<ErrorGroup | null>(null)
  useEffect(() => {
    const asking = new AbortController()
    // Without an answer the error stands for itself.
    endpoints.errorGroup(fingerprint, asking.signal).then(setGroup, () => {})
    return () => asking.abort()
  }, [fingerprint])
  if (group === null || group.fingerprint !== fingerprint) return null
  return (
    <>
      <span class="dim">
        {t.run.sameError(group.count, format.nearTime(Date.parse(group.firstSeenAt), now.value, utc.value))}
      </span>
      <span class="grow" />
      <a class="link" href={href("runs", { q: `group:${fingerprint}`, since: "all" })}>{t.run.viewGroup}</a>
    </>
  )
}
