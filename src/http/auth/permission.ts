/** What a caller may do, asked by every route that changes or reveals something. */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { current, may, type Permission, permissions, type TaskUser } from "../TaskUser.js"

/** 403: whoever asks is known, and may not do this. */
export class TaskForbidden extends Schema.TaggedError<TaskForbidden>()("TaskForbidden", {
  message: Schema.String,
  permission: Schema.Literal(...permissions)
}, HttpApiSchema.annotations({ status: 403, description: "The caller may not do this" })) {}

/** The caller, if they may do this. */
export const requires = (permission: Permission): Effect.Effect<TaskUser, TaskForbidden> =>
  Effect.flatMap(current, (user) =>
    may(user, permission)
      ? Effect.succeed(user)
      : Effect.fail(
        new TaskForbidden({ message: `${user.name} may not do this: ${permission} is not allowed`, permission })
      ))
