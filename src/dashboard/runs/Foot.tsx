/** Below the list: how many there are, how old it is, and what could not be loaded. */
import * as clock from "../clock.js"
import { setParams } from "../location.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Button } from "../ui/controls.js"
import * as list from "./list.js"
import { defaultSort, isDescending, sortKeyOf } from "./query.js"

const sortWords = (): string => {
  const { sort } = list.query.value
  if (sort === defaultSort) return t.list.newest
  const names = {
    created: t.table.age,
    duration: t.table.duration,
    wait: t.table.wait,
    attempts: t.table.tries,
    ended: t.table.ended
  }
  return `${t.list.sortedBy(names[sortKeyOf(sort)].toLowerCase())} ${isDescending(sort) ? "↓" : "↑"}`
}

const Updated = () => {
  void clock.now.value
  const at = list.updatedAt.value
  if (at === null) return null
  const ago = clock.local() - at
  return <span class="c-updated">{ago < 10_000 ? t.list.updatedNow : t.list.updatedAgo(format.age(ago))}</span>
}

/** Which time the list is of, and one click to all of it. */
const Reach = () => {
  const { from, to, window } = list.query.value
  if (from === null && to === null && window === "all") return null
  return (
    <span class="dot">
      {from === null && to === null ? t.filter.windows[window].toLowerCase() : t.filter.chosen}{" "}
      <button type="button" class="link" onClick={() => setParams({ since: "all", from: null, to: null })}>
        {t.list.toAllTime}
      </button>
    </span>
  )
}

export const Foot = () => {
  const meta = list.meta.value
  const failed = list.phase.value.kind === "failed"
  return (
    <footer class="foot">
      {meta === null || failed ? null : <span>{t.list.matching(meta.total, meta.totalIsFloor)}</span>}
      <span class={meta === null || failed ? "c-order" : "dot c-order"}>{sortWords()}</span>
      {failed ? null : <Reach />}
      {meta !== null && !meta.complete ? <span class="dot">{t.list.incomplete}</span> : null}
      {meta !== null && !meta.complete && meta.nextCursor !== null
        ? <Button small onClick={() => void list.loadMore()}>{t.list.searchOn}</Button>
        : null}
      {list.full.value ? <span class="dot" role="status">{t.list.full(list.order.value.length)}</span> : null}
      <span class="grow" />
      {list.more.value === "busy" ? <span role="status">{t.list.loadingMore}</span> : null}
      {list.more.value === "failed"
        ? <Button small onClick={() => void list.loadMore()}>{`${t.list.moreFailed}. ${t.states.tryAgain}`}</Button>
        : null}
      {failed && list.order.value.length > 0 && !list.isOfAnother.value
        ? <Button small onClick={() => void list.reload()}>{`${t.list.notUpdated}. ${t.states.tryAgain}`}</Button>
        : failed
        ? null
        : <Updated />}
    </footer>
  )
}
