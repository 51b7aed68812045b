/** How many runs are in each status; choosing one narrows the list to it. */
import type { ShownStatus } from "../api/types.js"
import { setParams } from "../location.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Icon } from "../ui/Icon.js"
import { facets } from "./figures.js"
import { query } from "./list.js"
import { statuses } from "./query.js"

/** Chooses a status; null for all of them. */
export const chooseStatus = (status: ShownStatus | null): void => setParams({ status })

const countOf = (status: ShownStatus): string | null => {
  const known = facets.value
  if (known === null) return null
  return format.countAtLeast(known[status], known.atLeast.includes(status) || !known.complete)
}

const total = (): string | null => {
  const known = facets.value
  if (known === null) return null
  const { cancelled, failed, interrupted, pending, running, success } = known
  return format.countAtLeast(
    pending + running + success + failed + interrupted + cancelled,
    known.atLeast.length > 0 || !known.complete
  )
}

export const FacetRow = () => {
  const chosen = query.value.status
  return (
    <div class="facets" role="group" aria-label={t.filter.statuses}>
      <button type="button" class="facet" aria-pressed={chosen === null} onClick={() => chooseStatus(null)}>
        {t.filter.all}
        <b>{total()}</b>
      </button>
      {statuses.map((status) => (
        <button
          key={status}
          type="button"
          class="facet"
          aria-pressed={chosen === status}
          onClick={() => chooseStatus(chosen === status ? null : status)}
        >
          <span class={`st ${status}`}>
            <Icon name={status} size={14} />
          </span>
          {t.status[status]}
          <b>{countOf(status)}</b>
        </button>
      ))}
    </div>
  )
}
