/**
 * From a call of `enqueue` to the facts of a new task: the payload encoded, the call's options over the definition's.
 *
 * Everything that can be wrong with a call is found here, before anything is written.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { TaskArgumentError } from "../TaskError.js"
import { answered } from "./codec.js"
import { type Definition, maxPriority } from "./definition.js"
import { messageOf } from "./failureOf.js"
import { cut, inWords, quoted } from "./shown.js"

/** What one call of `enqueue` may say. What is absent comes from the definition. */
export interface EnqueueOptions {
  /** While a task of this name holds the key, a second enqueue answers that task's id. 1 to 1,024 characters. Default: the definition's. */
  readonly idempotencyKey?: string | undefined
  /** Added to the definition's; of equal names the call's count. At most 64, names to 128 and values to 1,024 characters. Default: none. */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** Higher first; any whole number of 32 bits. Default: the definition's. */
  readonly priority?: number | undefined
  /** Start no earlier than this from now. Not together with `runAt`. Default: at once. */
  readonly delay?: Duration.DurationInput | undefined
  /** Start no earlier than this moment. Not together with `delay`. Default: at once. */
  readonly runAt?: DateTime.DateTime.Input | undefined
  /**
   * Whether the task is kept in the backend, or in this instance's memory alone, with its key, and lost with the process.
   * Default: the definition's.
   */
  readonly persist?: boolean | undefined
  /** Inside `BackgroundTasks`: start now instead of after the response. A plain enqueue never waits for a response. Default: the definition's. */
  readonly eager?: boolean | undefined
}

/** The options of a call over those of its definition. */
export interface Prepared {
  /** JSON text. */
  readonly payload: string
  readonly idempotencyKey: string | null
  readonly tags: Readonly<Record<string, string>>
  readonly priority: number
  /** Epoch milliseconds, or null for at once. */
  readonly runAt: number | null
  readonly eager: boolean
  readonly persist: boolean
}

type Problem = { readonly path: string; readonly message: string }

// The last moment of a Date, in epoch milliseconds.
const maxMoment = 8_640_000_000_000_000

const noTags: Readonly<Record<string, string>> = {}

const tagProblem = (tags: Readonly<Record<string, string>>): Problem | undefined => {
  const entries = Object.entries(tags)
  if (entries.length > 64) return { path: "tags", message: `${entries.length} tags: at most 64` }
  for (const [name, value] of entries) {
    if (name.length === 0 || name.length > 128) {
      return { path: "tags", message: `${quoted(name)} is no name of a tag: 1 to 128 characters` }
    }
    if (typeof value !== "string") return { path: `tags.${name}`, message: `a tag is text, this is a ${typeof value}` }
    if (value.length > 1024) {
      return { path: `tags.${name}`, message: `a tag has at most 1,024 characters, this has ${value.length}` }
    }
  }
  return undefined
}

const runAtOf = (options: EnqueueOptions, now: number): number | null | Problem => {
  if (options.delay !== undefined && options.runAt !== undefined) {
    return { path: "delay", message: "delay and runAt are both given: choose one" }
  }
  if (options.delay !== undefined) {
    const delay = Option.getOrUndefined(Duration.decodeUnknown(options.delay))
    if (delay === undefined || !Duration.isFinite(delay)) {
      return { path: "delay", message: `${inWords(options.delay)} is not a duration, as "5 minutes"` }
    }
    const millis = Duration.toMillis(delay)
    if (now + millis > maxMoment) {
      return { path: "delay", message: `${inWords(options.delay)} is beyond what a date can hold` }
    }
    return millis > 0 ? now + Math.ceil(millis) : null
  }
  if (options.runAt === undefined) return null
  const moment = DateTime.make(options.runAt)
  if (Option.isNone(moment)) {
    return {
      path: "runAt",
      message: `${
        inWords(options.runAt)
      } is not a moment in time: a DateTime, a Date, epoch milliseconds or a text as "2030-01-31T09:00:00Z"`
    }
  }
  const millis = Math.ceil(DateTime.toEpochMillis(moment.value))
  return millis > now ? millis : null
}

// The definition's own functions of the payload, which may throw on a payload that they did not expect.
const called = (
  definition: Pick<Definition, "tags" | "idempotencyKey">,
  argument: never,
  options: EnqueueOptions
): { readonly idempotencyKey: string | null; readonly own: Readonly<Record<string, string>> | undefined } | Problem => {
  let path = "idempotencyKey"
  try {
    const idempotencyKey = options.idempotencyKey ?? definition.idempotencyKey?.(argument) ?? null
    path = "tags"
    return { idempotencyKey, own: definition.tags?.(argument) }
  } catch (error) {
    return { path, message: `the definition's function threw: ${messageOf(error)}` }
  }
}

