/**
 * Random histories: whatever is written, claimed, cancelled and deleted, in whatever order, the backend answers what the
 * model answers and holds what the model holds.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type { Change, ListQuery, Outcome } from "../../TaskBackend.js"
import { isDone, isLive, type TaskRecord } from "../../TaskRecord.js"
import * as TaskStatus from "../../TaskStatus.js"
import { heldBy, insert, start, startedBy, unclaim } from "./changes.js"
import { worded } from "./dying.js"
import { type Command, command, type Intent, names, owned } from "./history.js"
import * as Model from "./model.js"
import { rollupsOf } from "./rollupModel.js"
import { about, type Case, idsOf, type Instance, isFenced, type Stage } from "./stage.js"

/** The two that play, and all that ever did. */
interface Cast {
  readonly playing: [Instance, Instance]
  readonly ever: Array<Instance>
  /** What the last batch of an instance was answered; null when it was refused. */
  readonly answers: Map<Instance, ReadonlyArray<Outcome> | null>
}

const enter = (stage: Stage, model: Model.Model, cast: Cast, place: number) => {
  const entering = stage.instance()
  cast.playing[place] = entering
  cast.ever.push(entering)
  model.attach(entering.id)
  return entering.attach
}

const chosen = <A>(from: ReadonlyArray<A>, choice: number): A | undefined => from[choice % from.length]

// A new task; the digits of `choice` decide about it, each about one thing.
const newTask = ({ task, time }: Stage, model: Model.Model, { choice, small }: Intent): TaskRecord => {
  const ended = model.rows().map(({ record }) => record).filter(isDone)
  let rest = choice
  const pick = <A>(...among: ReadonlyArray<A>): A => {
    const index = rest % among.length
    rest = Math.floor(rest / among.length)
    return among[index]!
  }
  return task({
    taskName: pick(...names),
    priority: pick(0, 0, 5, -5),
    idempotencyKey: pick(null, null, "k1", "k2"),
    keyTtl: pick(null, small * 10),
    tags: pick<Record<string, string>>({}, { tenant: "t1" }, { tenant: "t2" }),
    source: pick("manual", "manual", "scheduled"),
    runAt: pick(null, null, null, time.now + small * 10),
    definitionVersion: pick(1, 1, 1, 2),
    requeueOnInterrupt: pick(true, true, false),
    maxCrashes: pick(1, 2, 3),
    retryOf: pick(null, null, chosen(ended, small)?.taskId ?? null)
  })
}

const changeFor = (stage: Stage, model: Model.Model, writer: Instance, wanted: Intent): Change | undefined => {
  const { time: { now } } = stage
  const { action, choice, small, stale } = wanted
  if (action === "insert") {
    const record = newTask(stage, model, wanted)
    if (record.runAt !== null) return insert(record)
    const forms = [record, record, heldBy(record, writer.id), startedBy(record, writer.id, now)]
    return insert(forms[choice % forms.length]!)
  }
  const all = model.rows().map(({ record }) => record)
  if (action === "start" || action === "unclaim") {
    const held = chosen(all.filter((one) => one.owner === writer.id && !isLive(one)), choice)
    const wrong = chosen(all, choice)
    if (!stale && held !== undefined) return action === "start" ? start(held, now) : unclaim(held)
    if (wrong === undefined) return undefined
    const believed = { ...wrong, status: "pending", owner: writer.id, claim: small, cancelRequested: false } as const
    // The belief may happen to be true; then the model says so as well.
    return action === "start" ? start(believed, now) : unclaim(believed)
  }
  const running = chosen(all.filter((one) => one.owner === writer.id && isLive(one)), choice)
  if (!stale && running !== undefined) return owned[action]({ ...running, cancelRequested: false }, now, small)
  const wrong = chosen(all.filter((one) => action !== "log" || !isDone(one)), choice)
  if (wrong === undefined) return undefined
  const believed = startedBy({ ...wrong, status: "pending", cancelRequested: false }, writer.id, now)
  return owned[action]({ ...believed, claim: small }, now, small)
}

