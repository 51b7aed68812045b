/**
 * What a task that is retried with another payload is: everything that follows from the payload is worked out anew, everything
 * that somebody said about the first task stays.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { TaskArgumentError } from "../TaskError.js"
import type { Enqueued } from "../TaskEvent.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { Registered } from "../TaskRegistry.js"
import type { Definition } from "./definition.js"
import { prepare } from "./prepare.js"
import { cut } from "./shown.js"

/** What a retry may say. */
export interface RetryOptions {
  /** Instead of the payload of the first task, in the encoded form. Checked against the definition, which has to be here. */
  readonly payload?: unknown
}

/** Reads a payload that arrives as JSON; what does not fit is a `TaskArgumentError` that says where. */
export const decodeArgument = ({ payload: codec, taskName }: Definition, payload: unknown) =>
  Effect.suspend(() => codec.decode(JSON.stringify(payload ?? {}))).pipe(
    Effect.mapError(({ message, path }) =>
      new TaskArgumentError({
        task: taskName,
        path,
        message: `${taskName}: ${path === "" ? "payload" : cut(path)}: ${message}`
      })
    )
  )

/** What a definition says of a payload by itself. */
interface Own {
  readonly idempotencyKey: string | null
  readonly tags: Readonly<Record<string, string>>
}

// The definition's own functions, which may throw on a payload that they did not expect.
const ownOf = ({ idempotencyKey, tags }: Definition, payload: unknown): Own | undefined => {
  // safe: the functions take the payload type of their task, and the codec of that task decoded it
  const argument = payload as never
  try {
    return { idempotencyKey: idempotencyKey?.(argument) ?? null, tags: tags?.(argument) ?? {} }
  } catch {
    return undefined
  }
}

/** What the call that enqueued the task said, as far as it can be told from what the definition says. */
const saidByCall = (definition: Definition, original: TaskRecord, before: Own | undefined, after: Own | undefined) => {
  const isOwn = before === undefined
    // What it was made from cannot be read: what the definition names today counts as the definition's.
    ? (name: string) => after !== undefined && Object.hasOwn(after.tags, name)
    : (name: string) => before.tags[name] === original.tags[name]
  const hasOwnKey = definition.idempotencyKey !== null &&
    (before === undefined || before.idempotencyKey === original.idempotencyKey)
  return {
    tags: Object.fromEntries(Object.entries(original.tags).filter(([name]) => !isOwn(name))),
    idempotencyKey: hasOwnKey ? undefined : original.idempotencyKey ?? undefined
  }
}

/** The facts of the new task that differ from those of the first one. Nothing is written. */
export const make = (
  { definition, runtime }: Registered,
  original: TaskRecord,
  payload: unknown,
  now: number,
  maxPayloadSize: number
): Effect.Effect<
  Pick<Enqueued, "payload" | "tags" | "idempotencyKey" | "definitionVersion">,
  TaskArgumentError
> =>
  Effect.gen(function*() {
    const decoded = yield* decodeArgument(definition, payload)
    // It may be what the first task failed of: then nothing can be told from it.
    const before = Option.getOrUndefined(
      yield* Effect.option(Effect.suspend(() => definition.payload.decode(original.payload)))
    )
    const said = saidByCall(
      definition,
      original,
      before === undefined ? undefined : ownOf(definition, before),
      ownOf(definition, decoded)
    )
    const ready = yield* prepare(
      definition,
      decoded,
      { ...said, priority: original.priority },
      now,
      maxPayloadSize
    )
    return {
      payload: ready.payload,
      tags: ready.tags,
      idempotencyKey: ready.idempotencyKey,
      definitionVersion: definition.version
    }
    // Whatever the schema needs is where the handler's layer was built.
  }).pipe(Effect.provide(runtime))
