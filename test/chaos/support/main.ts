import { NodeRuntime } from "@effect/platform-node"
import { type Effect, Exit } from "effect"

/** Exits with 0 only when everything held: not when the run failed, and not when somebody stopped it. */
export const runMain = <E>(held: Effect.Effect<boolean, E>): void =>
  NodeRuntime.runMain(held, {
    disablePrettyLogger: true,
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) && exit.value ? 0 : 1)
  })
