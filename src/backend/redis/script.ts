/**
 * Scripts as values: a text, what goes in, what comes out. Each runs as one atomic unit on the server.
 */
import { createHash } from "node:crypto"
import type * as Effect from "effect/Effect"
import type { TaskBackendError } from "../../TaskError.js"

/** What Redis answers a script: text, whole numbers, null, and lists of these. */
export type Reply = string | number | null | ReadonlyArray<Reply>

/** A script of which `args` and `answer` are the typed faces. */
export interface Script<in Request, out Answer> {
  readonly name: string
  readonly lua: string
  readonly sha: string
  readonly args: (request: Request) => Array<string>
  readonly answer: (reply: Reply) => Answer
}

export const define = <Request, Answer>(
  { answer, args, lua, name }: Omit<Script<Request, Answer>, "sha" | "lua"> & { readonly lua: ReadonlyArray<string> }
): Script<Request, Answer> => {
  const text = lua.join("\n")
  return { name, args, answer, lua: text, sha: createHash("sha1").update(text).digest("hex") }
}

// safe (all below): each names what its script returns, in the order of its Lua

export const asText = (reply: Reply): string => reply as string
export const asList = (reply: Reply): ReadonlyArray<Reply> => reply as ReadonlyArray<Reply>
export const asTexts = (reply: Reply): ReadonlyArray<string> => reply as ReadonlyArray<string>

/** Runs a script, with errors as the port has them. */
export type Ask = <Request, Answer>(
  script: Script<Request, Answer>,
  request: Request
) => Effect.Effect<Answer, TaskBackendError>
