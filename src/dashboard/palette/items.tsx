/** What the palette offers: pages, tasks, schedules, views, runs, and what can be done. */
import * as endpoints from "../api/endpoints.js"
import { address } from "../api/request.js"
import type { Definition, Schedule } from "../api/types.js"
import { config } from "../config.js"
import { everything, pauses, readPauses } from "../live/pauses.js"
import { live, paused } from "../live/store.js"
import { href, navigate, route } from "../location.js"
import { runPath } from "../route.js"
import { confirm, refusalOf } from "../run/actions.js"
import { asked } from "../runs/list.js"
import { problemOf } from "../runs/terms.js"
import { logOut, may, session } from "../session.js"
import { density, shortcuts, theme, themes, utc } from "../settings.js"
import { helpOpen } from "../shell/helpOpen.js"
import { sections } from "../shell/sections.js"
import { taskPath } from "../tasks/term.js"
import { t } from "../text/en.js"
import { attempt } from "../ui/attempt.js"
import type { IconName } from "../ui/Icon.js"
import { toast } from "../ui/toasts.js"
import { allViews } from "../views/store.js"
import type { Findable } from "./rank.js"
import { runInView, wanted } from "./state.js"

export interface Item extends Findable {
  /** The same whenever it is offered, so that it is known again. */
  readonly id: string
  readonly kind: keyof typeof t.palette.kinds
  readonly icon: IconName
  /** Why it cannot be chosen now. */
  readonly reason?: string | undefined
  readonly choose: () => void
}

/** What the server was asked for. */
export interface Known {
  readonly tasks: ReadonlyArray<Definition>
  readonly schedules: ReadonlyArray<Schedule>
}

const to = (address: string) => (): void => navigate(address)
const quoted = (text: string): string => /^[\w.-]+$/.test(text) ? text : JSON.stringify(text)

const pages = (): ReadonlyArray<Item> =>
  sections.filter(({ permission }) => permission === undefined || may(permission)).map(({ label, path }) => ({
    id: `page ${path}`,
    kind: "page",
    icon: "arrow",
    label,
    choose: to(href(path))
  }))

const tasks = ({ tasks }: Known): ReadonlyArray<Item> =>
  tasks.map(({ taskName }) => ({
    id: `task ${taskName}`,
    kind: "task",
    icon: "screen",
    label: taskName,
    words: t.palette.kinds.task,
    choose: to(href(taskPath(taskName)))
  }))

const schedules = ({ schedules }: Known): ReadonlyArray<Item> =>
  schedules.map(({ name, taskName }) => ({
    id: `schedule ${name}`,
    kind: "schedule",
    icon: "clock",
    label: name,
    words: `${taskName} ${t.palette.kinds.schedule}`,
    choose: to(href("schedules", { find: name, open: name }))
  }))

const views = (): ReadonlyArray<Item> =>
  allViews.value.map(({ name, path, shared }) => ({
    id: `view ${shared} ${name}`,
    kind: "view",
    icon: "bookmark",
    label: name,
    words: t.palette.kinds.view,
    choose: to(href(path))
  }))

const ofRun = (): ReadonlyArray<Item> => {
  const now = runInView.value
  if (now === null) return []
  const { done, run } = now
  return (["retry", "cancel"] as const).map((action) => {
    const refusal = refusalOf(action, run)
    return {
      id: `run ${action}`,
      kind: "run",
      icon: action === "retry" ? "retrying" : "cancelled",
      label: t.palette[action](run.taskName, run.taskId.slice(-8)),
      reason: refusal === undefined ? t.palette.notNow(t.status[run.status]) : refusal ?? undefined,
      choose: () => confirm(action, run, done)
    }
  })
}

const resumeAll = (): Promise<void> =>
  attempt(async () => {
    const { outcome } = await endpoints.resumeAll()
    await readPauses()
    toast("good", outcome === "resumed" ? t.pausing.resumed : t.pausing.notPaused)
  })

const needs = (permission: "pause" | "delete", otherwise?: string): string | undefined =>
  may(permission) ? otherwise : t.run.may(permission)

const toggle = (label: string, on: boolean, choose: () => void, id: string): Item => ({
  id,
  kind: "action",
  icon: on ? "check" : "screen",
  label,
  words: on ? t.palette.isOn : t.palette.isOff,
  choose
})

