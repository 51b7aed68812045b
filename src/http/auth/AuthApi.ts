/**
 * Login, logout, and who one is, as a group of the HTTP API.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { TaskBackendError, Unauthorized } from "../TaskProblem.js"
import { permissions } from "../TaskUser.js"
import { AuthUnavailable, BodyMalformed, TooManyAttempts, UnsupportedMediaType } from "./AuthProblem.js"

/** A name and a password. */
export const LoginRequest = Schema.Struct({
  username: Schema.String,
  password: Schema.String
}).annotations({ identifier: "LoginRequest" })

const Permission = Schema.Literal(...permissions)

/** Who asks, and what they may do. */
export const LoggedIn = Schema.Struct({
  user: Schema.String,
  access: Schema.Union(Schema.Literal("viewer", "operator"), Schema.Array(Permission)),
  /** Everything that `access` allows. */
  permissions: Schema.Array(Permission),
  /** When the session ends if it is not used; null without a session. */
  expiresAt: Schema.NullOr(Schema.String.annotations({ jsonSchema: { type: "string", format: "date-time" } })),
  /** Whether everybody passes here. */
  open: Schema.Boolean
}).annotations({ identifier: "LoggedIn" })

export const group = HttpApiGroup.make("auth")
  .add(
    HttpApiEndpoint.post("login", "/auth/login").setPayload(LoginRequest).addSuccess(LoggedIn)
      .addError(Unauthorized)
      .addError(BodyMalformed)
      .addError(UnsupportedMediaType)
      .addError(TooManyAttempts)
      .addError(AuthUnavailable)
      .addError(TaskBackendError)
  )
  .add(
    HttpApiEndpoint.post("logout", "/auth/logout").addSuccess(HttpApiSchema.NoContent).addError(TaskBackendError)
  )
  .add(HttpApiEndpoint.get("session", "/auth/session").addSuccess(LoggedIn).addError(Unauthorized))
