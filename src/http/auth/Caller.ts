/**
 * How the guard came to know who asks. Beside `CurrentUser`, for what only the login and the session need.
 */
import * as Context from "effect/Context"
import type { TaskUser } from "../TaskUser.js"
import type { Session } from "./sessions.js"

export interface CallerInfo {
  readonly user: TaskUser
  /** A `credential` is an Authorization header that was right; the `host` is `authorize` or `make`. */
  readonly via: "open" | "session" | "credential" | "host"
  readonly session: Session | null
}

export class Caller extends Context.Tag("effect-taskflow/http/Caller")<Caller, CallerInfo>() {}
