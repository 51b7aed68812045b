/**
 * What handlers ask before they change or reveal something.
 */
import * as Effect from "effect/Effect"
import type { Permission, TaskUser } from "../TaskUser.js"
import { current, may } from "../TaskUser.js"
import { TaskForbidden } from "./AuthProblem.js"

/** The user that asks, if the permission is theirs; `TaskForbidden` (403) if not. */
export const requires = (permission: Permission): Effect.Effect<TaskUser, TaskForbidden> =>
  Effect.flatMap(current, (user) =>
    may(user, permission)
      ? Effect.succeed(user)
      : Effect.fail(
        new TaskForbidden({ message: `this needs the permission "${permission}", which you do not have`, permission })
      ))