const actions = (): ReadonlyArray<Item> => {
  const onRuns = route.value.page === "runs"
  const download = (path: string) => (): void => location.assign(address(path, { q: asked.value.q }).href)
  const isPaused = everything.value !== null
  const all: ReadonlyArray<Omit<Item, "kind">> = [
    {
      id: "pause everything",
      icon: "pause",
      label: t.pausing.pause,
      reason: needs("pause", isPaused ? t.pausing.already : undefined),
      choose: () => (wanted.value = "pause")
    },
    {
      id: "resume everything",
      icon: "play",
      label: t.pausing.resume,
      reason: needs("pause", isPaused || pauses.value === null ? undefined : t.pausing.notPaused),
      choose: () => void resumeAll()
    },
    {
      id: "live",
      icon: paused.value ? "play" : "pause",
      label: paused.value ? t.live.resume : t.live.pause,
      choose: () => (paused.value = !paused.value)
    },
    ...(["csv", "ndjson"] as const).map((form) => ({
      id: `export ${form}`,
      icon: "download" as const,
      label: t.palette.exportAs(form === "csv" ? t.filter.exportCsv : t.filter.exportNdjson),
      reason: onRuns ? undefined : t.palette.onRuns,
      choose: download(`export.${form}`)
    })),
    {
      id: "clear",
      icon: "close",
      label: t.clear.menu,
      reason: needs("delete"),
      choose: () => (wanted.value = "clear")
    },
    ...themes.map((one) => ({
      id: `theme ${one}`,
      icon: one === "dark" ? "moon" as const : one === "light" ? "sun" as const : "screen" as const,
      label: t.theme.next(t.theme[one]),
      reason: theme.value === one ? t.palette.isSo : undefined,
      choose: () => (theme.value = one)
    })),
    { id: "help", icon: "more", label: t.keys.title, choose: () => (helpOpen.value = true) },
    ...config.login && session.value?.open !== true
      ? [{ id: "log out", icon: "person" as const, label: t.account.logOut, choose: () => void logOut() }]
      : []
  ]
  return [
    ...all.map((one): Item => ({ ...one, kind: "action" })),
    toggle(t.account.utc, utc.value, () => (utc.value = !utc.value), "utc"),
    toggle(
      t.account.density,
      density.value === "compact",
      () => (density.value = density.value === "compact" ? "comfortable" : "compact"),
      "density"
    ),
    toggle(t.account.shortcuts, shortcuts.value, () => (shortcuts.value = !shortcuts.value), "shortcuts")
  ]
}

/** Everything that has a name, as it is at the moment. */
export const named = (known: Known): ReadonlyArray<Item> => [
  ...ofRun(),
  ...pages(),
  ...views(),
  ...actions(),
  ...schedules(known),
  ...tasks(known)
]

const wholeId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** So many of an id are in the list. */
const shownDigits = 8
const endOfId = /^[0-9a-f-]{4,}$/

const runItem = (id: string, taskName: string | null): Item => ({
  id: `open ${id}`,
  kind: "run",
  icon: "arrow",
  label: t.palette.openRun(taskName, id),
  choose: to(href(runPath(id)))
})

/** Runs whose id was pasted, whole or as its last characters in the list. */
export const runsOf = (text: string): ReadonlyArray<Item> => {
  const id = text.trim().toLowerCase().replace(/^…/, "")
  const rows = live.value.runs
  if (wholeId.test(id)) return [runItem(id, rows.get(id)?.row?.taskName ?? null)]
  if (!endOfId.test(id)) return []
  const found = Array.from(rows).filter(([one]) => one.endsWith(id)).slice(0, 5).map(([one, { row }]) =>
    runItem(one, row?.taskName ?? null)
  )
  return found.length > 0 || id.length !== shownDigits ? found : [{
    id: `ends ${id}`,
    kind: "run",
    icon: "search",
    label: t.palette.endsWith(id),
    choose: to(href("runs", { q: `id:${id}`, since: "all" }))
  }]
}

/** The runs that the text finds as a filter; words that are no filter are looked for as they are. */
export const searchOf = (text: string): Item => {
  const words = text.trim()
  return {
    id: "search",
    kind: "search",
    icon: "search",
    label: t.palette.matching(words),
    choose: to(href("runs", { q: problemOf(words) === null ? words : quoted(words) }))
  }
}
