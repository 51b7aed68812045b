/**
 * What the public API promises, as a pure model: a few rules over plain data that know nothing of claims, leases, journals or SQL.
 *
 * Attempts take no time: they succeed, fail or hang at once. Whatever waits (a delay, the time between attempts) waits a spell of ten
 * minutes, so that it does not matter to the minute when an engine looks.
 */

/** How long whatever waits has to wait, in milliseconds. */
export const spell = 600_000

/** `steady` is retried twice and requeued when it is cut short; `single` is neither. */
export const names = ["steady", "single"] as const
export type Name = typeof names[number]
export const retriesOf: Record<Name, number> = { steady: 2, single: 0 }
const isRequeued: Record<Name, boolean> = { steady: true, single: false }

/** What one attempt does; the last one of a plan goes for all that follow. */
export type Act = "ok" | "fail" | "hang"

/** What a task is enqueued with. */
export interface Wish {
  readonly name: Name
  readonly key: string | null
  readonly plan: ReadonlyArray<Act>
  readonly delayed: boolean
}

/** Between when something comes: an engine may be late by a look, never early. */
export interface Due {
  readonly earliest: number
  readonly latest: number
}

export interface Task extends Wish {
  status: "pending" | "running" | "success" | "failed" | "interrupted" | "cancelled"
  attempts: number
  failures: number
  /** When it may start or start again; null when an attempt is under way or none follows. */
  due: Due | null
  stopReason: string | null
  retryOf: number | null
  retriedAs: number | null
}

export interface World {
  /** By the order in which they were made. */
  readonly tasks: Array<Task>
  /** Names that are paused; `null` is all of them. */
  readonly paused: Set<Name | null>
}

export const empty = (): World => ({ tasks: [], paused: new Set() })

const isEnded = ({ status }: Task): boolean => status !== "pending" && status !== "running"

/** Contract 7: held by the first task until that fails, is interrupted or cancelled. */
const holderOf = ({ tasks }: World, name: Name, key: string | null): number =>
  key === null
    ? -1
    : tasks.findIndex((task) =>
      task.name === name && task.key === key && ["pending", "running", "success"].includes(task.status)
    )

const add = ({ tasks }: World, wish: Wish, now: number, retryOf: number | null): number =>
  tasks.push({
    ...wish,
    status: "pending",
    attempts: 0,
    failures: 0,
    due: wish.delayed ? { earliest: now + spell, latest: now + spell } : { earliest: now, latest: now },
    stopReason: null,
    retryOf,
    retriedAs: null
  }) - 1

/** What a call answers: a word, and the task it names. */
export interface Answer {
  readonly says: string
  readonly task: number | null
}

const answer = (says: string, task: number | null = null): Answer => ({ says, task })

export const enqueue = (world: World, wish: Wish, now: number): Answer => {
  const holder = holderOf(world, wish.name, wish.key)
  return holder >= 0 ? answer("Deduplicated", holder) : answer("Enqueued", add(world, wish, now, null))
}

const end = (task: Task, status: Task["status"], stopReason: string | null): void => {
  Object.assign(task, { status, stopReason, due: null })
}

export const cancel = ({ tasks }: World, index: number): Answer => {
  const task = tasks[index]!
  if (isEnded(task)) return answer("TaskWrongStatus")
  const waits = task.due !== null
  end(task, "cancelled", "cancel")
  return answer(waits ? "cancelled" : "requested")
}

export const retry = (world: World, index: number, now: number): Answer => {
  const task = world.tasks[index]!
  if (!["failed", "interrupted", "cancelled"].includes(task.status)) return answer("TaskWrongStatus")
  if (task.retriedAs !== null) return answer("TaskAlreadyRetried", task.retriedAs)
  const holder = holderOf(world, task.name, task.key)
  if (holder >= 0) return answer("TaskKeyHeld", holder)
  task.retriedAs = add(world, { ...task, delayed: false }, now, index)
  return answer("retried", task.retriedAs)
}

export const pause = ({ paused }: World, name: Name | null): Answer => {
  if (paused.has(name)) return answer("alreadyPaused")
  paused.add(name)
  return answer("paused")
}

export const resume = ({ paused }: World, name: Name | null): Answer =>
  answer(paused.delete(name) ? "resumed" : "notPaused")

const isPaused = ({ paused }: World, { name }: Task): boolean => paused.has(null) || paused.has(name)

/** The process ended: `shutdown` with a goodbye, `instanceDied` without. */
export const stopped = ({ tasks }: World, why: "shutdown" | "instanceDied", now: number): void => {
  for (const task of tasks) {
    if (task.status !== "running" || task.due !== null) continue
    if (isRequeued[task.name]) Object.assign(task, { status: "pending", due: { earliest: now, latest: now } })
    else end(task, "interrupted", why)
  }
}

/** `late`: an engine has started what is due at the latest this long after it. */
const attempt = (task: Task, due: Due, from: number, late: number): void => {
  const act = task.plan[Math.min(task.attempts, task.plan.length - 1)]!
  task.attempts += 1
  task.due = null
  task.status = "running"
  if (act === "ok") end(task, "success", null)
  if (act !== "fail") return
  task.failures += 1
  if (task.failures > retriesOf[task.name]) return end(task, "failed", "retriesSpent")
  // What was paused begins when it is resumed, after `from`.
  const started = { earliest: Math.max(from, due.earliest), latest: Math.max(from, due.latest) + late }
  task.due = { earliest: started.earliest + spell, latest: started.latest + spell }
}

/**
 * Lets the time go on from `from` to `to` or a little longer: to a moment at which it is certain what has started, as nothing came due
 * within `late` before it. Gives that moment.
 */
export const pass = (world: World, from: number, to: number, late: number): number => {
  for (const task of world.tasks) {
    while (task.due !== null && !isPaused(world, task) && Math.max(from, task.due.latest) + late <= to) {
      attempt(task, task.due, from, late)
    }
  }
  const uncertain = world.tasks.find(({ due }) => due !== null && due.earliest <= to && to < due.latest + late)
  return uncertain === undefined ? to : pass(world, from, uncertain.due!.latest + late, late)
}
