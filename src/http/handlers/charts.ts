/**
 * Counts and sums: of everything, of a window of time, of a filter. Answers are kept for a moment, so that however many look,
 * the backend is asked once.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Charts from "../charts.js"
import * as Facets from "../facets.js"
import { suggest } from "../filter/suggest.js"
import * as Overview from "../overview.js"
import { logged, type Parts } from "../parts.js"
import * as Prometheus from "../prometheus.js"
import * as RenewedCache from "../renewedCache.js"
import type { TaskApi } from "../TaskApi.js"
import * as TaskView from "../TaskView.js"

const day = 86_400_000

interface Asked {
  readonly task: string | undefined
  readonly window: number
  readonly points: number
}

// A chart of a day need not be asked for as often as one of an hour.
const keptFor = (window: number): Duration.Duration =>
  Duration.millis(Math.min(30_000, Math.max(1_000, window / 5_000)))

export const layer = (api: TaskApi, parts: Parts) =>
  Layer.unwrapEffect(Effect.gen(function*() {
    const { manager } = parts

    const series = yield* RenewedCache.make({
      // A series may weigh half a megabyte, and whoever may look may ask for as many different ones as they like.
      capacity: 50,
      lookup: ({ points, task, window }: Asked) =>
        Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          const width = Charts.widthOf(window, points)
          const from = Charts.slotOf(now - window, width)
          const rollups = yield* manager.rollups({ since: from, until: now + 1, width, taskName: task })
          return { rollups, width, from, now, keep: keptFor(window) }
        }),
      timeToLive: Exit.match({ onFailure: () => Duration.zero, onSuccess: ({ keep }) => keep })
    })

    const metrics = yield* RenewedCache.make({
      capacity: 200,
      lookup: (task: string | undefined) => manager.stats({ taskName: task }),
      // Shared by those who ask at the same time; whoever asks later hears the latest.
      timeToLive: () => Duration.zero
    })

    const overview = yield* Overview.make(parts)
    const text = yield* Prometheus.make(manager)

    return HttpApiBuilder.group(api, "charts", (group) =>
      group
        .handle("metrics", ({ urlParams: { task } }) => Effect.map(logged(metrics.get(task)), TaskView.metrics))
        .handle("stats", ({ urlParams: { task, window = day } }) =>
          Effect.map(
            logged(series.get(Data.struct({ task, window, points: Charts.maxPoints }))),
            ({ from, now, rollups }) => Charts.windowStats(rollups, from, now)
          ))
        .handle("buckets", ({ urlParams: { points = 60, task, window = day } }) =>
          Effect.map(
            logged(series.get(Data.struct({ task, window, points }))),
            ({ from, now, rollups, width }) => ({
              width,
              items: Charts.buckets(rollups, { from, to: now + 1, width })
            })
          ))
        .handle("overview", ({ urlParams: { window = "1h" } }) => logged(overview(window)))
        .handle("durations", ({ urlParams: { task, window = day } }) =>
          Effect.map(
            logged(series.get(Data.struct({ task, window, points: Charts.maxPoints }))),
            ({ from, now, rollups }) => Charts.durations(rollups, from, now)
          ))
        .handle("facets", ({ urlParams }) => logged(Facets.facets(parts, urlParams)))
        .handle("suggest", ({ urlParams: { caret, text: typed } }) =>
          logged(Effect.map(Facets.facts(parts), (facts) => ({
            items: suggest(typed, caret ?? typed.length, facts)
          }))))
        .handleRaw("prometheus", () => logged(text)))
  }))
