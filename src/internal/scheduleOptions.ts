/**
 * From what a program says of a schedule to its definition. Everything that can be wrong with it is found here, before
 * anything is stored.
 */
import type * as Cron from "effect/Cron"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ScheduleDefinition } from "../ScheduleStore.js"
import type { Any, Input } from "../Task.js"
import { type TaskArgumentError, TaskScheduleError } from "../TaskError.js"
import type { Misfire, Overlap, ScheduleFacts } from "../TaskScheduleInfo.js"
import type { Definition } from "./definition.js"
import { prepare } from "./prepare.js"
import * as ScheduleSpec from "./scheduleSpec.js"
import { inWords, quoted } from "./shown.js"
import * as Trigger from "./trigger.js"

/** When its slots are: every so long, or as a cron expression says. */
export type When =
  | {
    /** From the moment it was first defined on; 10 milliseconds to 3,650 days. */
    readonly every: Duration.DurationInput
    /** Not together with `every`. */
    readonly cron?: undefined
    /** Not together with `every`. */
    readonly timezone?: undefined
  }
  | {
    /** Five fields (minute, hour, day, month, weekday), or six with seconds before them; or a Cron of Effect. */
    readonly cron: string | Cron.Cron
    /** As `"Europe/Rome"` or `"+02:00"`. Default UTC. */
    readonly timezone?: string | undefined
    /** Not together with `cron`. */
    readonly every?: undefined
  }

/** What each run gets: required when the task has a payload. */
export type WithPayload<T extends Any> = void extends Input<T> ? {
    /** The task has none, so it is left out. */
    readonly payload?: undefined
  }
  : {
    /** What each run gets. May only be left out of a task without one. */
    readonly payload: Input<T>
  }

/** How else it runs. */
export interface Ways {
  /** Default: the task's name. A name belongs to one schedule; 1 to 200 characters. */
  readonly name?: string | undefined
  /**
   * What becomes of slots that nobody was there to fire: `skip` none of them, `once` one run for all of them, `all` each of
   * them, oldest first. Default once.
   */
  readonly misfire?: Misfire | undefined
  /** With `misfire: "all"`: how many at most, the newest. 1 to 1,000, default 100. */
  readonly maxCatchUp?: number | undefined
  /** `skip`: no run while the one before has not ended. Default allow. */
  readonly overlap?: Overlap | undefined
  /** One more run when an instance starts; one for all that start within ten seconds. Default false. */
  readonly runOnStartup?: boolean | undefined
  /** Added to the task's own. Default: none. */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** Default: the task's. */
  readonly priority?: number | undefined
}

/** When a schedule fires, with which payload, and how its runs are treated. */
export type Options<T extends Any> = When & WithPayload<T> & Ways

/** The same with the types taken off. */
export interface Source extends Ways {
  readonly every?: Duration.DurationInput | undefined
  readonly cron?: string | Cron.Cron | undefined
  readonly timezone?: string | undefined
  readonly payload?: unknown
}

/** A definition together with what its `spec` says. `anchor` is the moment it was made. */
export interface Made {
  readonly definition: ScheduleDefinition
  readonly facts: ScheduleFacts
}

const misfires: ReadonlyArray<string> = ["skip", "once", "all"]
const overlaps: ReadonlyArray<string> = ["allow", "skip"]
const maxMaxCatchUp = 1_000

const nameProblem = (name: unknown): string | undefined =>
  typeof name === "string" && /^[^\p{Cc}]{1,200}$/u.test(name)
    ? undefined
    : "the name has 1 to 200 characters and no control characters"

const oneOf = (path: string, value: unknown, allowed: ReadonlyArray<string>): string | undefined =>
  typeof value === "string" && allowed.includes(value)
    ? undefined
    : `${path} is ${inWords(value)}: one of ${allowed.join(", ")}`

/** Checks the options of a schedule of this task, and makes its definition as of `now`. */
export const make = (
  task: Definition,
  source: Source,
  origin: ScheduleDefinition["origin"],
  now: number,
  maxPayloadSize: number
): Effect.Effect<Made, TaskScheduleError | TaskArgumentError> =>
  Effect.gen(function*() {
    const { maxCatchUp = 100, misfire = "once", name = task.taskName, overlap = "allow", runOnStartup = false } = source
    const refuse = (path: string, message: string) =>
      new TaskScheduleError({
        schedule: String(name),
        path,
        message: `schedule ${quoted(String(name))} of task ${quoted(task.taskName)}: ${message}`
      })
    const problems: ReadonlyArray<readonly [path: string, message: string | undefined]> = [
      ["name", nameProblem(name)],
      ["misfire", oneOf("misfire", misfire, misfires)],
      ["overlap", oneOf("overlap", overlap, overlaps)],
      [
        "maxCatchUp",
        Number.isInteger(maxCatchUp) && maxCatchUp >= 1 && maxCatchUp <= maxMaxCatchUp
          ? undefined
          : `maxCatchUp is ${inWords(maxCatchUp)}: a whole number from 1 to ${maxMaxCatchUp}`
      ],
      [
        "runOnStartup",
        typeof runOnStartup === "boolean" ? undefined : `runOnStartup is ${inWords(runOnStartup)}: true or false`
      ]
    ]
    for (const [path, message] of problems) if (message !== undefined) return yield* refuse(path, message)
    const trigger = yield* Either.mapLeft(Trigger.make(source), ({ message, path }) => refuse(path, message))
    const { priority, tags } = source
    const prepared = yield* prepare(task, source.payload, { tags, priority }, now, maxPayloadSize)
    const facts: ScheduleFacts = {
      trigger,
      misfire,
      maxCatchUp,
      overlap,
      runOnStartup,
      payload: prepared.payload,
      priority: prepared.priority,
      tags: prepared.tags,
      idempotencyKey: prepared.idempotencyKey,
      keyTtl: task.keyTtl,
      executor: task.executor,
      requeueOnInterrupt: task.requeueOnInterrupt,
      maxCrashes: task.maxCrashes,
      definitionVersion: task.version
    }
    const spec = ScheduleSpec.write(facts)
    return {
      facts,
      definition: {
        name,
        taskName: task.taskName,
        definition: ScheduleSpec.definitionOf(task.taskName, spec),
        origin,
        anchor: now,
        spec
      }
    }
  })