const step = (stage: Stage, model: Model.Model, cast: Cast, command: Command) =>
  Effect.gen(function*() {
    const { backend, time } = stage
    const actor = cast.playing["by" in command ? command.by : 0]!
    const alive = model.player(actor.id)?.state === "live"
    switch (command._tag) {
      case "wait": {
        time.now += command.millis
        return
      }
      case "write": {
        // Resolved one by one, so that a later change of the batch knows what the earlier ones did.
        const changes: Array<Change> = []
        const expected = command.intents.flatMap((wanted) => {
          const change = changeFor(stage, model, actor, wanted)
          if (change === undefined) return []
          changes.push(change)
          return alive ? model.write([change], time.now) : []
        })
        cast.answers.set(actor, alive ? expected : null)
        if (!alive) return yield* isFenced(actor, actor.write(...changes))
        assert.deepEqual(yield* actor.write(...changes), expected, "outcomes")
        if (command.again) assert.deepEqual(yield* actor.writeAgain, expected, "outcomes of the repeated batch")
        return
      }
      case "repeat": {
        const expected = cast.answers.get(actor)
        if (expected === undefined) return
        if (expected === null) return yield* isFenced(actor, actor.writeAgain)
        assert.deepEqual(yield* actor.writeAgain, expected, "outcomes of a batch repeated later")
        return
      }
      case "claim": {
        const { by: _, rooms, shared, slots, stealAfter, window } = command
        const tasks = rooms.map(([slots, window, version], index) => ({ name: names[index]!, version, slots, window }))
        const groups = shared === null ? undefined : [{ names, slots: shared }]
        const request = { instance: actor.id, tasks, groups, slots, window, stealAfter, now: time.now }
        if (!alive) return yield* isFenced(actor, backend.claim(request))
        const { more, started, ...claimed } = yield* backend.claim(request)
        const { more: expectedMore, started: expectedStarted, ...expected } = model.claim(request)
        // Where what was taken over stands among what was ready is the backend's choice.
        const inOrder = stealAfter === null ? (all: typeof started) => all : byId
        assert.deepEqual(inOrder(started), inOrder(expectedStarted), "started")
        assert.deepEqual(claimed, expected, "claimed")
        assert.deepEqual([...more].sort(), [...expectedMore].sort(), "more")
        return
      }
      case "beat": {
        const { alive, cancels } = yield* actor.heartbeat
        const expected = model.heartbeat(actor.id)
        assert.deepEqual([alive, [...cancels].sort()], [expected.alive, [...expected.cancels].sort()], "heartbeat")
        return
      }
      case "attach":
        return yield* actor.attach
      case "leave": {
        model.detach(actor.id)
        return yield* actor.detach
      }
      case "renew":
        return alive ? undefined : yield* enter(stage, model, cast, command.by)
      case "reap": {
        const { behind, limit } = command
        const beat = (model.player(actor.id)?.beat ?? 0) - behind
        const request = { suspect: actor.id, beat, now: time.now, limit }
        const { left, records } = yield* backend.reap(request)
        assert.ok(records.length <= limit, "no more than the limit at once")
        const expected = model.reap(request, idsOf(records))
        assert.deepEqual([left, byId(records)], [expected.left, byId(expected.records)], "reaped")
        assert.ok(!left || records.length === limit, "as much as the limit allows")
        return
      }
      case "cancel": {
        const all = model.rows().map(({ record }) => record)
        const running = command.choice % 2 === 0 ? all.filter(isLive) : []
        const target = (chosen(running, command.choice) ?? chosen(all, command.choice))?.taskId ?? stage.nextId()
        assert.deepEqual(yield* backend.cancel(target, time.now), model.cancel(target, time.now), "cancel")
        return
      }
      case "delete": {
        const cutoff = time.now - command.age
        const { status } = command
        const expected = model.deleteBefore(cutoff, status)
        assert.equal(yield* backend.deleteBefore(cutoff, 1_000, status), expected, "deleted")
      }
    }
  })

const sameCast = ({ peer }: Stage, model: Model.Model, { ever }: Cast) =>
  Effect.forEach(ever, (one) =>
    Effect.map(peer(one), (seen) => {
      const { beat, state } = model.player(one.id)!
      assert.deepEqual(seen, state === "gone" ? undefined : { ...one.facts, beat, state }, "peer")
    }))

const byId = (records: ReadonlyArray<TaskRecord>): ReadonlyArray<TaskRecord> =>
  [...records].sort((x, y) => x.taskId < y.taskId ? -1 : 1).map(worded)

const sameRecords = ({ backend }: Stage, model: Model.Model) =>
  Effect.suspend(() =>
    Effect.forEach(
      model.rows(),
      ({ record }) =>
        Effect.map(
          backend.get(record.taskId),
          (stored) => assert.deepEqual(Option.getOrNull(Option.map(stored, worded)), record, "get")
        )
    )
  )

