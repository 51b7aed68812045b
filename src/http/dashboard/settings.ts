/** What an application says of its dashboard, checked when the layer is built. */
import { TaskflowWiringError } from "../../TaskError.js"
import * as Parse from "../filter/parse.js"
import type { EnvironmentColor, SharedView } from "./config.js"

/** What the dashboard is called, and what it offers. */
export interface DashboardSettings {
  /** What the application is called: in the header, the login and the browser's tab. Default "Background tasks". */
  readonly title?: string | undefined
  /** Where this is, as "production": shown beside the title, in a colour if one is given. Default: nothing. */
  readonly environment?: string | {
    /** What is shown. */
    readonly label: string
    /** Default: none. */
    readonly color?: EnvironmentColor | undefined
  } | undefined
  /** Views of runs that everybody is offered, at most 50: as `{ name: "Slow", path: "runs?q=dur:>5s" }`. Default: none. */
  readonly views?: ReadonlyArray<SharedView> | undefined
}

export interface Settings {
  readonly title: string
  readonly environment: string | null
  readonly environmentColor: EnvironmentColor | null
  readonly views: ReadonlyArray<SharedView>
}

const most = { text: 100, views: 50, name: 60, path: 2_000 }
const colors: ReadonlyArray<EnvironmentColor> = ["red", "amber", "green", "blue"]
/** What the page of runs takes from its address. */
const viewParams = ["q", "status", "since", "from", "to", "sort", "cols"]

const wrong = (message: string): TaskflowWiringError => new TaskflowWiringError({ message: `TaskHttp: ${message}` })

const shown = (text: unknown): string => JSON.stringify(text)?.slice(0, 100) ?? "undefined"

const textOf = (name: string, text: string): string => {
  if (typeof text === "string" && text.trim() !== "" && text.length <= most.text) return text
  throw wrong(`dashboard.${name} is empty or longer than ${most.text} characters`)
}

const viewOf = ({ name, path }: SharedView, index: number): SharedView => {
  const at = `dashboard.views[${index}]`
  if (typeof name !== "string" || name.trim() === "" || name.length > most.name) {
    throw wrong(`${at}.name is ${shown(name)}: it is empty or longer than ${most.name} characters`)
  }
  const expected = `a page of runs is expected, as "runs?q=status:failed"`
  const [, page, query = ""] = typeof path === "string" && path.length <= most.path
    ? /^(runs)(?:\?(.*))?$/.exec(path) ?? []
    : []
  if (page === undefined) throw wrong(`${at}.path is ${shown(path)}: ${expected}`)
  const params = new URLSearchParams(query)
  for (const key of params.keys()) {
    if (!viewParams.includes(key)) {
      throw wrong(`${at}.path has the parameter ${shown(key)}: there are ${viewParams.join(", ")}`)
    }
  }
  const parsed = Parse.parse(params.get("q") ?? "")
  if (!parsed.ok) throw wrong(`${at}.path: its filter cannot be read: ${parsed.errors[0]?.message ?? ""}`)
  return { name, path: query === "" ? page : `${page}?${params}` }
}

const viewsOf = (views: ReadonlyArray<SharedView>): ReadonlyArray<SharedView> => {
  if (views.length > most.views) throw wrong(`dashboard.views has ${views.length} views: at most ${most.views}`)
  const names = new Set<string>()
  return views.map((view, index) => {
    const checked = viewOf(view, index)
    if (names.has(checked.name)) throw wrong(`dashboard.views: ${shown(checked.name)} is there twice`)
    names.add(checked.name)
    return checked
  })
}

/** Throws a `TaskflowWiringError` that names the option. */
export const make = ({ environment, title = "Background tasks", views = [] }: DashboardSettings): Settings => {
  const { color, label } = typeof environment === "object" ? environment : { label: environment, color: undefined }
  if (color !== undefined && !colors.includes(color)) {
    throw wrong(`dashboard.environment.color is ${shown(color)}: there are ${colors.join(", ")}`)
  }
  return {
    title: textOf("title", title),
    environment: environment === undefined ? null : textOf("environment", label ?? ""),
    environmentColor: color ?? null,
    views: viewsOf(views)
  }
}
