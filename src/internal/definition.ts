/**
 * What `Task.make` was told, checked once and with every default filled in. What the engine works with.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as RetryPolicy from "../RetryPolicy.js"
import { TaskDefinitionError } from "../TaskError.js"
import type { TaskRecord } from "../TaskRecord.js"
import * as Codec from "./codec.js"
import * as JsonForm from "./jsonForm.js"
import * as PayloadSchema from "./payloadSchema.js"
import { inWords, quoted } from "./shown.js"

/** A checked definition. Its functions take the payload type of the task it was made for. */
export interface Definition {
  readonly taskName: string
  /** Grows with the payload's shape: an instance leaves tasks of a newer version to instances that know it. */
  readonly version: number
  readonly payload: Codec.Codec<never>
  readonly success: Codec.Codec<never> | null
  readonly error: Codec.Codec<never> | null
  /** Fills in the defaults of a payload written without them. */
  readonly complete: (input: unknown) => unknown
  readonly retry: RetryPolicy.Retry<unknown>
  /** Milliseconds for one attempt, or null. */
  readonly timeout: number | null
  readonly priority: number
  readonly concurrency: number
  readonly requeueOnInterrupt: boolean
  readonly transactional: boolean
  /** Whether its tasks are kept in the backend, or in this instance's memory alone. */
  readonly persist: boolean
  readonly maxCrashes: number
  readonly eager: boolean
  readonly executor: TaskRecord["executor"]
  readonly keyTtl: number | null
  readonly idempotencyKey: ((payload: never) => string) | null
  readonly tags: ((payload: never) => Readonly<Record<string, string>>) | null
  /** JSON Schema of the payload's encoded form, for those who build forms; null where there is none to give. */
  readonly payloadJsonSchema: () => unknown
  /** Said once, when the handler's layer is built. */
  readonly warnings: ReadonlyArray<string>
}

/** `Task.Options` with the types taken off. */
export interface Source {
  readonly payload?: unknown
  readonly success?: Schema.Schema.All | undefined
  readonly error?: Schema.Schema.All | undefined
  readonly retry?: unknown
  readonly timeout?: Duration.DurationInput | undefined
  readonly priority?: number | undefined
  readonly concurrency?: number | undefined
  readonly requeueOnInterrupt?: boolean | undefined
  readonly transactional?: boolean | undefined
  readonly persist?: boolean | undefined
  readonly maxCrashes?: number | undefined
  readonly eager?: boolean | undefined
  readonly executor?: TaskRecord["executor"] | undefined
  readonly keyTtl?: Duration.DurationInput | undefined
  readonly version?: number | undefined
  readonly idempotencyKey?: ((payload: never) => string) | undefined
  readonly tags?: Readonly<Record<string, string>> | ((payload: never) => Readonly<Record<string, string>>) | undefined
}

/** The largest priority, and the smallest with its sign turned: what a 32-bit column holds. */
export const maxPriority = 2_147_483_647

const executors: ReadonlyArray<TaskRecord["executor"]> = ["fiber", "thread", "process"]

const hasFields = (schema: unknown): schema is { readonly fields: Schema.Struct.Fields } =>
  Predicate.hasProperty(schema, "fields")

const hasDefault = (field: Schema.Struct.Field): boolean => {
  if (!Schema.isPropertySignature(field)) return false
  // safe: what a property signature has in its place of a schema's AST
  const ast = field.ast as unknown as Schema.PropertySignature.AST
  return (ast._tag === "PropertySignatureDeclaration" ? ast : ast.to).defaultValue !== undefined
}

// A struct fills in constructor defaults, a class wants an instance; anything else is given as it is.
const completer = (schema: Schema.Schema.All): (input: unknown) => unknown => {
  if (!hasFields(schema)) return (input) => input
  if (Object.keys(schema.fields).length === 0) return (input) => input ?? {}
  if (Predicate.hasProperty(schema, "identifier") && typeof schema === "function") {
    // safe: a schema with fields and an identifier is a Schema.Class, whose constructor validates its props
    const Class = schema as unknown as new(props: unknown) => object
    return (input) => input instanceof Class ? input : new Class(input)
  }
  // safe: every other schema with fields is a Struct; validation is left to the encoding that follows
  const struct = schema as unknown as { make: (props: unknown, options: { disableValidation: true }) => unknown }
  if (typeof struct.make !== "function") return (input) => input
  const make = (input: unknown) => struct.make(input, { disableValidation: true })
  // Most have no defaults, and making a struct of what is one already is a fiftieth of a task.
  if (Object.values(schema.fields).some(hasDefault)) return make
  return (input) => Predicate.isRecord(input) ? input : make(input)
}

