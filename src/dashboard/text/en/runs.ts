/** The words of the page of runs, in English. */
import { count, countAtLeast, plural } from "../format.js"

const runsOf = (value: number): string => `${count(value)} ${plural(value, "run", "runs")}`

const alsoSkipped = (value: number): string => value === 0 ? "" : `, ${count(value)} skipped`

export const runs = {
  filter: {
    label: "Filter runs",
    placeholder: "Filter by task, tag, error, ID…",
    remove: (term: string) => `Remove ${term}`,
    clear: "Clear the filter",
    suggestions: "How the filter may go on",
    window: "Created within",
    windows: {
      "15m": "Last 15 minutes",
      "1h": "Last hour",
      "6h": "Last 6 hours",
      "24h": "Last 24 hours",
      "7d": "Last 7 days",
      "30d": "Last 30 days",
      all: "All time"
    },
    chosen: "a chosen time",
    statuses: "Status",
    all: "All",
    columns: "Columns",
    exportAs: "Export",
    exportCsv: "CSV, for spreadsheets",
    exportNdjson: "NDJSON, for programs",
    exportNote: "What the filter shows, up to 100,000 rows."
  },

  table: {
    caption: "Runs",
    select: "Select",
    selectRun: (task: string, id: string) => `Select ${task} ${id}`,
    selectAll: "Select all loaded runs",
    status: "Status",
    task: "Task",
    detail: "Detail",
    run: "Run",
    tries: "Tries",
    duration: "Duration",
    started: "Started",
    ended: "Ended",
    age: "Age",
    wait: "Wait",
    priority: "Priority",
    tags: "Tags",
    instance: "Instance",
    scheduled: "Scheduled",
    scheduledBy: (name: string) => `Scheduled by ${name}`,
    triesOf: (count: number) => count === 0 ? "Not started" : `${count} ${plural(count, "attempt", "attempts")}`,
    cancelling: "Cancelling",
    retryIn: (span: string) => `next attempt in ${span}`,
    retryDue: "next attempt is due",
    startsIn: (span: string) => `starts in ${span}`,
    retriedAs: "retried",
    noDuration: "No duration yet",
    slower: "slower than 95 of 100 runs of this task"
  },

  marks: {
    rescued: "Rescued",
    rescuedAfter: (crashes: number) =>
      `Rescued: its process died or lost its lease ${count(crashes)} ${
        plural(crashes, "time", "times")
      }, and it ran again`,
    crashes: (value: number) => `Its process died ${count(value)} ${plural(value, "time", "times")}`,
    keyed: "Has an idempotency key",
    keyedBy: (key: string) => `Idempotency key ${key}: enqueued again, it is this run`
  },

  list: {
    matching: (total: number, isFloor: boolean) =>
      `${countAtLeast(total, isFloor)} ${plural(total, "run matches", "runs match")}`,
    loadedOf: (loaded: number) => `${count(loaded)} loaded`,
    incomplete: "Only the newest 10,000 runs were searched",
    searchOn: "Search further back",
    newest: "newest first",
    sortedBy: (what: string) => `sorted by ${what}`,
    updatedNow: "Updated just now",
    updatedAgo: (span: string) => `Updated ${span} ago`,
    toAllTime: "All time",
    fresh: (value: number) => `${count(value)} new ${plural(value, "run", "runs")}`,
    freshSome: "New runs",
    loadingMore: "Loading more",
    full: (loaded: number) => `The first ${count(loaded)} are shown: narrow the list to see others`,
    notUpdated: "Could not update",
    moreFailed: "Could not load more",
    end: "End of the list"
  },

  figures: {
    title: "How runs ended in this window",
    ended: "Ended",
    perMinute: "Per minute",
    success: "Success",
    average: "Average",
    p95: "p95",
    min: "Shortest",
    max: "Longest",
    wait: "Wait p95",
    now: "now",
    chart: (ended: string, failed: string) => `${ended} runs ended, ${failed} of them failed or interrupted`
  },

  states: {
    empty: "No runs yet",
    emptyBody: "Enqueue a task and it appears here at once.",
    emptyCode: "yield* SendEmail.enqueue({ to })",
    filtered: "No runs match",
    filteredBody: (applied: string) => `Nothing fits ${applied}.`,
    filteredWithout: (value: number, isFloor: boolean) =>
      `${countAtLeast(value, isFloor)} ${plural(value, "run matches", "runs match")} without `,
    removeThat: "Remove that filter",
    clearAll: "Clear all",
    allTime: "Look at all time",
    registered: (value: number) => `${count(value)} ${plural(value, "task is", "tasks are")} registered`,
    failed: "Could not load runs",
    failedLive: "Live counts are still updating.",
    tryAgain: "Try again",
    copyDetails: "Copy details",
    badFilter: "The filter cannot be read"
  },

  bulk: {
    selected: (value: number) => `${count(value)} selected`,
    allLoaded: (value: number) => `All ${count(value)} loaded runs are selected.`,
    selectAll: (total: string) => `Select all ${total} matching`,
    everything: (total: string) => `All ${total} matching runs are selected.`,
    clear: "Clear selection",
    retry: (value: string) => `Retry ${value}…`,
    cancel: (value: string) => `Cancel ${value}…`,
    retryTitle: (value: string) => `Retry ${value} runs?`,
    cancelTitle: (value: string) => `Cancel ${value} runs?`,
    retryBody: "Each starts as a new run with its original arguments. The old ones stay.",
    cancelBody: "Waiting runs will not start. Running ones are told to stop.",
    counting: "Counting what would happen",
    canRetry: (value: number) => `${runsOf(value)} can run now`,
    canCancel: (value: number) => `${runsOf(value)} will stop`,
    skipped: (value: number, reason: string) => `${count(value)} will be skipped: ${reason}`,
    keep: "Keep them",
    doRetry: (value: number) => `Retry ${runsOf(value)}`,
    doCancel: (value: number) => `Cancel ${runsOf(value)}`,
    nothing: "Nothing to do",
    skippedFor: (value: number, reason: string) => `${count(value)} skipped: ${reason}`,
    doing: "Sending",
    undoable: (seconds: number) => `Nothing happens for ${count(seconds)} s, and you can undo it until then.`,
    rate: "How fast",
    rates: { fast: "As fast as it goes", ten: "10 a second", one: "1 a second" },
    takes: (time: string) => `About ${time}.`,
    curl: "Copy as curl",
    retried: (value: number) => `${runsOf(value)} retried`,
    cancelled: (value: number) => `${runsOf(value)} cancelled or told to stop`
  },

  batches: {
    title: "Batches",
    progress: "Progress",
    undo: "Undo",
    startNow: "Start now",
    stop: "Stop",
    stopping: "Stopping behind the runs under way",
    show: "Show runs",
    putAway: "Put away",
    fold: "Make small",
    many: (value: number) => `${count(value)} batches`,
    audit: "Audit trail",
    by: (who: string) => `Asked for by ${who}`,
    left: (time: string) => `About ${time} left`,
    lost: "How far it is cannot be told",
    lostWhy: "The instance that did it was restarted, or another one answers. The audit trail says how it ended.",
    retry: {
      asked: (total: string, value: number) =>
        `${total} ${plural(value, "run", "runs")} will be retried. It can be undone.`,
      waiting: (total: string, value: number, seconds: number) =>
        `Retrying ${total} ${plural(value, "run", "runs")} in ${count(seconds)} s`,
      began: "Retrying began",
      running: (done: number, total: string) => `Retrying: ${count(done)} of ${total}`,
      stopping: (done: number) => `Stopping behind ${count(done)}`,
      done: (value: number, skipped: number) => `${runsOf(value)} retried${alsoSkipped(skipped)}`,
      undone: "Undone: nothing was retried",
      stopped: (value: number, skipped: number) => `Stopped: ${runsOf(value)} retried${alsoSkipped(skipped)}`,
      failed: (value: number, skipped: number) => `Broke off: ${runsOf(value)} retried${alsoSkipped(skipped)}`
    },
    cancel: {
      asked: (total: string, value: number) =>
        `${total} ${plural(value, "run", "runs")} will be cancelled. It can be undone.`,
      waiting: (total: string, value: number, seconds: number) =>
        `Cancelling ${total} ${plural(value, "run", "runs")} in ${count(seconds)} s`,
      began: "Cancelling began",
      running: (done: number, total: string) => `Cancelling: ${count(done)} of ${total}`,
      stopping: (done: number) => `Stopping behind ${count(done)}`,
      done: (value: number, skipped: number) => `${runsOf(value)} cancelled or told to stop${alsoSkipped(skipped)}`,
      undone: "Undone: nothing was cancelled",
      stopped: (value: number, skipped: number) => `Stopped: ${runsOf(value)} cancelled${alsoSkipped(skipped)}`,
      failed: (value: number, skipped: number) => `Broke off: ${runsOf(value)} cancelled${alsoSkipped(skipped)}`
    }
  },

  clear: {
    menu: "Clear history…",
    title: "Clear history?",
    body: "Runs that ended longer ago than this are removed, with their logs. There is no way back.",
    olderThan: "Older than",
    unit: "Unit",
    units: { day: "days", hour: "hours", min: "minutes" },
    keep: "Keep them",
    go: "Remove runs",
    counting: "Counting what would go",
    notCounted: (message: string) => `Could not be counted: ${message}`,
    many: (value: number, isFloor: boolean) =>
      value === 0
        ? "No run ended longer ago than this."
        : `${countAtLeast(value, isFloor)} ${plural(value, "run", "runs")} ended longer ago than this.`,
    goMany: (value: number, isFloor: boolean) =>
      `Remove ${countAtLeast(value, isFloor)} ${plural(value, "run", "runs")}`,
    progress: (done: string) => `${done} removed`,
    done: (value: number) => `${runsOf(value)} removed`
  },

  skips: {
    wrongStatus: "their status does not allow it",
    alreadyRetried: "already retried",
    keyHeld: "another run holds the idempotency key",
    notRegistered: "no live instance has a handler",
    encrypted: "encrypted with a key that is not here",
    notFound: "not kept any more"
  }
}
