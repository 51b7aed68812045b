/** One group of errors: what went wrong, where, how often and when, and what can be done about it. */
import type { ErrorGroup } from "../api/types.js"
import { href, withParams } from "../location.js"
import { may } from "../session.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Button } from "../ui/controls.js"
import { CurlItem, MoreMenu } from "../ui/MoreMenu.js"
import { Age } from "../ui/Time.js"

export const titleOf = ({ sample, taskName }: ErrorGroup): string =>
  `${sample.name || t.dead.unnamed}: ${sample.message || t.dead.noMessage} · ${taskName}`

const runsOf = (group: ErrorGroup, run: string | null = null): string =>
  href("runs", { q: `group:${group.fingerprint}`, since: "all", run })

interface GroupRowProps {
  readonly group: ErrorGroup
  readonly onRetry: (group: ErrorGroup) => void
  readonly onDismiss: (group: ErrorGroup) => void
}

const Actions = ({ group, onDismiss, onRetry }: GroupRowProps) => {
  const isDismissed = group.dismissed === group.count
  return (
    <>
      {isDismissed ? null : (
        <Button
          small
          kind="quiet"
          label={t.dead.dismissOf(titleOf(group))}
          disabled={!may("dismiss")}
          title={may("dismiss") ? t.dead.dismissWhy : t.run.may("dismiss")}
          onClick={() => onDismiss(group)}
        >
          {t.dead.dismiss}
        </Button>
      )}
      <Button
        small
        label={t.dead.retryOf(titleOf(group))}
        disabled={!may("retry")}
        title={may("retry") ? undefined : t.run.may("retry")}
        onClick={() => onRetry(group)}
      >
        {t.dead.retry}
      </Button>
    </>
  )
}

export const GroupRow = (props: GroupRowProps) => {
  const { count, dismissed, fingerprint, firstSeenAt, lastSeenAt, lastTask, sample, taskName } = props.group
  const since = count - dismissed
  return (
    <tr data-group={fingerprint}>
      <th scope="row" class="c-error">
        <a class="what" href={runsOf(props.group)}>
          <b>{sample.name || t.dead.unnamed}</b> {sample.message || t.dead.noMessage}
        </a>
        <span class="under">
          {sample.frame === null ? null : <span class="mono">{sample.frame}</span>}
          <a class="link" href={runsOf(props.group, lastTask)}>{t.dead.lastRun}</a>
        </span>
      </th>
      <td class="c-of">
        <a href={withParams({ task: taskName })} title={t.dead.onlyTask(taskName)}>{taskName}</a>
      </td>
      <td class="c-count end">
        <a class="tally" href={runsOf(props.group)} title={t.dead.showRuns(count)}>{format.count(count)}</a>
        {dismissed > 0 && since > 0 ? <span class="under">{t.dead.since(since)}</span> : null}
      </td>
      <td class="c-first end" data-label={t.dead.first}>
        <Age at={firstSeenAt} />
      </td>
      <td class="c-last end" data-label={t.dead.last}>
        <Age at={lastSeenAt} />
      </td>
      <td class="c-do end">
        <Actions {...props} />
        <MoreMenu of={titleOf(props.group)}>
          <CurlItem label={t.curl.retry} path={`errors/${encodeURIComponent(fingerprint)}/retry`} />
          <CurlItem label={t.curl.dismiss} path={`errors/${encodeURIComponent(fingerprint)}/dismiss`} />
        </MoreMenu>
      </td>
    </tr>
  )
}
