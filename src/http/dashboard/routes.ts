/**
 * The web app under the prefix: its page, its files, and the page of the login.
 *
 * Files and the login tell nothing of tasks, so everybody gets them. The page is for those who may pass; others are sent to the
 * login and come back. All paths in pages and redirects are relative: they hold behind any proxy that cuts a prefix off.
 */
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { version } from "../../internal/version.js"
import { TaskManager } from "../../TaskManager.js"
import type { Guard } from "../guard.js"
import type { DisplayOptions } from "../parts.js"
import * as Assets from "./assets.js"
import type { PageConfig } from "./config.js"
import * as Encoding from "./encoding.js"
import * as Page from "./page.js"
import * as Settings from "./settings.js"

export type { DashboardSettings } from "./settings.js"

export interface DashboardOptions {
  /** The web app at `{prefix}/dashboard`. `false` for none. Default true. */
  readonly dashboard?: boolean | Settings.DashboardSettings | undefined
}

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** The app as it is served by one mount; null when it is turned off. */
export interface Dashboard extends Settings.Settings {
  readonly assets: Assets.Assets | null
  /** Names what is served, for pages that are still open when another version answers. */
  readonly build: string
  /** Whether lists have previews of arguments. */
  readonly previews: boolean
}

/** Throws a `TaskflowWiringError` that names the option. */
export const make = ({ dashboard = true, displayArguments }: DashboardOptions & DisplayOptions): Dashboard | null => {
  if (dashboard === false) return null
  const settings = Settings.make(dashboard === true ? {} : dashboard)
  const assets = Assets.read()
  return {
    ...settings,
    assets,
    build: assets === null ? version : `${version}+${assets.build}`,
    previews: displayArguments === true
  }
}

/** What is behind the place in the path of a request, without the query. */
const restOf = ({ url }: Request, place: string): string => url.split("?", 1)[0]!.slice(place.length)

// Of `/dashboard` that is "dashboard/", of `/dashboard/` and `/dashboard/runs` "./", of `/dashboard/runs/ID` "../".
/** The way from the page back to what is at `name/`. */
export const wayTo = (name: string, rest: string): string => {
  const depth = rest.split("/").length - 2
  return depth < 0 ? `${name}/` : depth === 0 ? "./" : "../".repeat(depth)
}

const page = (
  dashboard: Dashboard,
  root: string,
  config: Pick<PageConfig, "page" | "login" | "previews" | "kept">
): Response => {
  const { assets, build, environment, environmentColor, title } = dashboard
  const views = config.page === "app" ? dashboard.views : []
  const said = { ...config, title, environment, environmentColor, views, build }
  return assets === null
    ? HttpServerResponse.text(Page.notBuilt, { status: 503, contentType: "text/html; charset=utf-8" })
    : HttpServerResponse.text(Page.html(root, assets.entry, said), {
      contentType: "text/html; charset=utf-8",
      headers: Page.headers
    })
}

// JSON has no Infinity.
const keptOf = (retention: TaskManager["Type"]["retention"]): PageConfig["kept"] => {
  const of = (millis: number) => Number.isFinite(millis) ? millis : null
  const { cancelled, failed, interrupted, success } = retention
  return { success: of(success), failed: of(failed), interrupted: of(interrupted), cancelled: of(cancelled) }
}

const missing = HttpServerResponse.text("There is no such file in this build of the dashboard.", { status: 404 })

const file = (assets: Assets.Assets | null, name: string, { headers }: Request): Response => {
  const asset = assets?.files.get(name)
  if (asset === undefined) return missing
  const shared = { etag: asset.etag, vary: "accept-encoding", "cache-control": "public, max-age=31536000, immutable" }
  if (Encoding.names(headers["if-none-match"], asset.etag)) {
    return HttpServerResponse.empty({ status: 304, headers: shared })
  }
  const { bytes, encoding } = Encoding.best(headers["accept-encoding"], asset)
  return HttpServerResponse.uint8Array(bytes, {
    contentType: asset.type,
    headers: encoding === null ? shared : { ...shared, "content-encoding": encoding }
  })
}

/** The routes below `at`, as the guard lets them pass. */
export const layer = (
  dashboard: Dashboard,
  at: string,
  guard: Guard
): Layer.Layer<never, never, HttpLayerRouter.HttpRouter | TaskManager> =>
  Layer.unwrapEffect(Effect.map(TaskManager, (manager) => {
    const { assets, previews } = dashboard
    const home = `${at}/dashboard` as const
    const login = `${at}/auth/login` as const
    const hasLogin = guard.verify !== null

    // Where to come back to is said from the dashboard on, so that it can lead nowhere else.
    const toLogin = (request: Request): Response => {
      const rest = restOf(request, home)
      const query = request.url.slice(home.length + rest.length)
      const next = `${rest.replace(/^\/+/, "")}${query}`
      const up = rest === "" ? "" : "../".repeat(rest.split("/").length - 1)
      return HttpServerResponse.empty({
        status: 303,
        headers: { location: `${up}auth/login${next === "" ? "" : `?next=${encodeURIComponent(next)}`}` }
      })
    }

    const app = guard.page(
      Effect.map(
        HttpServerRequest.HttpServerRequest,
        (request) =>
          page(dashboard, wayTo("dashboard", restOf(request, home)), {
            page: "app",
            login: hasLogin,
            previews,
            kept: keptOf(manager.retention)
          })
      ),
      toLogin
    )
    const loginPage = guard.anonymous(
      Effect.map(HttpServerRequest.HttpServerRequest, (request) => {
        const up = "../".repeat(restOf(request, login).split("/").length)
        return page(dashboard, `${up}dashboard/`, {
          page: "login",
          login: hasLogin,
          previews: false,
          kept: null
        })
      })
    )
    const files = guard.anonymous(
      Effect.map(HttpServerRequest.HttpServerRequest, (request) => file(assets, restOf(request, `${home}/`), request))
    )
    return Layer.mergeAll(
      HttpLayerRouter.add("GET", home as `/${string}`, app),
      HttpLayerRouter.add("GET", `${home}/*` as `/${string}`, app),
      HttpLayerRouter.add("GET", `${home}/assets/*` as `/${string}`, files),
      HttpLayerRouter.add("GET", login as `/${string}`, loginPage)
    )
  }))
