/** Enqueues a task by hand. */
import * as endpoints from "../../api/endpoints.js"
import type { Definition } from "../../api/types.js"
import { endpoint } from "../../config.js"
import { href } from "../../location.js"
import { runPath } from "../../route.js"
import { words } from "../../text/task.js"
import { toast } from "../../ui/toasts.js"
import { PayloadDialog } from "./PayloadDialog.js"

const { form: said } = words

interface EnqueueDialogProps {
  readonly task: Definition
  readonly onClose: () => void
  readonly onDone: () => void
}

export const EnqueueDialog = ({ onClose, onDone, task: { definition, taskName } }: EnqueueDialogProps) => (
  <PayloadDialog
    title={said.title(taskName)}
    submit={said.submit}
    submitting={said.submitting}
    schema={definition?.payloadSchema ?? null}
    usualPriority={definition?.priority ?? 0}
    url={endpoint(`definitions/${encodeURIComponent(taskName)}/enqueue`)}
    onClose={onClose}
    send={async (body) => {
      const { outcome, taskId } = await endpoints.enqueue(taskName, body)
      toast(
        "good",
        <>
          {outcome === "deduplicated" ? said.deduplicated : said.enqueued(taskName)}{" "}
          <a class="link" href={href(runPath(taskId))}>{said.open}</a>
        </>
      )
      onDone()
    }}
  />
)
