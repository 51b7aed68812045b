/**
 * Random histories: whatever is written, claimed, cancelled and deleted, in whatever order, the backend answers what the
 * model answers and holds what the model holds.
 */
import * as assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type { Change } from "../../TaskBackend.js"
import { isDone, isLive, type TaskRecord } from "../../TaskRecord.js"
import {
  fail,
  failAttempt,
  finishCancelled,
  heldBy,
  insert,
  interrupt,
  line,
  log,
  progress,
  requeue,
  snooze,
  start,
  startedBy,
  succeed,
  unclaim
} from "./changes.js"
import * as Model from "./model.js"
import { about, type Case, type Instance, type Stage } from "./stage.js"

const names = ["send_email", "resize"] as const

/** A change before it is known which tasks there are: numbers choose among those it fits. */
interface Intent {
  readonly action: keyof typeof owned | "insert" | "start" | "unclaim"
  readonly choice: number
  readonly small: number
  readonly stale: boolean
}

type Command =
  | { readonly _tag: "write"; readonly by: number; readonly intents: ReadonlyArray<Intent>; readonly again: boolean }
  | {
    readonly _tag: "claim"
    readonly by: number
    readonly rooms: ReadonlyArray<readonly [slots: number, window: number, version: number]>
    readonly slots: number
    readonly window: number
  }
  | { readonly _tag: "cancel"; readonly choice: number }
  | { readonly _tag: "delete"; readonly age: number }
  | { readonly _tag: "wait"; readonly millis: number }

// What the owner of a running attempt writes.
const owned = {
  fail: (running: TaskRecord, now: number, small: number) => failAttempt(running, now, now + small * 10),
  snooze: (running: TaskRecord, now: number, small: number) => snooze(running, now, now + small * 10),
  requeue: (running: TaskRecord, now: number) => requeue(running, now),
  succeed: (running: TaskRecord, now: number) => succeed(running, now),
  giveUp: (running: TaskRecord, now: number) => fail(running, now),
  interrupt: (running: TaskRecord, now: number) => interrupt(running, now),
  cancel: (running: TaskRecord, now: number) => finishCancelled(running, now),
  progress: (running: TaskRecord, _now: number, small: number) => progress(running, small / 8),
  log: (running: TaskRecord, now: number) => log(running, line(running, running.logLines + 1, now))
} as const

const natural = FastCheck.nat(99_999)
const small = FastCheck.nat(7)

const intent: FastCheck.Arbitrary<Intent> = FastCheck.record({
  action: FastCheck.oneof(
    { weight: 7, arbitrary: FastCheck.constant("insert" as const) },
    { weight: 4, arbitrary: FastCheck.constantFrom("start" as const, "unclaim" as const) },
    // safe: the keys of a literal that nothing else is assigned to
    { weight: 9, arbitrary: FastCheck.constantFrom(...Object.keys(owned) as Array<keyof typeof owned>) }
  ),
  choice: natural,
  small,
  stale: FastCheck.integer({ min: 0, max: 9 }).map((one) => one === 0)
})

// Mostly the first instance, so that it often has something of its own to write about.
const by = FastCheck.nat(3).map((one) => one === 3 ? 1 : 0)
const room = FastCheck.tuple(FastCheck.nat(3), FastCheck.nat(3), FastCheck.integer({ min: 1, max: 2 }))

const command: FastCheck.Arbitrary<Command> = FastCheck.oneof(
  {
    weight: 8,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("write" as const),
      by,
      intents: FastCheck.array(intent, { minLength: 1, maxLength: 5 }),
      again: FastCheck.integer({ min: 0, max: 5 }).map((one) => one === 0)
    })
  },
  {
    weight: 5,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("claim" as const),
      by,
      rooms: FastCheck.oneof(
        { weight: 4, arbitrary: FastCheck.tuple(room, room) },
        { weight: 1, arbitrary: FastCheck.array(room, { maxLength: 1 }) }
      ),
      slots: FastCheck.nat(4),
      window: FastCheck.nat(4)
    })
  },
  { weight: 2, arbitrary: FastCheck.record({ _tag: FastCheck.constant("cancel" as const), choice: natural }) },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("delete" as const), age: FastCheck.nat(40) }) },
  { weight: 3, arbitrary: FastCheck.record({ _tag: FastCheck.constant("wait" as const), millis: FastCheck.nat(80) }) }
)

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

