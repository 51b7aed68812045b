/**
 * What `POST /auth/login`, `POST /auth/logout` and `GET /auth/session` do, behind the guard.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Guard } from "../guard.js"
import type { TaskApi } from "../TaskApi.js"
import { Unauthorized } from "../TaskProblem.js"
import { allowed, type TaskUser } from "../TaskUser.js"
import { problem } from "./answers.js"
import * as AuthApi from "./AuthApi.js"
import { BodyMalformed, TooManyAttempts } from "./AuthProblem.js"
import { Caller } from "./Caller.js"

type Request = HttpServerRequest.HttpServerRequest

const decodeLogin = Schema.decodeUnknownOption(AuthApi.LoginRequest)

const loggedIn = (
  { access, name }: TaskUser,
  expiresAt: number | null,
  open = false
): typeof AuthApi.LoggedIn.Type => ({
  user: name,
  access,
  permissions: allowed(access),
  expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  open
})

const login = ({ noSuchRoute, sessions, verify }: Guard, request: Request) =>
  Effect.gen(function*() {
    if (verify === null) return noSuchRoute
    const body = decodeLogin(yield* Effect.orDie(request.json))
    if (Option.isNone(body)) {
      return problem(BodyMalformed, new BodyMalformed({ message: "{ username, password } with two texts is expected" }))
    }
    const { password, username } = body.value
    const account = yield* verify.login(request, { username, password: Redacted.make(password) })
    if (account === null) {
      const who = username.slice(0, 100)
      yield* sessions.audit(request, { who, action: "login.failed", target: null, outcome: "denied" })
      return problem(Unauthorized, new Unauthorized({ message: "the username or the password is wrong" }))
    }
    const { expiresAt, renewed, sid, user } = yield* sessions.start(request, account)
    yield* sessions.audit(request, { who: user.name, action: "login", target: sid, outcome: "done" })
    const answer = HttpServerResponse.unsafeJson(loggedIn(user, expiresAt))
    return sessions.setCookie(request, answer, renewed)
  })

const logout = ({ sessions }: Guard, request: Request) =>
  Effect.gen(function*() {
    yield* sessions.end(request)
    return sessions.setCookie(request, HttpServerResponse.empty(), null)
  })

/** The routes of the group, over the parts of the guard that stands before them. */
export const layer = (api: TaskApi, guard: Guard) =>
  HttpApiBuilder.group(api, "auth", (group) =>
    group
      .handleRaw("login", ({ request }) =>
        Effect.catchTags(login(guard, request), {
          TooManyAttempts: (error) =>
            Effect.succeed(problem(TooManyAttempts, error, { "retry-after": `${error.retryAfter}` })),
          TaskAuthUnavailable: guard.unavailable,
          TaskBackendError: guard.unavailable
        }))
      .handleRaw("logout", ({ request }) =>
        Effect.catchTag(logout(guard, request), "TaskBackendError", guard.unavailable))
      .handle("session", () =>
        Effect.map(Effect.context<never>(), (context) => {
          const caller = Context.unsafeGet(context as Context.Context<Caller>, Caller) // safe: the guard provides it
          return loggedIn(caller.user, caller.session?.expiresAt ?? null, caller.via === "open")
        })))
