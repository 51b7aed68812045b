/** Random terms and records in which they find something, for the properties of the filter language. */
import { FastCheck as fc } from "effect"
import type { PlannedQuery } from "../../src/http/filter/plan.js"
import type { Pattern, Term } from "../../src/http/filter/term.js"
import { fingerprintOf } from "../../src/internal/fingerprint.js"
import { InstanceId, type TaskFailure } from "../../src/TaskEvent.js"
import { type TaskId } from "../../src/TaskId.js"
import { fromEnqueued, type TaskRecord } from "../../src/TaskRecord.js"
import { all as everyStatus } from "../../src/TaskStatus.js"

/** The time of all records. */
export const now = 1_800_000_000_000

const hostile = [
  ..."\"\\\0*-,:=. \n\t\u2028\ud800\udc00\u00a0",
  "😀",
  "\\u0000",
  "OR",
  "args.x",
  "-x",
  "a b",
  "\\\"",
  "__proto__",
  "e\u0301"
]

/** Short texts, many of them of what has a meaning in the language. */
export const hostileText = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string16bits({ maxLength: 5 }),
  fc.array(fc.constantFrom(...hostile), { maxLength: 4 }).map((parts) => parts.join(""))
)

const hex = (length: number) => fc.hexaString({ minLength: length, maxLength: length })

const idParts = fc.tuple(hex(8), hex(4), hex(3), fc.constantFrom("8", "9", "a", "b"), hex(3), hex(12))

export const anyId: fc.Arbitrary<TaskId> = idParts.map(([a, b, c, variant, d, e]) =>
  `${a}-${b}-7${c}-${variant}${d}-${e}` as TaskId
)

const comparison = fc.constantFrom(">", ">=", "<", "<=", "=")
const patternKey = fc.constantFrom("task", "error", "schedule", "instance", "key", "group")

/** How the texts, ids and numbers of the terms are chosen. */
interface Choice {
  readonly text: fc.Arbitrary<string>
  readonly id: fc.Arbitrary<string>
  readonly span: fc.Arbitrary<number>
  readonly count: fc.Arbitrary<number>
  readonly at: fc.Arbitrary<number>
}

const termOf = ({ at, count, id, span, text }: Choice): fc.Arbitrary<Term> => {
  const negated = fc.boolean()
  const pattern: fc.Arbitrary<Pattern> = fc.record({ text, prefix: fc.boolean() })
  const some = <A>(one: fc.Arbitrary<A>) => fc.array(one, { minLength: 1, maxLength: 3 })
  return fc.oneof(
    fc.record({
      key: fc.constant("status"),
      negated,
      values: some(
        fc.constantFrom("pending", "running", "retrying", "success", "failed", "interrupted", "cancelled")
      )
    }),
    fc.record({ key: fc.constant("source"), negated, values: some(fc.constantFrom("manual", "scheduled")) }),
    fc.record({ key: fc.constant("executor"), negated, values: some(fc.constantFrom("fiber", "thread", "process")) }),
    fc.record({ key: patternKey, negated, values: some(pattern) }),
    // The key whose names become queries.
    fc.record({
      key: fc.constant("task"),
      negated: fc.constant(false),
      values: some(fc.record({ text, prefix: fc.constant(false) }))
    }),
    fc.record({ key: fc.constant("tag"), negated, name: text, values: fc.array(pattern, { maxLength: 2 }) }),
    fc.record({ key: fc.constant("args"), negated, path: fc.array(text, { maxLength: 3 }), values: some(pattern) }),
    fc.record({ key: fc.constantFrom("id", "retryof"), negated, values: some(id) }),
    fc.record({ key: fc.constantFrom("dur", "wait", "age"), negated, comparison, value: span }),
    fc.record({ key: fc.constantFrom("attempts", "retries"), negated, comparison, value: count }),
    fc.record({
      key: fc.constant("priority"),
      negated,
      comparison,
      value: fc.tuple(count, fc.boolean()).map(([value, less]) => less ? 0 - value : value)
    }),
    fc.record({
      key: fc.constantFrom("since", "until"),
      negated,
      moment: fc.oneof(span.map((ago) => ({ ago })), at.map((at) => ({ at })))
    }),
    fc.record({ key: fc.constant("text"), negated, text: text.filter((text) => text !== "") })
  ) as fc.Arbitrary<Term> // safe: constants lose their literal types on the way
}

const round = fc.constantFrom(1, 60, 3_600, 86_400).chain((unit) => fc.nat({ max: 400 }).map((n) => n * unit * 1_000))
const day = 86_400_000

