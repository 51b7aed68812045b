/** Runs again what failed: one group, or everything within some time. What would happen is counted first. */
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import type { ErrorGroup, ManyRetried } from "../api/types.js"
import { t } from "../text/en.js"
import { ConfirmMany, type ManyDone } from "../ui/ConfirmMany.js"
import { Segments } from "../ui/Segments.js"
import { type Window, windows } from "./query.js"

const done = ({ dispatched, nextCursor, reasons }: ManyRetried): ManyDone => ({
  done: dispatched,
  reasons,
  nextCursor
})

const words = { can: t.bulk.canRetry, go: t.bulk.doRetry, done: t.bulk.retried }

interface DialogProps {
  readonly onClose: () => void
  readonly onDone: () => void
}

export const RetryGroup = ({ group, onClose, onDone }: DialogProps & { readonly group: ErrorGroup }) => (
  <ConfirmMany
    words={{
      ...words,
      title: t.dead.retryTitle,
      body: (
        <>
          {t.dead.allAre} <b>{group.taskName}</b> {t.dead.withError(group.sample.name || t.dead.unnamed)}{" "}
          {t.dead.retryAfter}
        </>
      )
    }}
    kind="primary"
    take={async (dryRun, cursor) => done(await endpoints.retryGroup(group.fingerprint, { dryRun, cursor }))}
    request={() => ({ action: "retry", selection: { group: group.fingerprint } })}
    onClose={onClose}
    onDone={onDone}
  />
)

const filterOf = (since: Window, task: string | null) => ({
  status: ["failed", "interrupted"] as const,
  ...task === null ? {} : { task },
  ...since === "all" ? {} : { q: `since:${since}` }
})

export const RetryWindow = (
  { onClose, onDone, task, window: first }: DialogProps & { readonly window: Window; readonly task: string | null }
) => {
  const [since, setSince] = useState<Window>(first)
  return (
    <ConfirmMany
      words={{ ...words, title: t.dead.windowTitle, body: t.dead.windowBody(task) }}
      kind="primary"
      what={since}
      take={async (dryRun, cursor) =>
        done(await endpoints.retryFailed({ since, task: task ?? undefined, dryRun, cursor }))}
      request={() => ({ action: "retry", selection: { filter: filterOf(since, task) } })}
      onClose={onClose}
      onDone={onDone}
    >
      <div class="choice">
        <Segments
          label={t.dead.windowCreated}
          choices={windows.map((one) => [one, t.dead.windows[one]])}
          at={since}
          onChoose={setSince}
        />
      </div>
    </ConfirmMany>
  )
}
