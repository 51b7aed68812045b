/** The words of the page of tasks, in English. */
import { count, duration, plural } from "../format.js"

const runsOf = (value: number): string => `${count(value)} ${plural(value, "run", "runs")}`

export const tasks = {
  tasks: {
    caption: "Tasks",
    unknownCaption: "Names without a handler here",
    unknownBody: "The instance that answers has no handler for them. Others may, and their runs are kept.",
    lastDay: "figures of the last 24 hours",
    find: "Find tasks",
    name: "Task",
    waiting: "Waiting",
    running: "Running",
    ended: "Ended",
    failed: "Failed",
    success: "Success",
    p50: "p50",
    p95: "p95",
    instances: "Instances",
    actions: "Actions",
    none: "—",
    showFailures: (value: number, task: string) =>
      `${runsOf(value)} of ${task} failed or were interrupted: show its errors`,
    tasksOf: (value: number) => `${count(value)} ${plural(value, "task", "tasks")}`,
    paused: "Paused",
    scheduledBy: (names: ReadonlyArray<string>) => `Scheduled: ${names.join(", ")}`,
    noInstances: "No live instance said that it has a handler",
    pause: "Pause…",
    pauseOf: (task: string) => `Pause… ${task}`,
    resume: "Resume",
    resumeOf: (task: string) => `Resume ${task}`,
    pauseTitle: (task: string) => `Pause ${task}?`,
    pauseBody: "No instance starts runs of it until it is resumed. What runs goes on, and new runs wait.",
    pauseNow: (waiting: number, running: number) => `${count(waiting)} waiting, ${count(running)} running`,
    keep: "Keep it running",
    doPause: "Pause",
    pausedToast: (task: string) => `${task} is paused`,
    notPausedToast: (task: string) => `${task} was not paused itself. If it does not start, everything is paused.`,
    resumedToast: (task: string) => `${task} goes on`,
    empty: "No tasks yet",
    emptyBody: "A task appears here when an instance has a handler for it, or when it has runs.",
    filtered: "No task fits",
    filteredBody: (text: string) => `No name contains “${text}”.`,
    loadFailed: "Could not load the tasks",

    executor: { fiber: "fiber", thread: "thread", process: "process" },
    noRetries: "no retries",
    bySchedule: "retries by a schedule of its own",
    retries: (value: number) => `${count(value)} ${plural(value, "retry", "retries")}`,
    after: (millis: number, backoff: number) => `after ${duration(millis)}${backoff === 1 ? "" : ` ×${backoff}`}`,
    atMost: (millis: number) => `at most ${duration(millis)}`,
    jitter: "jitter",
    timeout: (millis: number) => `timeout ${duration(millis)}`,
    priority: (value: number) => `priority ${value}`,
    concurrency: (value: number) => `${count(value)} at once`,
    version: (value: number) => `version ${value}`,
    flags: {
      requeueOnInterrupt: "requeued when interrupted",
      transactional: "transactional",
      eager: "eager",
      notKept: "kept in memory alone"
    }
  }
}
