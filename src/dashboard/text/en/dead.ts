/** The words of the dead letters, in English. */
import { count, countAtLeast, plural } from "../format.js"

const runsOf = (value: number): string => `${count(value)} ${plural(value, "run", "runs")}`

export const dead = {
  dead: {
    badge: (value: number) =>
      `${countAtLeast(Math.min(value, 99), value > 99)} open ${plural(value, "error", "errors")}`,
    badgeShort: (value: number) => countAtLeast(Math.min(value, 99), value > 99),
    caption: "Groups of errors",
    groups: (shown: string, value: number) => `${shown} ${plural(value, "group", "groups")} of errors`,
    interrupted: (value: number) => `${count(value)} interrupted`,
    failedRuns: (value: number) => `${count(value)} failed`,
    seen: "Happened within",
    task: "Task",
    onlyTask: (task: string) => `Only errors of ${task}`,
    everyTask: "Every task",
    sort: "Order",
    sorts: { lastSeen: "Latest first", count: "Most first" },
    which: "Which groups",
    open: "Open",
    dismissed: "Dismissed",
    error: "Error",
    runs: "Runs",
    first: "First seen",
    last: "Last seen",
    actions: "Actions",
    noMessage: "No message",
    unnamed: "Error",
    lastRun: "Last run",
    showRuns: (value: number) => `Show ${runsOf(value)}`,
    since: (value: number) => `${count(value)} since dismissed`,
    retry: "Retry…",
    retryOf: (what: string) => `Retry… ${what}`,
    dismiss: "Dismiss",
    dismissOf: (what: string) => `Dismiss ${what}`,
    dismissWhy: "Hide it until it happens again",
    dismissedToast: "Dismissed until it happens again",
    retryTitle: "Retry this group?",
    allAre: "All are",
    withError: (error: string) => `with ${error}.`,
    retryAfter: "Each starts as a new run with its original arguments. The old ones stay.",
    window: "Retry failed…",
    windowOf: (task: string) => `Retry failed ${task}…`,
    windowTitle: "Retry what failed?",
    windowBody: (task: string | null) =>
      `${task === null ? "Runs" : `Runs of ${task}`} that failed or were interrupted, created within this time. ` +
      "Each starts as a new run with its original arguments. The old ones stay.",
    windows: { "1h": "1 hour", "6h": "6 hours", "24h": "24 hours", "7d": "7 days", all: "All time" },
    windowCreated: "Created within",
    more: "Show more groups",
    empty: "No dead letters",
    emptyBody: "No run has failed, as far back as runs are kept.",
    emptyOpen: "Nothing is open",
    emptyOpenBody: "What failed was dismissed, and did not happen again.",
    emptyDismissed: "Nothing is dismissed",
    emptyDismissedBody: "A dismissed group is here until it happens again.",
    filtered: "No group fits",
    filteredBody: (window: string | null, task: string | null) =>
      `Nothing failed${task === null ? "" : ` in ${task}`}${window === null ? "" : ` within ${window}`}.`,
    of: (task: string) => `Only ${task}`,
    showDismissed: "Show dismissed groups",
    failed: "Could not load the groups of errors"
  }
}