/** Terms with any text in them. */
export const anyTerm: fc.Arbitrary<Term> = termOf({
  text: hostileText,
  id: fc.oneof(anyId, hex(8)),
  span: fc.oneof(round, fc.nat({ max: 36_500 * day })),
  count: fc.nat(),
  at: fc.oneof(fc.nat({ max: 2_932_896 }).map((days) => days * day), fc.nat({ max: 2_000_000_000_000 }))
})

const words = ["a", "b", "ab", "send", "send_email", "", "1", "0", "__proto__", "toString"]
const word = fc.constantFrom(...words)

const ids = Array.from(
  { length: 6 },
  (_, index) => `01890000-0000-7000-8000-00000000000${index}` as TaskId
)
const span = fc.constantFrom(0, 1, 2, 3, 5)

const failureOf = (message: string): TaskFailure => ({ kind: "error", name: "E", message, stack: "", error: null })

const someFailure = fc.option(word.map(failureOf))
const someTime = fc.option(span.map((ago) => now - ago))

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    word,
    fc.constantFrom(1, 0, true, null),
    fc.array(tie("value"), { maxLength: 2 }),
    fc.dictionary(word, tie("value"), { maxKeys: 3 })
  )
})).value

/** Records that differ in whatever a filter can ask of. */
export const anyRecord: fc.Arbitrary<TaskRecord> = fc.record({
  taskId: fc.constantFrom(...ids),
  taskName: word,
  createdAt: span.map((ago) => now - ago),
  runAt: someTime,
  startedAt: someTime,
  endedAt: someTime,
  nextAttemptAt: someTime,
  status: fc.constantFrom(...everyStatus),
  priority: fc.constantFrom(0, 1, -1, 2),
  tags: fc.dictionary(word, word, { maxKeys: 2 }),
  source: fc.constantFrom("manual" as const, "scheduled" as const),
  schedule: fc.option(word.map((name) => ({ name, slot: 0 }))),
  executor: fc.constantFrom("fiber" as const, "thread" as const, "process" as const),
  instance: fc.option(word.map((name) => InstanceId.make(name))),
  idempotencyKey: fc.option(word),
  retryOf: fc.option(fc.constantFrom(...ids)),
  attempts: fc.nat({ max: 3 }),
  failures: fc.nat({ max: 3 }),
  failure: someFailure,
  payload: json.map((value) => JSON.stringify(value))
}).map((change) => ({
  ...fromEnqueued({
    _tag: "Enqueued",
    taskId: change.taskId,
    at: 0,
    taskName: "",
    kind: "task",
    payload: "",
    priority: 0,
    tags: {},
    idempotencyKey: null,
    keyTtl: null,
    source: "manual",
    schedule: null,
    executor: "fiber",
    requeueOnInterrupt: false,
    maxCrashes: 3,
    definitionVersion: 1,
    runAt: null,
    retryOf: null,
    trace: null,
    owner: null
  }),
  ...change
}))

const groups = words.flatMap((taskName) =>
  words.slice(0, 3).map((message) =>
    fingerprintOf({ taskName, status: "failed", failure: failureOf(message) })!.fingerprint
  )
)

/** Terms about what is in those records. */
export const tellingTerm: fc.Arbitrary<Term> = termOf({
  text: fc.oneof({ weight: 9, arbitrary: word }, { weight: 1, arbitrary: fc.constantFrom(...groups) }),
  id: fc.oneof(fc.constantFrom(...ids), fc.constantFrom("00000001", "00000002")),
  span,
  count: fc.nat({ max: 3 }),
  at: span.map((ago) => now - ago)
})

/** The meaning of a query, as the port tells it. */
export const answers = (query: PlannedQuery, record: TaskRecord): boolean =>
  (query.status === undefined || query.status.includes(record.status)) &&
  (query.taskName === undefined || query.taskName === record.taskName) &&
  (query.tag === undefined ||
    Object.hasOwn(record.tags, query.tag[0]) && record.tags[query.tag[0]] === query.tag[1]) &&
  (query.source === undefined || query.source === record.source) &&
  (query.priority === undefined || query.priority === record.priority) &&
  (query.since === undefined || record.createdAt >= query.since) &&
  (query.until === undefined || record.createdAt < query.until) &&
  (query.schedule === undefined || record.schedule?.name === query.schedule) &&
  (query.errorGroup === undefined || fingerprintOf(record)?.fingerprint === query.errorGroup)