/** Checks a call's options over those of the definition. `payload` is the decoded payload that the definition's functions see. */
export const resolve = (
  definition: Pick<Definition, "priority" | "tags" | "idempotencyKey" | "eager" | "persist" | "transactional">,
  payload: unknown,
  options: EnqueueOptions,
  now: number
): Omit<Prepared, "payload"> | Problem => {
  // safe: the definition's functions take the payload type of the task that this payload was given for
  const argument = payload as never
  const callbacks = called(definition, argument, options)
  if ("path" in callbacks) return callbacks
  const { idempotencyKey, own } = callbacks
  if (idempotencyKey !== null && typeof idempotencyKey !== "string") {
    return { path: "idempotencyKey", message: `an idempotency key is text, this is a ${typeof idempotencyKey}` }
  }
  if (idempotencyKey !== null && (idempotencyKey.length === 0 || idempotencyKey.length > 1024)) {
    return {
      path: "idempotencyKey",
      message: `an idempotency key has 1 to 1,024 characters, this has ${idempotencyKey.length}`
    }
  }
  const tags = options.tags === undefined
    ? own ?? noTags
    : own === undefined
    ? options.tags
    : { ...own, ...options.tags }
  const wrongTag = tags === noTags ? undefined : tagProblem(tags)
  if (wrongTag !== undefined) return wrongTag
  const priority = options.priority ?? definition.priority
  if (!Number.isSafeInteger(priority) || Math.abs(priority) > maxPriority) {
    return { path: "priority", message: `priority is ${inWords(priority)}: a whole number of 32 bits` }
  }
  const runAt = runAtOf(options, now)
  if (runAt !== null && typeof runAt === "object") return runAt
  const persist = options.persist ?? definition.persist
  if (!persist && definition.transactional) {
    return { path: "persist", message: "a transactional task ends in the database, so it is kept there" }
  }
  return { idempotencyKey, tags, priority, runAt, eager: options.eager ?? definition.eager, persist }
}

/**
 * Encodes the payload and resolves the options, or says what is wrong and where. The work is done in the call, and a schema may
 * throw: call inside an effect. Answers an Exit where the schema needs no waiting.
 */
export const prepareNow = (
  definition: Definition,
  input: unknown,
  options: EnqueueOptions,
  now: number,
  maxPayloadSize: number
): Effect.Effect<Prepared, TaskArgumentError> => {
  const refuse = (path: string, message: string): TaskArgumentError =>
    new TaskArgumentError({
      task: definition.taskName,
      path,
      message: `${definition.taskName}: ${path === "" ? "payload" : cut(path)}: ${message}`
    })
  let payload: unknown
  try {
    payload = definition.complete(input)
  } catch {
    // The constructor of a Schema.Class refused: encoding the same input says where, without showing secrets.
    payload = input
  }
  const checked = (text: string): Effect.Effect<Prepared, TaskArgumentError> => {
    if (text.length > maxPayloadSize) {
      return Effect.fail(
        refuse(
          "",
          `${text.length} characters of JSON, the limit is ${maxPayloadSize}: store it elsewhere and pass a reference`
        )
      )
    }
    const resolved = resolve(definition, payload, options, now)
    if ("path" in resolved) return Effect.fail(refuse(resolved.path, resolved.message))
    const { eager, idempotencyKey, persist, priority, runAt, tags } = resolved
    return Effect.succeed({ payload: text, idempotencyKey, tags, priority, runAt, eager, persist })
  }
  const encoded = definition.payload.encode(payload)
  // The common case, without the two steps that an effect would take.
  const ready = answered(encoded)
  if (ready !== undefined) return checked(ready.value)
  return Effect.matchEffect(encoded, {
    onFailure: ({ message, path }) => Effect.fail(refuse(path, message)),
    onSuccess: checked
  })
}

/** As `prepareNow`, when it is run. */
export const prepare = (...call: Parameters<typeof prepareNow>): ReturnType<typeof prepareNow> =>
  Effect.suspend(() => prepareNow(...call))

/** Several calls in order. One effect for all of them where no schema needs one: one for each was a tenth of an enqueue. */
export const prepareAll = (
  payloads: ReadonlyArray<unknown>,
  prepareOne: (payload: unknown, index: number) => ReturnType<typeof prepareNow>
): Effect.Effect<ReadonlyArray<Prepared>, TaskArgumentError> =>
  Effect.suspend(() => {
    const all: Array<Prepared> = []
    const step = (): Effect.Effect<ReadonlyArray<Prepared>, TaskArgumentError> => {
      while (all.length < payloads.length) {
        const one = prepareOne(payloads[all.length], all.length)
        // safe: an effect that is an Exit is the Exit of its own value
        const done = Exit.isExit(one) ? one as Exit.Exit<Prepared, TaskArgumentError> : null
        if (done === null || Exit.isFailure(done)) return Effect.flatMap(one, (ready) => (all.push(ready), step()))
        all.push(done.value)
      }
      return Effect.succeed(all)
    }
    return step()
  })
