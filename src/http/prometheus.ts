/**
 * Counters and gauges in the text format of Prometheus (version 0.0.4), from roll-ups and what the instances say of themselves.
 *
 * Of the whole fleet: asking one instance is enough, but for what only the answering one knows of itself. Counters only grow,
 * whatever retention removes.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { TaskBackendError } from "../TaskError.js"
import type { TaskManager } from "../TaskManager.js"
import type { InstanceInfo } from "../TaskPeer.js"
import type { Unfinished } from "../TaskQuery.js"
import type { Rollup } from "../TaskRollup.js"
import * as OwnMetrics from "./ownMetrics.js"

type Labels = Readonly<Record<string, string>>

/** One metric with all that is known of it. `suffix` is what a part of a summary or histogram adds to the name. */
export interface Family {
  readonly name: string
  readonly type: "counter" | "gauge" | "summary" | "histogram"
  readonly help: string
  readonly samples: ReadonlyArray<readonly [labels: Labels, value: number, suffix?: string]>
}

// What the format says of label values.
const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\"", "\\\"")

const labelled = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`
}

const lines = ({ help, name, samples, type }: Family): string =>
  [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([labels, value, suffix = ""]) => `${name}${suffix}${labelled(labels)} ${value}`)
  ].join("\n")

const seconds = (millis: number): number => millis / 1_000

const statuses = ["success", "failed", "interrupted", "cancelled"] as const

const summary = (name: string, help: string, of: "durations" | "waits", ended: ReadonlyArray<Rollup>): Family => ({
  name,
  type: "summary",
  help,
  samples: ended.flatMap((rollup) => {
    const labels = { task: rollup.taskName ?? "" }
    return [[labels, seconds(rollup[of].sum), "_sum"], [labels, rollup[of].count, "_count"]] as const
  })
})

interface Facts {
  readonly ended: ReadonlyArray<Rollup>
  readonly unfinished: Unfinished
  readonly instances: ReadonlyArray<InstanceInfo>
  readonly now: number
  /** What the answering instance counts of itself. */
  readonly own: ReadonlyArray<Family>
}

/** The text. Pure. */
export const render = ({ ended, instances, now, own, unfinished }: Facts): string => {
  const live = instances.filter(({ state }) => state === "live")
  const of = (value: (info: InstanceInfo) => number | undefined) =>
    live.flatMap((info) => {
      const found = value(info)
      return found === undefined ? [] : [[{ instance: info.id }, found] as const]
    })
  const families: ReadonlyArray<Family> = [
    {
      name: "taskflow_tasks_pending",
      type: "gauge",
      help: "Tasks that have not started.",
      samples: unfinished.tasks.map(({ pending, taskName }) => [{ task: taskName }, pending])
    },
    {
      name: "taskflow_tasks_running",
      type: "gauge",
      help: "Tasks that run, or wait for their next attempt.",
      samples: unfinished.tasks.map(({ running, taskName }) => [{ task: taskName }, running])
    },
    {
      name: "taskflow_tasks_ended_total",
      type: "counter",
      help: "Tasks that ended, by how.",
      samples: ended.flatMap(({ ends, taskName }) =>
        statuses.map((status) => [{ task: taskName ?? "", status }, ends[status]] as const)
      )
    },
    summary(
      "taskflow_task_duration_seconds",
      "From first start to end, of what succeeded or failed.",
      "durations",
      ended
    ),
    summary("taskflow_task_wait_seconds", "From when a task might have started to its first start.", "waits", ended),
    {
      name: "taskflow_instances",
      type: "gauge",
      help: "Instances that are alive.",
      samples: [[{}, live.length]]
    },
    {
      name: "taskflow_instance_slots",
      type: "gauge",
      help: "Attempts that an instance may run at once.",
      samples: of(({ vitals }) => vitals?.slots.max)
    },
    {
      name: "taskflow_instance_slots_active",
      type: "gauge",
      help: "Attempts that an instance runs.",
      samples: of(({ vitals }) => vitals?.slots.active)
    },
    {
      name: "taskflow_instance_waiting",
      type: "gauge",
      help: "Tasks that an instance holds ready.",
      samples: of(({ vitals }) => vitals?.waiting)
    },
    {
      name: "taskflow_instance_event_loop_lag_seconds",
      type: "gauge",
      help: "How late the event loop of an instance was at worst between its last two heartbeats.",
      samples: of(({ vitals }) => vitals === null ? undefined : seconds(vitals.lag))
    },
    {
      name: "taskflow_instance_heartbeat_age_seconds",
      type: "gauge",
      help: "Time since an instance was heard of.",
      samples: of(({ beatAt }) => seconds(Math.max(0, now - beatAt)))
    },
    ...own
  ]
  return `${families.map(lines).join("\n")}\n`
}

/** The answer to `GET /metrics/prometheus`: asked for once in five seconds, whoever scrapes. */
export const make = (
  manager: TaskManager["Type"]
): Effect.Effect<Effect.Effect<HttpServerResponse.HttpServerResponse, TaskBackendError>> =>
  Effect.map(
    Effect.cachedWithTTL(
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const all = { since: 0, until: now + 1, width: Number.POSITIVE_INFINITY, byTask: true, histograms: false }
        const [ended, unfinished, instances] = yield* Effect.all(
          [manager.rollups(all), manager.unfinished, manager.instances],
          { concurrency: 3 }
        )
        return render({ ended, unfinished, instances, now, own: OwnMetrics.families(manager.instance) })
      }),
      "5 seconds"
    ),
    Effect.map((text) => HttpServerResponse.text(text, { contentType: "text/plain; version=0.0.4; charset=utf-8" }))
  )
