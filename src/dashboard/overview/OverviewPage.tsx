/** The first page: whether all is well, and if not, what is not. */
import "../style/overview.css"
import * as endpoints from "../api/endpoints.js"
import type { Overview } from "../api/types.js"
import { live } from "../live/store.js"
import { param, setParams } from "../location.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Blank } from "../ui/Blank.js"
import { lazy } from "../ui/lazy.js"
import { LoadFailed } from "../ui/LoadFailed.js"
import { usePolled } from "../ui/polled.js"
import { Segments } from "../ui/Segments.js"
import { Attention } from "./Attention.js"
import { defaultRange, endedOf, type Range, rangeOf, ranges } from "./change.js"
import { Figures } from "./Figures.js"
import { InstanceList } from "./InstanceList.js"
import { ChartsSkeleton, OverviewSkeleton } from "./Skeleton.js"
import { TaskList } from "./TaskList.js"
import { useOverview } from "./useOverview.js"

const { Part: Charts, preload } = lazy<{ readonly overview: Overview; readonly range: Range }>(
  () => import("./Charts.js").then((module) => module.Charts),
  () => <ChartsSkeleton />
)
preload()

const instancesEvery = 5_000

const Head = ({ range }: { readonly range: Range }) => (
  <div class="page-head">
    <h1>{t.sections.overview}</h1>
    <span class="grow" />
    <Segments
      label={t.overview.range}
      choices={ranges.map((one) => [one, t.overview.ranges[one]])}
      at={range}
      onChoose={(next) => setParams({ range: next === defaultRange ? null : next })}
    />
  </div>
)

/** Whether there was never a run, as far as is known: nothing is kept, nothing ended. */
const isEmpty = ({ current, pending, previous, running }: Overview): boolean => {
  const counts = live.value.counts?.c
  return counts !== undefined && Object.values(counts).every((many) => many === 0) &&
    pending + running + endedOf(current) + endedOf(previous) === 0
}

const Empty = () => (
  <Blank title={t.states.empty}>
    <p>{t.overview.emptyBody}</p>
    <code class="code">{t.states.emptyCode}</code>
    <p class="dim">{t.overview.emptyMore}</p>
  </Blank>
)

export const OverviewPage = () => {
  const range = rangeOf(param("range"))
  const polled = useOverview(range)
  const instances = usePolled("instances", endpoints.instances, instancesEvery)
  const { busy, isOfAnother, problem, reload, value } = polled
  // Where a session ended, what was shown stays behind the login.
  const isStale = problem !== null && problem.tag !== "Unauthorized"
  return (
    <div class="page overview">
      {busy && value !== null && isOfAnother ? <div class="progress" /> : null}
      <Head range={range} />
      {isStale && (value === null || isOfAnother)
        ? <LoadFailed title={t.overview.failed} problem={problem} onRetry={reload} />
        : value === null
        ? <OverviewSkeleton />
        : isEmpty(value)
        ? <Empty />
        : (
          <>
            {isStale
              ? <p class="stale" role="status">{t.overview.stale} {format.sentence(problem.message)}</p>
              : null}
            <div class="ov-grid" aria-busy={isOfAnother}>
              <Figures overview={value} range={range} instances={instances.value?.items ?? null} />
              <Charts overview={value} range={range} />
              <TaskList overview={value} range={range} />
              <div class="ov-side">
                <Attention overview={value} instances={instances.value?.items ?? []} />
                <InstanceList polled={instances} />
              </div>
            </div>
          </>
        )}
    </div>
  )
}
