/** The words of the overview, in English. */
import { count, countAtLeast, duration, oneDigit, plural } from "../format.js"

const runsOf = (value: number): string => `${count(value)} ${plural(value, "run", "runs")}`

export const overview = {
  overview: {
    range: "How far back",
    ranges: { "15m": "15 min", "1h": "1 hour", "24h": "24 hours", "7d": "7 days" },
    last: { "15m": "Last 15 min", "1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days" },
    in: { "15m": "in 15 min", "1h": "in 1 hour", "24h": "in 24 hours", "7d": "in 7 days" },
    versus: {
      "15m": "vs previous 15 min",
      "1h": "vs previous hour",
      "24h": "vs previous 24 hours",
      "7d": "vs previous 7 days"
    },
    noneBefore: {
      "15m": "none in the 15 min before",
      "1h": "none in the hour before",
      "24h": "none in the 24 hours before",
      "7d": "none in the 7 days before"
    },
    failed: "Could not load the overview",
    stale: "Not up to date.",
    none: "—",

    figures: "Figures",
    throughput: "Throughput",
    perMinute: "runs/min",
    success: "Success rate",
    p95: "Duration p95",
    wait: "Queue wait p95",
    running: "Running",
    ofSlots: (slots: number) => `of ${count(slots)} ${plural(slots, "slot", "slots")}`,
    pending: (value: number, isFloor: boolean) => `${countAtLeast(value, isFloor)} pending`,
    retrying: (value: number, isFloor: boolean) => `${countAtLeast(value, isFloor)} retrying`,
    busy: "Slots in use, from how long runs took",
    dead: "Dead letters",
    steady: "steady",
    nothingEnded: "nothing ended",
    nothingNew: "none new",
    percent: (signed: string) => `${signed}%`,
    times: (factor: string) => `${factor} times`,
    points: (signed: string) => `${signed} pts`,

    outcomes: "Runs by outcome",
    per: { minute: "per minute", hour: "per hour", twoHours: "per 2 hours" },
    duration: "Duration",
    durationNote: "first start to end",
    ok: "Success",
    bad: "Failed",
    cancelled: "Cancelled",
    p50: "p50",
    p95Short: "p95",
    p99: "p99",
    time: "Time",
    asTable: "View as table",
    asChart: "View as chart",
    chartKeys: "Arrow keys read it, Enter shows the runs, dragging shows those of a time.",
    outcomesChart: (last: string, ended: number, bad: number) =>
      `${last}: ${runsOf(ended)} ended, ${count(bad)} failed or were interrupted.`,
    durationChart: (last: string, p50: number | null, p95: number | null, p99: number | null) =>
      p50 === null || p95 === null || p99 === null
        ? `${last}: nothing ended.`
        : `${last}: half of the runs took less than ${duration(p50)}, 95 of 100 less than ${duration(p95)}, ` +
          `99 of 100 less than ${duration(p99)}.`,
    slot: (time: string, ok: number, bad: number, p95: number | null) =>
      `${time}: ${count(ok)} succeeded, ${count(bad)} failed` + (p95 === null ? "" : `, p95 ${duration(p95)}`),
    slotDurations: (time: string, p50: number | null, p95: number | null, p99: number | null) =>
      p50 === null || p95 === null || p99 === null
        ? `${time}: nothing ended`
        : `${time}: p50 ${duration(p50)}, p95 ${duration(p95)}, p99 ${duration(p99)}`,

    tasks: "Tasks",
    byFailures: "by failures",
    all: "All",
    allTasks: (value: number) => `All ${count(value)} ${plural(value, "task", "tasks")}`,
    task: "Task",
    runs: "Runs",
    failureRate: "Failure rate",
    noTasks: "Nothing ended in this time",
    spark: (ended: number, bad: number) => `${runsOf(ended)}, ${count(bad)} failed or interrupted`,
    rateOf: (value: number) => `${oneDigit(value * 100)}%`,

    attention: "Needs attention",
    attentionNote: "failures grouped by error",
    nothing: "Nothing needs attention",
    nothingBody: "No open errors, no late schedules, no silent instances, and nobody waits long.",
    attentionFailed: "The groups of errors could not be loaded.",
    firstSeen: (time: string) => `first ${time}`,
    lastSeen: (age: string) => `last ${age} ago`,
    moreGroups: (value: number, isFloor: boolean) =>
      `${countAtLeast(value, isFloor)} more ${plural(value, "group", "groups")} of errors`,
    waiting: (span: string) => `A run waits for ${span}`,
    waitingNote: (pending: string) => `${pending} pending in all`,
    lateSchedule: (name: string) => `Schedule ${name} is late`,
    lateBy: (span: string) => `due ${span} ago`,
    silent: (host: string) => `Instance ${host} is silent`,
    silentFor: (span: string) => `last heard ${span} ago`,
    show: "Show",
    showWhat: (what: string) => `Show: ${what}`,

    instances: "Instances",
    slotsBusy: (active: number, max: number) => `${count(active)} of ${count(max)} slots busy`,
    noInstances: "No instance is alive",
    instancesFailed: "The instances could not be loaded.",
    draining: "draining",
    silentMark: "silent",

    emptyBody: "Enqueue your first task: this page fills by itself.",
    emptyMore: "How to define one and let it run is in docs/guide/getting-started.md of the package."
  }
}
