/** What each statement costs in a database with a long past and a long queue: a range of an index, never a whole table. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { TaskEvent } from "effect-taskflow"
import { type TaskBackend, type TaskId, TaskRecord } from "effect-taskflow"
import { fill, idOf, sizes, start } from "../support/manyTasks.js"
import { type Planned, planned } from "../support/plans.js"
import { backendOn, claimOf, databases, facts, instance, now, successOf, task } from "../support/sql.js"
import { testOn } from "../support/testOn.js"

const id = (kind: number, n: number) => idOf(kind, n) as TaskId.TaskId

// Whose batches are there.
const another = TaskEvent.InstanceId.make("00000000-0000-4000-8000-000000000009")

const everyEnd = ["success", "failed", "cancelled", "interrupted"] as const

type Lists = { readonly [name: string]: Parameters<TaskBackend["Type"]["list"]>[0] }

// Few rows match each: what is rare is what makes a plan read everything.
const lists: Lists = {
  everything: {},
  "the oldest": { order: "oldest" },
  "a page in the middle": { cursor: id(6, 75_000) },
  "the oldest behind a cursor": { order: "oldest", cursor: id(6, 75_000) },
  "what waits": { status: ["pending"] },
  "what runs": { status: ["running"] },
  "what has not ended": { status: ["pending", "running"] },
  "what failed": { status: ["failed"] },
  "two rare ends": { status: ["cancelled", "interrupted"] },
  "three ends": { status: ["success", "failed", "interrupted"] },
  "every end": { status: ["success", "failed", "cancelled", "interrupted"] },
  "what failed of a name": { status: ["failed"], taskName: "send_email" },
  "what runs of a name": { status: ["running"], taskName: "send_email" },
  "rare ends of a name that never was": { status: ["cancelled", "interrupted"], taskName: "never" },
  "a tag": { tag: ["a", "b"] },
  "a tag and a name": { tag: ["a", "b"], taskName: "send_email" },
  "an hour": { since: start + 3_600_000, until: start + 7_200_000 },
  "an hour, oldest first": { since: start + 3_600_000, until: start + 7_200_000, order: "oldest" },
  "ten seconds long ago": { since: start, until: start + 10_000 },
  "an hour to come": { since: now + 1_000, until: now + 3_600_000, order: "oldest" },
  "a group of errors": { errorGroup: "f51" },
  "a group of errors, all filters": {
    errorGroup: "f51",
    status: ["failed"],
    taskName: "send_email",
    order: "oldest",
    cursor: id(6, 75_000)
  },
  "a schedule, all filters": {
    schedule: "nightly",
    errorGroup: "f51",
    status: ["failed"],
    taskName: "send_email",
    source: "scheduled",
    priority: 0,
    order: "oldest"
  },
  "the ends of a schedule": { schedule: "nightly", status: ["failed", "cancelled"], taskName: "resize" },
  "a group that never was": { errorGroup: "never", taskName: "send_email" },
  "a priority that failed": { priority: 9, status: ["failed"] }
}

// The same of what has ended only. Of what has not, these go through the backlog, or do where no index can be partial.
const ends: Lists = {
  "a tag that many have": { tag: ["shared", "yes"], status: everyEnd },
  "a tag that many have, in the middle": { tag: ["shared", "yes"], cursor: id(6, 75_000), status: ["success"] },
  "a tag that many have, the oldest of a name": {
    tag: ["shared", "yes"],
    taskName: "resize",
    since: start + 10_000,
    order: "oldest",
    status: everyEnd
  },
  "a schedule": { schedule: "nightly" },
  "a schedule that never was": { schedule: "never", taskName: "send_email" },
  "one name": { taskName: "resize" },
  "a name that never was": { taskName: "never" },
  "a rare source": { source: "scheduled" },
  "a rare priority": { priority: 9 },
  "a priority that never was": { priority: 3 }
}

type Counts = { readonly [name: string]: Parameters<TaskBackend["Type"]["count"]>[0] }

// What an index has exactly: no more entries of it are read than are counted, and no row.
const counts: Counts = {
  everything: {},
  "every end": { status: ["success", "failed", "cancelled", "interrupted"] },
  "what failed": { status: ["failed"] },
  "ends of a name": { taskName: "send_email", status: ["success"] },
  "a name that never was": { taskName: "never" },
  "an hour": { since: start + 3_600_000, until: start + 7_200_000 },
  "an hour of a name": { since: start + 3_600_000, until: start + 7_200_000, taskName: "resize" },
  "all but the oldest": { since: start + 20_000 },
  "a group of errors": { errorGroup: "f51" }
}

// Where rows are looked at, never more of them than the port says.
const looks: Counts = {
  "a tag": { tag: ["a", "b"] },
  "a tag, a name and a time": { tag: ["a", "b"], taskName: "send_email", since: start + 3_600_000 },
  "a rare source": { source: "scheduled" },
  "a usual source": { source: "manual" },
  "a rare priority": { priority: 9, taskName: "send_email" },
  "a usual priority of a name": { priority: 0, taskName: "resize", status: ["success", "failed"] },
  "a source that a name never has": { source: "scheduled", priority: 0, taskName: "unknown" },
  "a schedule": { schedule: "nightly", status: ["failed", "pending"] },
  "a group of errors, all filters": {
    errorGroup: "f51",
    schedule: "nightly",
    taskName: "send_email",
    tag: ["a", "b"],
    source: "scheduled",
    priority: 0
  }
}

// A rare value, alone and with what nearly every entry has.
const trails = {
  everything: {},
  "a page in the middle": { cursor: JSON.stringify([start + 7_500_000, id(6, 75_000)]) },
  who: { who: "anna" },
  action: { action: "retry" },
  target: { target: "t1" },
  "nobody, doing nothing": { who: "nobody", action: "nothing", target: "nowhere" },
  "an hour of one": { who: "anna", since: start + 3_600_000, until: start + 7_200_000 }
}

const exerciseStores = (backend: TaskBackend["Type"], during: ReturnType<typeof planned>["during"]) =>
  Effect.gen(function*() {
    const { audit, controls, errors, schedules } = backend
    const definition = { name: "n", taskName: "resize", definition: "d", origin: "code", anchor: 0, spec: "" } as const
    yield* during("schedules.define", schedules.define(definition, now))
    yield* during("schedules.define again", schedules.define(definition, now))
    yield* during("schedules.get", schedules.get("s700"))
    yield* during("schedules.list", schedules.list({}))
    yield* during("schedules.list in the middle", schedules.list({ cursor: "\"s3\"" }))
    yield* during("schedules.pause", schedules.pause("s700", now))
    yield* during("schedules.resume", schedules.resume("s700", now))
    yield* during("schedules.retire", schedules.retire("s700", now))
    yield* during("schedules.remove", schedules.remove("s700"))
    const slot = { instance, name: "n", definition: "d", overlap: "skip", now } as const
    yield* during("fireSlot", schedules.fireSlot({ ...slot, slot: 1, record: task({ idempotencyKey: "slot" }) }))
    expect(
      (yield* during("fireSlot over another", schedules.fireSlot({ ...slot, slot: 2, record: task() })))._tag
    ).toBe("Overlapping")
    yield* during("controls.pause", controls.pause({ _tag: "Task", name: "resize" }, "me", now))
    yield* during("controls.list", controls.list)
    yield* during("claim what is paused", claimOf(backend, 5))
    yield* during("controls.resume", controls.resume({ _tag: "Task", name: "resize" }))
    const entry = { at: now, who: "me", action: "pause", target: null, parameters: "{}", outcome: "done" }
    yield* during("audit.append", audit.append([{ ...entry, id: task().taskId }, { ...entry, id: task().taskId }]))
    for (const [what, query] of Object.entries(trails)) yield* during(`audit.page ${what}`, audit.page(query))
    yield* during("audit.deleteBefore", audit.deleteBefore(start + 20_000, 100))
    yield* during("errors.get", errors.get("f7"))
    for (const order of ["lastSeen", "count"] as const) {
      const { nextCursor } = yield* during(`errors.list by ${order}`, errors.list({ order }))
      yield* during(`errors.list behind by ${order}`, errors.list({ order, cursor: nextCursor!, taskName: "resize" }))
    }
    yield* during("errors.dismiss", errors.dismiss("f7"))
  })

const exercise = (backend: TaskBackend["Type"], during: ReturnType<typeof planned>["during"]) =>
  Effect.gen(function*() {
    let number = 0
    const write = (changes: Parameters<TaskBackend["Type"]["write"]>[0]["changes"]) =>
      backend.write({ instance, lane: "journal", number: number += 1, now, changes })
    const insert = (record: TaskRecord.TaskRecord) => ({ _tag: "Insert", record }) as const

    const claimed = yield* during("claim", claimOf(backend, 20))
    expect(claimed.started.length).toBe(20)
    yield* during(
      "claim everything that steals",
      backend.claim({
        instance,
        tasks: ["nothing", "send_email", "resize"].map((name) => ({ name, version: 1, slots: 5_000, window: 0 })),
        slots: 5_000,
        window: 0,
        stealAfter: 1_000,
        now
      })
    )
    const tagged = task({ tags: { a: "b" } })
    yield* during("write plainly", write([insert(task()), insert(tagged), insert(task())]))
    const keyed = task({ idempotencyKey: "k" })
    yield* during("write with a key", write([insert(keyed), insert(task({ idempotencyKey: "k" }))]))
    const [first, second] = claimed.started as [TaskRecord.TaskRecord, TaskRecord.TaskRecord]
    const success = successOf(first)
    yield* during("finish", write([success]))
    const failure = { kind: "error", name: "E", message: "m", stack: "", error: null } as const
    const third = claimed.started[2]!
    const why = { _tag: "Failed", taskId: third.taskId, at: now, failure, stopReason: "retriesSpent" } as const
    const failed = TaskRecord.apply(third, why)
    if (failed._tag === "None") throw new Error("not legal")
    yield* during(
      "finish as failed",
      write([{ _tag: "Finish", record: failed.value, owner: instance, claim: third.claim, attempt: success.attempt }])
    )
    const { level: _, ...line } = { level: 0, at: now, claim: 1, message: "hello", annotations: null }
    yield* during(
      "write a line",
      write([
        { _tag: "Log", taskId: second.taskId, line: { ...line, level: "INFO" } as unknown as TaskEvent.LogLine },
        { _tag: "Log", taskId: id(6, 10), line: { ...line, level: "INFO" } as unknown as TaskEvent.LogLine }
      ])
    )
    const { cursor } = yield* during("feed, from now on", backend.feed({ cursor: null, limit: 100, now }))
    yield* write([insert(task())])
    const news = yield* during("feed", backend.feed({ cursor, limit: 100, now }))
    expect([news.changes.length, news.more]).toEqual([1, false])
    // Behind the 15,000th of the 20,000 batches that another instance wrote.
    const far = JSON.stringify([now, [another, [15_000, 0, 0]]])
    const page = yield* during("feed, far behind", backend.feed({ cursor: far, limit: 100, now }))
    expect([page.more, page.reset]).toEqual([true, false])
    yield* during("instances", backend.instances)
    yield* during("drain", backend.drain(instance, false))
    yield* during("heartbeat", backend.heartbeat(instance, now, { slots: { max: 1, active: 1 }, waiting: 0, lag: 0 }))
    yield* during("cancel", backend.cancel(id(2, 100), now))
    yield* during("cancel what runs", backend.cancel(second.taskId, now))
    yield* during("cancel what ended", backend.cancel(id(6, 100), now))
    yield* during("get", backend.get(id(2, 200)))
    yield* during("get what ended", backend.get(id(6, 200)))
    yield* during("logs", backend.logs(id(6, 200), { after: 0, limit: 100 }))
    yield* during("attempts", backend.attempts(id(6, 200)))
    for (const [what, query] of Object.entries(lists)) yield* during(`list ${what}`, backend.list(query))
    for (const [what, query] of Object.entries(ends)) yield* during(`ends: ${what}`, backend.list(query))
    yield* during("stats", backend.stats({}))
    yield* during("stats of a name", backend.stats({ taskName: "resize" }))
    for (const [what, query] of Object.entries(counts)) yield* during(`count ${what}`, backend.count(query, 1_000))
    for (const [what, query] of Object.entries(looks)) yield* during(`look ${what}`, backend.count(query, 1_000))
    yield* during("unfinished", backend.unfinished)
    for (const byTask of [false, true]) {
      yield* during("rollups", backend.rollups({ since: now - 3_600_000, until: now, width: 60_000, byTask }))
    }
    yield* exerciseStores(backend, during)
    yield* during("promote", claimOf(backend, 5, now + 1_500))
    yield* during("countBefore", backend.countBefore(start + 20_000, 1_000))
    yield* during("deleteBefore", backend.deleteBefore(start + 20_000, 100))
    yield* during("maintain", backend.maintain(now))
    yield* during("detach", backend.detach(instance, now))
    yield* during("reap", backend.reap({ suspect: instance, beat: 1, now, limit: 100 }))
  })

// Pages have 51 rows and steps 500.
const mostRows = 1_500
// Everything this instance runs, once over; twice that for the claim that took it; the minute that a clock may step back.
const mostOf: ReadonlyArray<readonly [during: RegExp, rows: number]> = [
  [/^claim/, 11_000],
  [/^(heartbeat|reap|list what runs)/, 5_500],
  [/^list ten seconds/, 8_000],
  // Of each part.
  [/^(count|look)/, 10_000],
  [/^unfinished/, 50_000]
]
// The groups of errors are summed up, and their number is bounded.
const boundOf = ({ during, text }: Planned, errors: string, parts: number) =>
  text.includes(`FROM ${errors}`)
    ? 3 * sizes.errors
    : (mostOf.find(([what]) => what.test(during))?.[1] ?? mostRows) * (isCount({ during }) ? parts : 1)

// Reads of the unfinished tasks that go through all of them: as many as the backlog has, whatever the past.
const throughBacklog = ({ during, text }: Planned, live: string) =>
  (during.startsWith("stats") || during.startsWith("ends:")) && text.includes(`FROM ${live}`)

// Counting goes along the unfinished tasks too, so far and no further.
const isCount = ({ during }: Pick<Planned, "during">) => /^(count|look|unfinished)/.test(during)

/** Whether a plan reads finished tasks otherwise than from an index that has all it asks for. */
const readsRows = ({ plan, text }: Planned, done: string): boolean => {
  if (!text.includes(done)) return false
  // PostgreSQL and MySQL tell in JSON, a node or a table in one object.
  if (!plan.startsWith("{") && !plan.startsWith("[")) {
    return new RegExp(`(SEARCH|SCAN) ${done} (?!USING COVERING INDEX)`).test(plan)
  }
  const nodes = plan.split("{").filter((node) => node.includes(`"${done}"`) || /"table":"done/.test(node))
  return nodes.some((node) => !/Index Only Scan|"Extra":"[^"]*Using index[;"]/.test(node))
}

for (const database of databases) {
  describe.skipIf(!database.present)(`every statement on ${database.name}`, () => {
    testOn(database)(`is a range of an index among ${sizes.done} finished tasks`, (place) =>
      Effect.gen(function*() {
        const plain = yield* place.open
        const { client, during, seen } = planned(plain)
        const backend = yield* backendOn(client, place)
        yield* fill(plain, place.tables)
        yield* backend.attach(facts(another), now)
        yield* backend.attach(facts(), now)
        yield* exercise(backend, during)
        const large = new RegExp(`${place.prefix}(live|done|logs|tags|keys|attempts|batches|audit|schedules)\\b|^[lt]$`)
        const isBad = (one: Planned) =>
          one.whole.some((name) => large.test(name) && !(isCount(one) && name === place.tables.live.name)) ||
          // MySQL tells the rows of all parts together, those of the tables in between too.
          (one.rows ?? 0) > boundOf(one, place.tables.errors.name, database.kind === "mysql" ? 20 : 1)
        const bad = seen.filter((one) => isBad(one) && !throughBacklog(one, place.tables.live.name))
        const told = ({ during, plan, rows, text }: Planned) =>
          `${during}: ${text.slice(0, 400)} [${rows}] ${plan.slice(0, 1500)}`
        expect(bad.map(told)).toEqual([])
        const counted = seen.filter(({ during }) => during.startsWith("count"))
        expect(counted.filter(({ during }) => during.startsWith("count ")).length).toBe(Object.keys(counts).length)
        expect(counted.filter((one) => readsRows(one, place.tables.done.name)).map(told)).toEqual([])
        expect(seen.length).toBeGreaterThan(80)
      }), 120_000)
  })
}
