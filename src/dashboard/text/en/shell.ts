/** The words of the shell: sections, live state, theme, account, login, keys, in English. */
import { count, plural } from "../format.js"

const runsOf = (value: number): string => `${count(value)} ${plural(value, "run", "runs")}`

export const shell = {
  sections: { overview: "Overview", runs: "Runs", tasks: "Tasks", deadLetters: "Dead letters" },
  skip: "Skip to content",
  loading: "Loading",
  close: "Close",
  copy: "Copy",
  copied: "Copied",
  notCopied: "Could not copy: select the text and copy it by hand",
  menu: "More actions",
  notLoaded: "A part of this page could not be loaded",
  unknownPage: "Nothing is here",
  unknownPageBody: (path: string) => `There is no page “${path}” in this dashboard.`,
  toRuns: "Go to Runs",

  status: {
    pending: "Pending",
    running: "Running",
    retrying: "Retrying",
    success: "Success",
    failed: "Failed",
    interrupted: "Interrupted",
    cancelled: "Cancelled"
  },

  live: {
    live: "Live",
    polling: "Every 5 s",
    connecting: "Connecting",
    lost: "Not live",
    resting: "Resting",
    paused: "Paused",
    sampling: "Sampling",
    samplingWhy: "Updating faster than can be shown",
    pause: "Pause live updates",
    resume: "Resume live updates",
    notLive: "Not live.",
    dataFrom: (time: string) => `Showing data from ${time}.`,
    noData: "Nothing was received yet.",
    retryIn: (seconds: number) => `Retrying in ${seconds} s.`,
    retrying: "Retrying.",
    retryNow: "Retry now",
    outdated: "A new version of this dashboard is on the server.",
    reload: "Reload",
    announce: (fresh: number, failed: number) => `${runsOf(fresh)} new, ${count(failed)} failed`
  },

  pausing: {
    everything: "Everything is paused.",
    since: (time: string, by: string) => `Nothing starts since ${time}, asked for by ${by}. What runs goes on.`,
    resume: "Resume everything",
    resumed: "Everything goes on",
    notPaused: "It is not paused",
    pause: "Pause everything…",
    title: "Pause everything?",
    body: "No instance starts anything until it is resumed. What runs goes on, and new runs are accepted and wait.",
    keep: "Let it run",
    go: "Pause everything",
    paused: "Nothing starts any more",
    already: "Everything is paused already",
    none: "Nothing is paused"
  },

  theme: { title: "Theme", system: "System", light: "Light", dark: "Dark", next: (name: string) => `Theme: ${name}` },

  account: {
    title: "Account",
    anonymous: "Everybody may use this server",
    readOnly: "Read only",
    readOnlyWhy: "Your access lets you look at everything and change nothing.",
    logOut: "Log out",
    density: "Compact rows",
    utc: "Times in UTC",
    shortcuts: "Single-key shortcuts",
    help: "Keyboard shortcuts"
  },

  login: {
    title: "Log in",
    username: "Username",
    password: "Password",
    submit: "Log in",
    submitting: "Logging in",
    wrong: "The username or the password is wrong.",
    throttled: (seconds: number) => `Too many attempts. Try again in ${count(seconds)} s.`,
    unreachable: "The server cannot be reached. Try again.",
    failed: (message: string) => `The login did not work: ${message}`,
    none: "No login here",
    noneBody: "This server lets programs in by token, and people by a login of its application. It has no passwords.",
    ended: "Your session ended",
    endedBody: "Log in to go on. What you were looking at stays as it is.",
    again: "Go to the login"
  },

  keys: {
    title: "Keyboard shortcuts",
    palette: "Search everything",
    next: "Next / previous run",
    open: "Open run",
    close: "Close panel, then clear selection",
    select: "Select run",
    selectAll: "Select all loaded, then all that match",
    filter: "Filter",
    tabs: "Previous / next tab in panel",
    retry: "Retry… the open run, or what is selected",
    cancel: "Cancel… the open run, or what is selected",
    link: "Copy link to run",
    follow: "Follow log",
    pause: "Pause live updates",
    fresh: "Show new runs",
    goOverview: "Go to the overview",
    goRuns: "Go to Runs",
    goTasks: "Go to Tasks",
    goDead: "Go to Dead letters",
    goSchedules: "Go to schedules",
    goInstances: "Go to instances",
    goAudit: "Go to the audit trail",
    facets: "Show one status",
    help: "This help"
  }
}
