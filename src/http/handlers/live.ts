/** What changes, as it changes: one hub for all who listen. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Batches } from "../batches/Batches.js"
import * as Charts from "../charts.js"
import type { Guard } from "../guard.js"
import type { Parts } from "../parts.js"
import * as ManagerSources from "../stream/managerSources.js"
import * as StreamHub from "../stream/StreamHub.js"
import type { TaskApi } from "../TaskApi.js"
import { allowed, current } from "../TaskUser.js"

export interface LiveOptions {
  /** How many streams may be open at once in this instance; one more is refused with 503, and polls. Default 100. */
  readonly maxStreams?: number | undefined
}

const minute = 60_000

/** The minute that is, as the stream tells it: `h` is the histogram of durations. */
const latestMinute = (manager: Parts["manager"]) =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const ts = Charts.slotOf(now, minute)
    const rollups = yield* manager.rollups({ since: ts, until: now + 1, width: minute })
    const { durations, ends, waits } = Charts.sumOf(rollups)
    return {
      ts,
      ok: ends.success,
      bad: ends.failed,
      other: ends.interrupted + ends.cancelled,
      wait95: Charts.spread(waits).p95,
      h: [...durations.buckets].sort(([a], [b]) => a - b)
    }
  })

export const layer = (
  api: TaskApi,
  { acted, attention, manager, redaction, visible }: Parts,
  guard: Guard,
  { batches, build, maxStreams }: LiveOptions & { readonly build: string; readonly batches: Batches }
) =>
  Layer.unwrapScoped(Effect.map(
    // Closes before the server does, so that whoever listens is told.
    StreamHub.make({
      ...ManagerSources.make(manager, redaction),
      bucket: latestMinute(manager),
      batches: batches.recent,
      onBatch: batches.onChange,
      fleet: { read: ManagerSources.fleet(manager), acted },
      build,
      capabilities: ({ access, name }) => ({ user: name, permissions: [...allowed(access)] }),
      maxStreams
    }),
    (hub) => {
      attention.onChange(hub.lookAtAttention)
      const visitor = Effect.gen(function*() {
        const user = yield* current
        const request = yield* HttpServerRequest.HttpServerRequest
        return { user, mayReadLogs: (yield* visible).logs, stillAllowed: guard.stillKnows(request, user) }
      })
      return HttpApiBuilder.group(api, "live", (group) =>
        group
          .handleRaw("stream", () => Effect.flatMap(visitor, hub.stream))
          .handleRaw("changes", () => Effect.flatMap(visitor, hub.changes)))
    }
  ))