const sameInAll = (stage: Stage, model: Model.Model) =>
  Effect.gen(function*() {
    const { backend, listAll } = stage
    const queries: ReadonlyArray<ListQuery> = [
      {},
      { order: "oldest" },
      { status: ["pending", "failed"] },
      { status: ["running"], taskName: names[0], order: "oldest" },
      { tag: ["tenant", "t1"], priority: 0 },
      { tag: ["tenant", "t1"], order: "oldest" },
      { tag: ["tenant", "t1"], taskName: names[0], status: ["pending", "success", "failed"] },
      { source: "scheduled", taskName: names[1] }
    ]
    for (const query of queries) {
      const listed = (yield* listAll({ ...query, limit: 3 })).map(worded)
      const expected = model.list(query)
      assert.deepEqual(listed, expected, `list ${JSON.stringify(query)}`)
      const { counts } = yield* backend.count(query, 1_000)
      for (const status of TaskStatus.all) {
        assert.equal(counts[status], expected.filter((one) => one.status === status).length, `count ${status}`)
      }
    }
    for (const { entries, lines, record: { taskId } } of model.rows()) {
      assert.deepEqual(yield* backend.logs(taskId, { after: 0, limit: 1_000 }), lines, "logs")
      assert.deepEqual((yield* backend.attempts(taskId)).map(worded), entries, "attempts")
    }
    assert.deepEqual((yield* backend.stats({})).counts, model.counts(), "counts")
  })

const sameSums = ({ backend, time }: Stage, model: Model.Model, since: number) =>
  Effect.suspend(() => {
    const query = { since, until: time.now + 1, width: 60_000, byTask: true }
    const ends = model.ended().map((record) => ({ at: record.endedAt!, record }))
    return Effect.map(
      backend.rollups(query),
      (found) => assert.deepEqual(found, rollupsOf(ends, query), "rollups")
    )
  })

// Leaves nothing behind, so that the next history begins on an empty backend.
const empty = ({ backend, bury, listAll, time }: Stage, { ever }: Cast) =>
  Effect.gen(function*() {
    for (const one of ever) yield* bury(one)
    for (const { taskId } of yield* listAll({ status: ["pending", "running"], limit: 200 })) {
      assert.equal((yield* backend.cancel(taskId, time.now))._tag, "Cancelled", "nobody runs what no one alive owns")
    }
    while ((yield* backend.deleteBefore(Number.MAX_SAFE_INTEGER, 1_000)) > 0) { /* until nothing is left */ }
  })

/** How random histories are made. With `seed` and `path` from a failure the same history is played again. */
export interface ModelOptions {
  /** Default 100. */
  readonly histories?: number | undefined
  /** Real milliseconds after which no further history is begun. Default 10,000. */
  readonly timeLimit?: number | undefined
  readonly seed?: number | undefined
  readonly path?: string | undefined
}

export const modelled = ({ histories = 100, path, seed, timeLimit = 10_000 }: ModelOptions = {}): Case =>
  about("modelled")("random histories end as the model says", function*(stage) {
    const runtime = yield* Effect.runtime<never>()
    const play = (history: ReadonlyArray<Command>) =>
      Effect.suspend(() => {
        // Nothing ended in this minute before.
        stage.time.now = (Math.floor(stage.time.now / 60_000) + 2) * 60_000
        const since = stage.time.now
        const model = Model.make()
        const cast: Cast = { playing: [stage.a, stage.b], ever: [], answers: new Map() }
        return Effect.zipRight(enter(stage, model, cast, 0), enter(stage, model, cast, 1)).pipe(
          Effect.zipRight(Effect.forEach(history, (command) =>
            Effect.zipRight(step(stage, model, cast, command), sameRecords(stage, model)))),
          Effect.zipRight(sameInAll(stage, model)),
          Effect.zipRight(sameSums(stage, model, since)),
          Effect.zipRight(sameCast(stage, model, cast)),
          Effect.onExit(() =>
            Effect.orDie(empty(stage, cast))
          )
        )
      })
    const property = FastCheck.asyncProperty(
      FastCheck.array(command, { minLength: 1, maxLength: 60, size: "max" }),
      (history) => Runtime.runPromise(runtime)(Effect.asVoid(play(history)))
    )
    const same = { ...(seed === undefined ? {} : { seed }), ...(path === undefined ? {} : { path }) }
    const played = yield* Effect.promise(() =>
      FastCheck.check(property, { numRuns: histories, interruptAfterTimeLimit: timeLimit, ...same })
    )
    // On a machine that is too busy for a single one in that time, one is played however long it takes.
    const slow = played.interrupted && played.numRuns === 0
    const details = slow ? yield* Effect.promise(() => FastCheck.check(property, { numRuns: 1, ...same })) : played
    if (details.failed) {
      const message = yield* Effect.promise(() => FastCheck.asyncDefaultReportMessage(details))
      assert.fail(message ?? "a random history failed")
    }
  })

export const cases: ReadonlyArray<Case> = [modelled()]
