/**
 * What an `authenticate` may answer: a user, where to log in, or that it cannot tell.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { messageOf } from "../../internal/failureOf.js"
import type { TaskUser } from "../TaskUser.js"
import { isAccess, maxNameLength, wiring } from "./passwords.js"

/** Who asks cannot be found out now. Answered with 503: nobody passes. */
export class TaskAuthUnavailable extends Schema.TaggedError<TaskAuthUnavailable>()("TaskAuthUnavailable", {
  cause: Schema.Defect
}) {
  override get message(): string {
    return `who asks cannot be found out now, so nobody passes: ${messageOf(this.cause)}`
  }
}

/** Where a browser should go to log in. Made by `redirect`. */
export interface Redirect {
  readonly _tag: "Redirect"
  readonly url: string
}

/** Sends pages of a browser to `url` to log in. Programs and scripts get 401. Throws for text that is no URL or path. */
export const redirect = (url: string): Redirect =>
  /^[\x21-\x7e]+$/.test(url)
    ? { _tag: "Redirect", url }
    : wiring("TaskAuth.redirect", "url is empty or has spaces, control or non-ASCII characters")

export const isRedirect = (known: TaskUser | Redirect): known is Redirect =>
  "_tag" in known && known._tag === "Redirect"

/** Users that come from elsewhere, looked at before they pass. */
export const checkedUser = (user: TaskUser): Effect.Effect<TaskUser, TaskAuthUnavailable> =>
  typeof user.name === "string" && user.name !== "" && user.name.length <= maxNameLength && isAccess(user.access)
    ? Effect.succeed(user)
    : Effect.fail(
      new TaskAuthUnavailable({
        cause: new Error(
          `auth answered a user with no name of 1 to ${maxNameLength} characters, or with no known access`
        )
      })
    )