const step = (stage: Stage, model: Model.Model, instances: readonly [Instance, Instance], command: Command) =>
  Effect.gen(function*() {
    const { backend, time } = stage
    switch (command._tag) {
      case "wait": {
        time.now += command.millis
        return
      }
      case "write": {
        const writer = instances[command.by]!
        // Resolved one by one, so that a later change of the batch knows what the earlier ones did.
        const changes: Array<Change> = []
        const expected = command.intents.flatMap((wanted) => {
          const change = changeFor(stage, model, writer, wanted)
          if (change === undefined) return []
          changes.push(change)
          return model.write([change], time.now)
        })
        assert.deepEqual(yield* writer.write(...changes), expected, "outcomes")
        if (command.again) assert.deepEqual(yield* writer.writeAgain, expected, "outcomes of the repeated batch")
        return
      }
      case "claim": {
        const { by, rooms, slots, window } = command
        const { id } = instances[by]!
        const tasks = rooms.map(([slots, window, version], index) => ({ name: names[index]!, version, slots, window }))
        const request = { instance: id, tasks, slots, window, now: time.now }
        const { more, ...claimed } = yield* backend.claim(request)
        const { more: expectedMore, ...expected } = model.claim(request)
        assert.deepEqual(claimed, expected, "claimed")
        assert.deepEqual([...more].sort(), [...expectedMore].sort(), "more")
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
        assert.equal(yield* backend.deleteBefore(cutoff, 1_000), model.deleteBefore(cutoff), "deleted")
      }
    }
  })

const sameRecords = ({ backend }: Stage, model: Model.Model) =>
  Effect.suspend(() =>
    Effect.forEach(
      model.rows(),
      ({ record }) =>
        Effect.map(backend.get(record.taskId), (stored) => assert.deepEqual(Option.getOrNull(stored), record, "get"))
    )
  )

const sameInAll = (stage: Stage, model: Model.Model) =>
  Effect.gen(function*() {
    const { backend, listAll } = stage
    const queries = [
      {},
      { order: "oldest" },
      { status: ["pending", "failed"] },
      { status: ["running"], taskName: names[0], order: "oldest" },
      { tag: ["tenant", "t1"], priority: 0 },
      { source: "scheduled", taskName: names[1] }
    ] as const
    for (const query of queries) {
      assert.deepEqual(yield* listAll({ ...query, limit: 3 }), model.list(query), `list ${JSON.stringify(query)}`)
    }
    for (const { entries, lines, record: { taskId } } of model.rows()) {
      assert.deepEqual(yield* backend.logs(taskId, { after: 0, limit: 1_000 }), lines, "logs")
      assert.deepEqual(yield* backend.attempts(taskId), entries, "attempts")
    }
    assert.deepEqual((yield* backend.stats({})).counts, model.counts(), "counts")
  })

// Leaves nothing behind, so that the next history begins on an empty backend.
const empty = ({ backend, listAll, time }: Stage, [a, b]: readonly [Instance, Instance]) =>
  Effect.gen(function*() {
    for (const { taskId } of yield* listAll({ status: ["pending", "running"], limit: 200 })) {
      const found = yield* backend.cancel(taskId, time.now)
      if (found._tag !== "Requested") continue
      yield* (found.owner === a.id ? a : b).write(finishCancelled(found.record, time.now))
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
        const model = Model.make()
        const instances = [stage.instance(), stage.instance()] as const
        return Effect.forEach(history, (command) =>
          Effect.zipRight(step(stage, model, instances, command), sameRecords(stage, model))).pipe(
            Effect.zipRight(sameInAll(stage, model)),
            Effect.onExit(() =>
              Effect.orDie(empty(stage, instances))
            )
          )
      })
    const property = FastCheck.asyncProperty(
      FastCheck.array(command, { minLength: 1, maxLength: 60, size: "max" }),
      (history) => Runtime.runPromise(runtime)(Effect.asVoid(play(history)))
    )
    yield* Effect.tryPromise({
      try: () =>
        Promise.resolve(FastCheck.assert(property, {
          numRuns: histories,
          interruptAfterTimeLimit: timeLimit,
          ...(seed === undefined ? {} : { seed }),
          ...(path === undefined ? {} : { path })
        })),
      catch: (error) => error
    })
  })

export const cases: ReadonlyArray<Case> = [modelled()]
