/** What the handlers of TaskHttp share, made once for each mount. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Definition } from "../internal/definition.js"
import * as Signal from "../internal/signal.js"
import { TaskBackendError } from "../TaskError.js"
import { TaskManager } from "../TaskManager.js"
import type { TaskRecord } from "../TaskRecord.js"
import * as Attention from "./attention.js"
import * as Audited from "./audited.js"
import * as Facets from "./facets.js"
import type * as TaskApi from "./TaskApi.js"
import * as TaskRedaction from "./TaskRedaction.js"
import { current, may } from "./TaskUser.js"
import * as TaskView from "./TaskView.js"

/** What may be shown at all, whoever asks. */
export interface DisplayOptions {
  /**
   * Whether payloads, results and log lines are shown, to callers who may see arguments. `"logs"`: log lines alone. Places
   * typed `Schema.Redacted` are always replaced; of tasks whose definition is not registered here, or is of another version,
   * payload and result stay hidden. Default false.
   */
  readonly displayArguments?: boolean | "logs" | undefined
  /** What else is kept from view: by default what is named, or looks, like a secret. */
  readonly redaction?: TaskRedaction.RedactionOptions | undefined
}

export interface Parts {
  readonly manager: TaskManager["Type"]
  readonly attention: Attention.Attention
  readonly audited: Audited.Audited
  /** Notified when somebody did something here. */
  readonly acted: Signal.Signal
  /** How many tasks filters show, remembered for a second. */
  readonly counted: Facets.CountCache
  readonly redaction: TaskRedaction.Redaction
  /** What the caller may see of a task. */
  readonly visible: Effect.Effect<TaskView.Visible>
  readonly definitionOf: (taskName: string) => Effect.Effect<Definition | undefined>
  /** A record by itself, as the caller may see it. */
  readonly detail: (record: TaskRecord) => Effect.Effect<typeof TaskApi.TaskDetail.Type>
}

// What failed is for the server's log; the body of the 503 does not say it.
export const logged = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tapError(
    effect,
    (error) =>
      error instanceof TaskBackendError ? Effect.logError("TaskHttp answers 503", Cause.fail(error)) : Effect.void
  )

export const make = ({ displayArguments = false, redaction: how }: DisplayOptions): Effect.Effect<
  Parts,
  never,
  TaskManager
> =>
  Effect.gen(function*() {
    const manager = yield* TaskManager
    const counted = yield* Facets.make(manager)
    const acted = yield* Signal.make
    const redaction = TaskRedaction.make(how)
    const visible = Effect.map(current, (user): TaskView.Visible => {
      const allowed = displayArguments !== false && may(user, "arguments")
      return { payload: allowed && displayArguments === true, logs: allowed, redaction }
    })
    const definitionOf = (taskName: string) =>
      Effect.map(manager.registered, (definitions) => definitions.find((one) => one.taskName === taskName))
    return {
      manager,
      attention: Attention.make(manager),
      audited: Audited.make(manager, acted.notify),
      acted,
      counted,
      redaction,
      visible,
      definitionOf,
      detail: (record) =>
        Effect.zipWith(definitionOf(record.taskName), visible, (definition, visible) =>
          TaskView.detail(record, definition, visible))
    }
  })
