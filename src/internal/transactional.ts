/** What a `transactional` task needs of its surroundings, checked when its handler comes. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { TaskBackend } from "../TaskBackend.js"
import { TaskflowWiringError } from "../TaskError.js"
import type { TaskflowConfig } from "../TaskflowConfig.js"
import type { Definition } from "./definition.js"

/** Dies with a message that says what to change. */
export const check = (
  engine: { readonly backend: TaskBackend["Type"]; readonly config: TaskflowConfig["Type"] },
  definition: Definition
): Effect.Effect<void> => {
  const { concurrency, taskName, timeout, transactional } = definition
  if (!transactional) return Effect.void
  const { backend: { info, transaction }, config: { lease } } = engine
  const refuse = (message: string) =>
    Effect.die(new TaskflowWiringError({ message: `${taskName} is transactional: ${message}` }))
  if (transaction === null) {
    return refuse(`the ${info.kind} backend shares no SqlClient with its handler; use SqlBackend.layer on yours`)
  }
  if (concurrency > transaction.maxConcurrent) {
    return refuse(`set its concurrency to at most ${transaction.maxConcurrent}, the engine needs connections too`)
  }
  if (transaction.exclusive && (timeout === null || timeout > lease / 2)) {
    const half = Duration.format(Duration.millis(lease / 2))
    return refuse(`nobody else can write meanwhile on ${info.kind}; set a timeout of at most ${half}, half the lease`)
  }
  return Effect.void
}
