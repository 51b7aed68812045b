import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { type FilterFacts, matches } from "../../src/http/filter/matches.js"
import { parse } from "../../src/http/filter/parse.js"
import { plan } from "../../src/http/filter/plan.js"
import type { Term } from "../../src/http/filter/term.js"
import { fingerprintOf } from "../../src/internal/fingerprint.js"
import { InstanceId } from "../../src/TaskEvent.js"
import type { TaskId } from "../../src/TaskId.js"
import type { TaskRecord } from "../../src/TaskRecord.js"
import { answers, anyRecord, now, tellingTerm } from "./filterTerms.js"

const payloadOf = ({ payload }: TaskRecord): unknown => JSON.parse(payload)
const facts: FilterFacts = { now, payloadOf }

const termsOf = (text: string): ReadonlyArray<Term> => {
  const parsed = parse(text)
  if (!parsed.ok) throw new Error(`${text}: ${JSON.stringify(parsed.errors)}`)
  return parsed.terms
}

const base: TaskRecord = {
  ...fc.sample(anyRecord, { numRuns: 1, seed: 1 })[0]!,
  taskId: "01890a5d-ac96-774b-bcce-b302099a8057" as TaskId,
  taskName: "send_email",
  createdAt: now - 60_000,
  runAt: null,
  startedAt: now - 50_000,
  endedAt: now - 40_000,
  nextAttemptAt: null,
  status: "failed",
  priority: 5,
  tags: { plan: "pro", region: "eu west" },
  source: "scheduled",
  schedule: { name: "nightly", slot: 0 },
  executor: "fiber",
  instance: InstanceId.make("abcdef"),
  idempotencyKey: "order 7",
  retryOf: "01890a5d-ac96-774b-bcce-000000000001" as TaskId,
  attempts: 3,
  failures: 3,
  failure: { kind: "error", name: "E", message: "Timeout: no answer", stack: "", error: null },
  payload: JSON.stringify({
    order: { id: "x7", "a.b": 1, lines: [{ sku: "s1" }, { sku: "s2" }], paid: true, note: null },
    list: [1, [2]]
  })
}

const group = fingerprintOf(base)!.fingerprint

describe("matches", () => {
  const holds = [
    ["status:failed", "status:success"],
    ["status:success,failed", "status:retrying,running"],
    ["task:send_email", "task:send"],
    ["task:other,send*", "task:Send_email"],
    ["tag:plan", "tag:toString"],
    ["tag:plan=pro", "tag:plan=free"],
    ["tag:region=free,eu*", "tag:region=\"eu*\""],
    ["args.order.id:x7", "args.order.id:x"],
    ["args.order.id:x*", "args.order.constructor:*"],
    ["args.order.\"a.b\":1", "args.order.a.b:1"],
    ["args.order.paid:true", "args.order.paid:1"],
    ["args.order.note:null", "args.order.none:null"],
    ["args.order.lines.1.sku:s2", "args.order.lines.0.sku:s2"],
    ["args.order.lines.sku:s2", "args.order.lines.sku:s3"],
    ["args.order.lines:*", "args.order.line:*"],
    ["args.order:*", "args.order:x*"],
    ["args.list:2", "args.list:3"],
    ["error:TIMEOUT", "error:answers"],
    ["error:timeout*", "error:no*"],
    ["dur:10s", "dur:>10s"],
    ["dur:<=10s", "dur:<10s"],
    ["wait:>=10s", "wait:>10s"],
    ["age:1m", "age:>1m"],
    ["age:<61s", "age:<60s"],
    ["attempts:3", "attempts:>3"],
    ["retries:2", "retries:3"],
    ["priority:>=5", "priority:-5"],
    ["source:schedule", "source:manual"],
    ["schedule:nightly", "schedule:night"],
    ["instance:abc*", "instance:abc"],
    ["executor:fiber", "executor:thread,process"],
    ["id:099a8057", "id:00000000"],
    ["id:01890a5d-ac96-774b-bcce-b302099a8057", "id:01890a5d-ac96-774b-bcce-000000000001"],
    ["key:\"order 7\"", "key:order"],
    [`group:${group}`, "group:abc"],
    ["retryof:00000001", "retryof:099a8057"],
    ["since:1m", "since:59s"],
    ["until:59s", "until:1m"],
    ["email", "mail2"],
    ["\"No Answer\"", "\"E:\""],
    ["\"EU w\"", "region"],
    ["099A80", "x7"]
  ] as const

  it.each(holds)("%s holds where %s does not, and negated the other way round", (yes, no) => {
    const says = (text: string) => matches(termsOf(text), base, facts)
    expect([says(yes), says(no), says(`-${yes}`), says(`-${no}`)]).toEqual([true, false, false, true])
    expect([says(`${yes} ${no}`), says(`${yes} -${no}`)]).toEqual([false, true])
  })

  it("knows tasks that wait for their next attempt by status:retrying, and counts them to running", () => {
    const says = (text: string, nextAttemptAt: number | null) =>
      matches(termsOf(text), { ...base, status: "running", nextAttemptAt }, facts)
    expect([says("status:retrying", now), says("status:retrying", null)]).toEqual([true, false])
    expect([says("status:running", now), says("status:running", null)]).toEqual([true, true])
  })

  it("measures what is under way up to now, and says nothing of what has no duration or never waits", () => {
    const says = (text: string, change: Partial<TaskRecord>) => matches(termsOf(text), { ...base, ...change }, facts)
    expect(says("dur:50s", { status: "running", endedAt: null })).toBe(true)
    expect(says("dur:>=0s", { status: "pending", startedAt: null, endedAt: null })).toBe(false)
    expect(says("wait:60s", { status: "pending", startedAt: null, endedAt: null })).toBe(true)
    expect(says("wait:>=0s", { status: "cancelled", startedAt: null })).toBe(false)
    // A delay is no wait.
    expect(says("wait:4s", { runAt: now - 54_000 })).toBe(true)
  })

  it("says nothing of hidden payloads, neither yes nor no", () => {
    const hidden: ReadonlyArray<FilterFacts> = [{ now }, { now, payloadOf: () => undefined }]
    for (const facts of hidden) {
      expect(matches(termsOf("args.order.id:x7"), base, facts)).toBe(false)
      expect(matches(termsOf("-args.order.id:x7"), base, facts)).toBe(false)
      expect(matches(termsOf("-args.order.id:y"), base, facts)).toBe(false)
    }
  })

  it("does not follow lists in lists without end", () => {
    const payload: unknown = JSON.parse("[".repeat(5_000) + "7" + "]".repeat(5_000))
    expect(matches(termsOf("args:7"), base, { now, payloadOf: () => payload })).toBe(false)
    expect(matches(termsOf("args:7"), base, { now, payloadOf: () => [[[7]]] })).toBe(true)
  })
})

