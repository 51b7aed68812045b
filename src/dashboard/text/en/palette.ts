/** The words of the palette, of saved views, and of what is copied for a terminal, in English. */
import { count } from "../format.js"

export const palette = {
  palette: {
    open: "Search",
    title: "Search pages, tasks, runs and actions",
    placeholder: "Page, task, schedule, run ID or action",
    found: "What fits",
    failed: "Tasks and schedules could not be loaded: only pages and actions are offered.",
    kinds: {
      page: "Page",
      task: "Task",
      schedule: "Schedule",
      view: "View",
      run: "Run",
      action: "Action",
      search: "Runs"
    },
    retry: (task: string, id: string) => `Retry ${task} ${id}…`,
    cancel: (task: string, id: string) => `Cancel ${task} ${id}…`,
    notNow: (status: string) => `it is ${status.toLowerCase()}`,
    openRun: (task: string | null, id: string) => `Open ${task ?? "run"} ${task === null ? id : `…${id.slice(-8)}`}`,
    endsWith: (id: string) => `Runs whose ID ends with ${id}`,
    matching: (text: string) => `Runs matching “${text}”`,
    exportAs: (form: string) => `Export: ${form}`,
    onRuns: "only on the page of runs",
    isSo: "in use",
    isOn: "on",
    isOff: "off"
  },

  views: {
    title: "Saved views",
    shared: "For everybody",
    own: "Yours, in this browser",
    none: "Save what you filter for, and find it here and in the search.",
    save: "Save this view…",
    saveTitle: "Save this view",
    saveBody: "Filter, window, sort and columns are kept under a name, for you and in this browser.",
    name: "Name",
    go: "Save",
    keep: "Not now",
    rename: (name: string) => `Rename ${name}…`,
    renameTitle: (name: string) => `Rename ${name}`,
    renameGo: "Rename",
    remove: (name: string) => `Delete ${name}…`,
    removeTitle: (name: string) => `Delete ${name}?`,
    removeBody: "Only the name is deleted. Runs stay as they are.",
    removeGo: "Delete",
    saved: (name: string) => `${name} is saved`,
    removed: (name: string) => `${name} is deleted`,
    unreadable:
      "Your saved views cannot be read. They stay where they are until you begin anew, and beside the new ones then.",
    anew: "Begin anew",
    trouble: {
      unnamed: "A view needs a name.",
      long: "The name or the filter is too long to be kept.",
      full: `You have ${count(50)} views, as many as are kept: delete one first.`,
      taken: "You have a view of that name.",
      unreadable: "What this browser keeps of your views cannot be read, so nothing is written over it.",
      notKept:
        "This browser does not keep it: its storage is full or turned off. Copy the address of this page instead."
    }
  },

  curl: {
    copy: "Copy as curl",
    of: (action: string) => `Copy as curl: ${action}`,
    trigger: "run now",
    pause: "pause",
    resume: "resume",
    remove: "remove",
    drain: "drain",
    undrain: "take work again",
    cancel: "cancel",
    dismiss: "dismiss",
    retry: "retry"
  }
}
