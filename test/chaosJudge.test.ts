/** The judge of `npm run chaos`: a run that kept the contract is found to have, and each way to break it is found. */
import { readdirSync } from "node:fs"
import { TaskBackendError } from "effect-taskflow"
import { describe, expect, it } from "vitest"
import { judge } from "./chaos/invariants/all.js"
import { every, from, madeUp, terms, until } from "./chaos/support/madeUp.js"

type MadeUp = ReturnType<typeof madeUp>

const found = (breaks: (made: MadeUp) => void) => {
  const made = madeUp()
  breaks(made)
  return judge(made.run.evidence(), terms).map(({ what }) => what)
}

/** By invariant: what is done to the run, and a word of what is found. */
const broken: Record<string, Record<string, readonly [(made: MadeUp) => void, RegExp]>> = {
  accepted: {
    "an acknowledged task is gone": [({ plain, run }) => run.drop(plain), /acknowledged, and not known/],
    "one is acknowledged as another kind": [
      ({ plain, run }) => run.change(plain, { taskName: "chaos/placed" }),
      /kind/
    ],
    "two callers made one task": [({ plain, run }) => run.acknowledge(plain, true, "another"), /new to two callers/],
    "a caller is given the new task of another": [
      ({ plain, run }) => run.change(plain, { payload: JSON.stringify({ nonce: "another", millis: 0 }) }),
      /another caller/
    ],
    "a task never ends": [({ plain, run }) => run.change(plain, { status: "pending" }), /pending at the end/],
    "one call made two tasks": [({ plain, run }) => {
      const twin = run.add("again")
      run.change(twin, { payload: run.records.get(plain)!.payload })
    }, /one call of enqueue made 2 tasks/],
    "a task is in both tables": [({ plain, run }) => run.live.push(plain), /kept more than once/],
    "a row is in no list": [({ run }) => run.done.push("another"), /in the tables/],
    "a status is miscounted": [({ run }) => (run.miscounted["success"] = 1), /stats count/],
    "a process that ended is said to live": [({ run }) =>
      run.instances.push(
        {
          id: "an instance",
          state: "live"
          // safe: what the judge looks at
        } as MadeUp["run"]["instances"][number]
      ), /said to be alive/],
    "what was refused for certain is there": [({ plain, run }) =>
      run.see("0.0", from, {
        what: "refused",
        kind: "again",
        nonce: run.nonceOf(plain),
        error: new TaskBackendError({ method: "enqueue", cause: new Error("nothing was enqueued") }).message
      }), /told that nothing was/]
  },
  answers: {
    "an enqueue is never answered": [
      ({ run }) => run.see("0.0", from, { what: "asked", nonce: "silence" }),
      /silence was never answered/
    ],
    "a result is never answered": [
      ({ run, stopped }) => run.see("1.1", from, { what: "awaiting", taskId: stopped }),
      /awaited it was never answered/
    ]
  },
  attempts: {
    "what is not known ran": [({ plain, run }) => run.records.delete(plain), /ran it, and it is not known/],
    "an attempt is not counted before it runs": [
      ({ plain, run }) => run.start(plain, { fence: 1, life: "1.0" }),
      /started 2 times, 1 attempts/
    ],
    "two run under one fence": [({ rescued, run }) => {
      run.forget("started", rescued)
      for (const life of ["0.0", "1.0"]) run.start(rescued, { fence: 2, life })
    }, /twice under one fence/],
    "two processes run one transactional attempt": [
      ({ booked, run }) => run.start(booked, { life: "1.0" }),
      /twice under one fence/
    ],
    "one runs under a fence that nobody gave": [
      ({ plain, run }) => run.start(plain, { fence: 9 }),
      /fence that is not known/
    ],
    "one ends that did not start": [({ plain, run }) => run.finish(plain, { fence: 9 }), /without a start/],
    "what may not run again does": [
      ({ once, run }) => {
        run.change(once, { attempts: 2, claim: 2 })
        run.start(once, { fence: 2 })
      },
      /may not run again/
    ],
    "more crashes than it may have": [
      ({ rescued, run }) => run.change(rescued, { crashes: 4 }),
      /4 crashes of at most 3/
    ],
    "more crashes than attempts": [
      ({ rescued, run }) => run.change(rescued, { crashes: 3 }),
      /3 crashes in 2 attempts/
    ],
    "more attempts than claims": [
      ({ run, unbegun }) => run.change(unbegun, { attempts: 1 }),
      /attempts under 0 claims/
    ],
    "more failures than attempts": [
      ({ hopeless, run }) => run.change(hopeless, { attempts: 2 }),
      /failures in 2 attempts/
    ],
    "a success without its result": [({ plain, run }) => run.change(plain, { result: null }), /without its result/],
    "a stale attempt wrote after a newer one": [
      ({ rescued, run }) => run.change(rescued, { result: JSON.stringify({ fence: 1, life: "1.0" }) }),
      /a stale attempt wrote/
    ],
    "a success whose handler did not finish": [({ plain, run }) => run.forget("finished", plain), /did not finish/],
    "an attempt is told twice": [({ rescued, run }) => {
      run.enter(rescued, "requeued", "success")
      run.ledger.get(rescued)!.push({ ...run.ledger.get(rescued)![0]!, claim: 3 })
    }, /ledger twice/],
    "an attempt is told that was not counted": [
      ({ rescued, run }) => run.enter(rescued, "requeued", "requeued", "success"),
      /not counted/
    ],
    "two attempts succeeded": [({ rescued, run }) => run.enter(rescued, "success", "success"), /2 attempts succeeded/],
    "what failed had succeeded": [
      ({ hopeless, run }) => run.enter(hopeless, "failed", "failed", "success"),
      /an attempt succeeded, and it is failed/
    ],
    "the stale attempt is the one that succeeded": [
      ({ rescued, run }) => run.enter(rescued, "success", "requeued"),
      /a stale attempt is the one/
    ]
  },
  cancels: {
    "what was cancelled is not": [
      ({ run, unbegun }) => run.change(unbegun, { status: "success" }),
      /answered with cancelled/
    ],
    "what was cancelled starts": [({ run, unbegun }) => run.start(unbegun, { at: from + 500 }), /started 290 ms later/],
    "what was to stop starts in a process that came later": [
      ({ run, stopped }) => run.start(stopped, { at: from + 500, fence: 2, life: "1.1" }),
      /was to stop, and was started anew/
    ],
    "what was to stop starts twice more": [({ run, stopped }) => {
      for (const fence of [2, 3]) run.start(stopped, { at: from + 500, fence })
    }, /was to stop, and was started anew/],
    "what has ended has not": [({ plain, run }) => {
      run.change(plain, { status: "running" })
      run.see("3.0", from, { what: "cancel", taskId: plain, answer: "ended" })
    }, /told that it had ended/],
    "nobody cancelled it": [({ run, stopped }) => run.forget("cancelling", stopped), /nobody asked/]
  },
  delays: {
    "a delayed task starts an hour early": [
      ({ later, run }) => run.change(later, { runAt: from + 3_600_000 }),
      /before its time/
    ]
  },
  ends: {
    "an outage failed a task": [
      ({ plain, run }) => run.change(plain, { status: "failed", stopReason: "retriesSpent", failures: 1 }),
      /again ended as failed/
    ],
    "what may run again is given up": [
      ({ rescued, run }) => run.change(rescued, { status: "interrupted", stopReason: "instanceDied" }),
      /again ended as interrupted/
    ],
    "it is poison after one crash": [
      ({ rescued, run }) => run.change(rescued, { status: "failed", stopReason: "poison" }),
      /again ended as failed/
    ],
    "retries are left out": [
      ({ hopeless, run }) => run.change(hopeless, { failures: 2 }),
      /hopeless ended as failed after 2/
    ],
    "who awaited it was told something else": [
      ({ plain, run }) => run.see("0.0", from, { what: "awaited", taskId: plain, status: "failed" }),
      /was told failed/
    ],
    "a process saw what must not be": [
      ({ run }) => run.see("0.0", from, { what: "wrong", message: "it is wrong", taskId: null }),
      /it is wrong/
    ]
  },
  feed: {
    "an end is not told": [({ plain, run }) => run.forget("told", plain), /did not tell/],
    "an end is not told, long after something was missed": [({ plain, run }) => {
      run.see("3.0", from + 150, { what: "reset" })
      run.forget("told", plain)
    }, /did not tell/],
    "another end is told": [({ plain, run }) => {
      run.forget("told", plain)
      run.see("3.0", from + 900, { what: "told", taskId: plain, status: "failed" })
    }, /told failed, it is success/],
    "two ends are told": [
      ({ plain, run }) => run.see("3.0", from, { what: "told", taskId: plain, status: "failed" }),
      /two ends/
    ],
    "an end is told of what was rolled back": [
      ({ run }) => run.see("3.0", from, { what: "told", taskId: "another", status: "success" }),
      /what is not known/
    ]
  },
  keys: {
    "two tasks hold a key": [({ run }) => run.add("keyed", { idempotencyKey: "key 1" }), /2 tasks hold/],
    "a caller is given a task of another key": [
      ({ keyed, run }) => run.change(keyed, { idempotencyKey: "key 2" }),
      /was given a task with key 2/
    ],
    "who has no key is given a task that was there": [
      ({ plain, run }) => run.acknowledge(plain, false, "another"),
      /without a key/
    ],
    "who made it is told that it was there": [({ keyed, run }) => run.acknowledge(keyed, false), /who made it/]
  },
  memory: {
    "a process grows": [({ run }) => run.see("0.0", from, { what: "memory", rss: 1e9 }), /more than 600 MiB/]
  },
  slots: {
    "a slot fires twice": [
      ({ run }) => run.add("tick", { schedule: { name: "ticks", slot: from + every } }),
      /fired twice/
    ],
    "a slot does not fire": [({ run, ticks }) => run.records.delete(ticks[1]!), /1 slots before/],
    "a task is of no slot": [({ run, ticks }) => run.change(ticks[0]!, { schedule: null }), /no slot/],
    "none fires": [
      ({ run, ticks }) => ticks.forEach((tick) => run.records.delete(tick)),
      /no slot of the schedule fired/
    ],
    "the first ones do not fire": [
      ({ run, ticks }) =>
        ticks.forEach((tick, index) =>
          run.change(tick, { schedule: { name: "ticks", slot: from + (index + 20) * every } })
        ),
      /first slot is 5000 ms late/
    ],
    "it stops before the run does": [
      ({ run, ticks }) =>
        ticks.forEach((tick, index) =>
          run.change(tick, { schedule: { name: "ticks", slot: until + (index - 20) * every } })
        ),
      /no slot fired in the last/
    ]
  },
  transactions: {
    "an effect without its end": [
      ({ booked, run }) =>
        run.change(booked, { status: "failed", stopReason: "poison", crashes: 3, attempts: 3, claim: 3 }),
      /is failed wrote 1 rows/
    ],
    "an end without its effect": [({ run }) => run.booked.pop(), /is success wrote 0 rows/],
    "an effect twice": [({ booked, run }) => run.booked.push(booked), /wrote 2 rows/],
    "an effect of nobody": [({ run }) => run.booked.push("another"), /wrote, and is not known/],
    "a task without the rest of its transaction": [({ run }) => run.placed.pop(), /is there 0 times/],
    "a transaction without its task": [({ run }) => run.placed.push("another"), /left no task/]
  },
  versions: {
    "an older application runs what is new": [
      ({ run }) => run.start(run.add("added"), { life: "2.0" }),
      /older than it/
    ],
    "an older application runs a newer definition": [
      ({ run }) => run.start(run.add("shared", { definitionVersion: 2 }), { life: "2.0" }),
      /older than it/
    ],
    "a newer application runs what it forgot": [
      ({ run }) => run.start(run.add("retired"), { life: "2.1" }),
      /does not know it/
    ]
  }
}

describe("the judge of a chaos run", () => {
  it("finds nothing in a run that kept the contract", () => {
    expect(found(() => {})).toEqual([])
  })

  it("excuses what a feed did not tell before it said that it missed something", () => {
    expect(found(({ plain, run }) => {
      run.see("3.0", from + 250, { what: "reset" })
      run.forget("told", plain)
    })).toEqual([])
  })

  it("excuses slots that are too many to be made up for", () => {
    expect(found(({ run, ticks }) => {
      run.drop(ticks[1]!)
      run.seen = run.seen.filter((one) => !("taskId" in one && one.taskId === ticks[1]))
      run.change(ticks[2]!, { createdAt: from + 1_010 * every })
    })).toEqual([])
  })

  it("is tried with each of its invariants", () => {
    const files = readdirSync(new URL("chaos/invariants", import.meta.url)).map((name) => name.replace(".ts", ""))
    expect(Object.keys(broken)).toEqual(files.filter((name) => name !== "all" && name !== "Finding").sort())
  })

  for (const [invariant, ways] of Object.entries(broken)) {
    it.each(Object.entries(ways))(`${invariant}: finds that %s`, (_, [breaks, what]) => {
      expect(found(breaks).join("\n")).toMatch(what)
    })
  }
})
