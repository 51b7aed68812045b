/**
 * Who asks, and what they may do. Made by `TaskAuth`, checked by every route that changes or reveals something.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** What can be allowed one by one. Whoever may pass at all may read tasks, logs, counts and instances. */
export const permissions = [
  "retry",
  "cancel",
  "enqueue",
  "pause",
  "schedules",
  "drain",
  "dismiss",
  "delete",
  /** To see payloads and results, where `displayArguments` shows them at all. */
  "arguments",
  /** To read what others did. */
  "audit"
] as const

/** What a user may be allowed, one by one. */
export type Permission = typeof permissions[number]

/** `viewer` reads everything and changes nothing, `operator` may do everything; or exactly what is listed. */
export type Access = "viewer" | "operator" | ReadonlyArray<Permission>

/** Somebody who may pass. */
export interface TaskUser {
  /** As the audit trail names them. */
  readonly name: string
  /** What they may do. */
  readonly access: Access
}

const ofViewers: ReadonlyArray<Permission> = ["arguments", "audit"]

/** Everything that this access allows. */
export const allowed = (access: Access): ReadonlyArray<Permission> =>
  access === "operator"
    ? permissions
    : access === "viewer"
    ? ofViewers
    : permissions.filter((one) => access.includes(one))

/** Whether a user may do this. */
export const may = (user: TaskUser, permission: Permission): boolean => allowed(user.access).includes(permission)

/** Whoever sent the request that is being answered. Provided by the guard, which stands before every route. */
export class CurrentUser extends Context.Tag("effect-taskflow/http/CurrentUser")<CurrentUser, TaskUser>() {}

/** The same for handlers whose types do not tell of the guard. */
export const current: Effect.Effect<TaskUser> = Effect.flatMap(
  Effect.context<never>(),
  (context) =>
    Option.match(Context.getOption(context, CurrentUser), {
      onNone: () => Effect.dieMessage("a route of TaskHttp is not behind the guard"),
      onSome: Effect.succeed
    })
)