describe("plan", () => {
  const planOf = (text: string) => plan(termsOf(text), facts)

  it("asks indexes for all that they can answer", () => {
    const asked = "status:failed,success task:a tag:plan=pro source:manual priority:5 schedule:nightly group:abc " +
      "since:6h until:2100-01-01 age:>1h -status:success"
    expect(planOf(asked)).toMatchObject({
      queries: [{
        status: ["failed"],
        taskName: "a",
        tag: ["plan", "pro"],
        source: "manual",
        priority: 5,
        schedule: "nightly",
        errorGroup: "abc",
        since: now - 21_600_000,
        until: now - 3_600_000
      }],
      rest: null,
      never: false,
      ids: null,
      now
    })
    expect(planOf("-source:manual").queries).toEqual([{ source: "scheduled" }])
    expect(planOf("since:2h -since:1h").queries).toEqual([{ since: now - 7_200_000, until: now - 3_600_000 }])
    expect(planOf("").queries).toEqual([{}])
  })

  it("asks for each of ten task names, and looks for more of them in the rows", () => {
    const names = (count: number) => Array.from({ length: count }, (_, index) => `t${index}`)
    const ten = planOf(`status:failed task:${names(10).join(",")}`)
    expect(ten.queries).toEqual(names(10).map((taskName) => ({ status: ["failed"], taskName })))
    expect(ten.rest).toBeNull()
    const eleven = planOf(`task:${names(11).join(",")}`)
    expect(eleven.queries).toEqual([{}])
    expect(eleven.rest!({ ...base, taskName: "t10" })).toBe(true)
    expect(eleven.rest!({ ...base, taskName: "t11" })).toBe(false)
    expect(planOf("task:aa,ab,b,aa task:a* -task:ab").queries).toEqual([{ taskName: "aa" }])
  })

  it("goes from the first full id to the last", () => {
    const [one, two, three] = [1, 2, 3].map((n) => `01890000-0000-7000-8000-00000000000${n}` as TaskId)
    expect(planOf(`id:${two}`).ids).toEqual({ first: two, last: two })
    expect(planOf(`id:${three},${one}`).ids).toEqual({ first: one, last: three })
    expect(planOf(`id:${three},${one} id:${two},${three}`).ids).toEqual({ first: two, last: three })
    expect(planOf(`id:${two},099a8057`).ids).toBeNull()
    expect(planOf(`-id:${two}`).ids).toBeNull()
    expect(planOf(`id:${one} id:${two}`).never).toBe(true)
  })

  it.each([
    "status:failed status:success",
    "status:failed -status:failed",
    "status:failed status:retrying",
    "source:manual source:schedule",
    "task:a task:b",
    "task:a -task:a*",
    "tag:plan=pro tag:plan=free",
    "priority:5 priority:6",
    "schedule:a schedule:b",
    "group:a group:b",
    "since:1h until:1h",
    "since:1h age:>=2h"
  ])("asks nothing for %s, which nothing can fit", (text) => {
    expect(planOf(text)).toMatchObject({ queries: [], never: true })
  })

  it("keeps both of two tags", () => {
    const { queries, rest } = planOf("tag:plan=pro tag:region=eu")
    expect(queries).toEqual([{ tag: ["plan", "pro"] }])
    expect([rest!(base), rest!({ ...base, tags: { plan: "pro", region: "eu" } })]).toEqual([false, true])
  })

  it.prop("and the rest together are the filter, and no task is in two answers", [
    fc.array(tellingTerm, { maxLength: 4 }),
    fc.array(anyRecord, { minLength: 20, maxLength: 20 })
  ], ([terms, records]) => {
    const { ids, never, queries, rest } = plan(terms, facts)
    expect(never).toBe(queries.length === 0)
    for (const record of records) {
      const asked = queries.filter((query) => answers(query, record)).length
      expect(asked).toBeLessThanOrEqual(1)
      const between = ids === null || ids.first <= record.taskId && record.taskId <= ids.last
      expect(asked === 1 && between && (rest === null || rest(record))).toBe(matches(terms, record, facts))
    }
  }, { fastCheck: { numRuns: 500 } })

  it("is tried with filters that some records fit and others do not", () => {
    const terms = fc.sample(fc.array(tellingTerm, { minLength: 1, maxLength: 2 }), 300)
    const records = fc.sample(anyRecord, 100)
    const telling = terms.filter((terms) => {
      const fitting = records.filter((record) => matches(terms, record, facts)).length
      return fitting > 0 && fitting < records.length
    })
    expect(telling.length).toBeGreaterThan(100)
  })
})