/** What a task can be called. */
export const isTaskName = (name: string): boolean => /^[^\p{Cc}]{1,200}$/u.test(name)
export const taskNameExpected = "has 1 to 200 characters and no control characters"

/** Checks and completes a definition. Throws `TaskDefinitionError`, which names the part and says what to write instead. */
export const make = (
  taskName: string,
  source: Source
): { readonly definition: Definition; readonly payloadSchema: Schema.Schema.Any } => {
  const fail = (path: string, message: string): never => {
    throw new TaskDefinitionError({ task: taskName, path, message: `task ${quoted(taskName)}: ${message}` })
  }
  const checked = <S extends Schema.Schema.All>(part: string, schema: S): S => {
    const problem = JsonForm.problemOfSchema(schema)
    if (problem === undefined) return schema
    const path = problem.path === "" ? part : `${part}${problem.path.startsWith("[") ? "" : "."}${problem.path}`
    return fail(path, `${path}: ${problem.what} is not JSON; use a schema whose encoded side is`)
  }
  const whole = (
    name: "priority" | "concurrency" | "maxCrashes" | "version",
    value: number,
    min: number,
    max: number
  ): number =>
    Number.isSafeInteger(value) && value >= min && value <= max
      ? value
      : fail(name, `${name} is ${inWords(value)}: a whole number from ${min} to ${max}`)
  const millis = (name: "timeout" | "keyTtl", input: Duration.DurationInput | undefined): number | null => {
    if (input === undefined) return null
    const value = Option.match(Duration.decodeUnknown(input), { onNone: () => Number.NaN, onSome: Duration.toMillis })
    return value > 0 && Number.isFinite(value)
      ? Math.ceil(value)
      : fail(name, `${name} is ${inWords(input)}: a duration longer than zero, as "30 seconds"`)
  }

  if (!isTaskName(taskName)) fail("name", `the name ${taskNameExpected}`)
  const given = source.payload ?? {}
  // safe: Task.make accepts a schema or the fields of a struct, nothing else
  const payloadSchema = checked(
    "payload",
    Schema.isSchema(given) ? given as Schema.Schema.Any : Schema.Struct(given as Schema.Struct.Fields)
  )
  // safe: the shapes that Task.Options allows for `retry`, with the error type taken off
  const retry = (source.retry ?? RetryPolicy.none) as RetryPolicy.Retry<unknown>
  const problem = RetryPolicy.problemOf(retry)
  if (Option.isSome(problem)) fail("retry", problem.value)
  const { executor = "fiber", tags } = source
  if (!executors.includes(executor)) {
    fail("executor", `executor is ${inWords(executor)}: one of ${executors.join(", ")}`)
  }
  if (executor !== "fiber" && source.transactional === true) {
    fail("executor", `a transactional task runs in the transaction of this process: executor ${executor} is elsewhere`)
  }
  if (source.persist === false && source.transactional === true) {
    fail("persist", "transactional ends the task in the database, persist: false keeps it out of there: choose one")
  }

  const payload = Codec.make(payloadSchema as Schema.Schema<unknown>)
  // Asked for whenever somebody looks at tasks, and the same each time.
  let payloadJsonSchema: { readonly value: unknown } | undefined
  return {
    payloadSchema,
    definition: {
      taskName,
      version: whole("version", source.version ?? 1, 1, maxPriority),
      payload,
      success: source.success === undefined
        ? null
        : Codec.make(checked("success", source.success) as Schema.Schema<unknown>),
      error: source.error === undefined ? null : Codec.make(checked("error", source.error) as Schema.Schema<unknown>),
      complete: completer(payloadSchema),
      retry,
      timeout: millis("timeout", source.timeout),
      priority: whole("priority", source.priority ?? 0, -maxPriority, maxPriority),
      concurrency: source.concurrency === undefined
        ? Number.POSITIVE_INFINITY
        : whole("concurrency", source.concurrency, 1, maxPriority),
      requeueOnInterrupt: source.requeueOnInterrupt ?? source.retry !== undefined,
      transactional: source.transactional ?? false,
      persist: source.persist ?? true,
      maxCrashes: whole("maxCrashes", source.maxCrashes ?? 3, 1, maxPriority),
      eager: source.eager ?? false,
      executor,
      keyTtl: millis("keyTtl", source.keyTtl),
      idempotencyKey: source.idempotencyKey ?? null,
      tags: tags === undefined ? null : typeof tags === "function" ? tags : () => tags,
      payloadJsonSchema: () =>
        (payloadJsonSchema ??= { value: PayloadSchema.make(payloadSchema, payload.secrets) }).value,
      warnings: Option.toArray(RetryPolicy.warningOf(retry))
    }
  }
}
