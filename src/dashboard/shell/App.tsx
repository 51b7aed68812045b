/** The whole app: the login, or the shell with the page that the address names. */
import { useEffect } from "preact/hooks"
import { BatchTray } from "../batches/lazyTray.js"
import { config } from "../config.js"
import { paused } from "../live/store.js"
import { href, navigate, route } from "../location.js"
import { LoginPage } from "../login/LoginPage.js"
import { SessionEnded } from "../login/SessionEnded.js"
import { Palette, PaletteDialogs } from "../palette/lazyPalette.js"
import { paletteOpen, wanted } from "../palette/state.js"
import { t } from "../text/en.js"
import { lazy } from "../ui/lazy.js"
import { Toasts } from "../ui/toasts.js"
import { Banners } from "./Banner.js"
import { Header } from "./Header.js"
import { helpOpen } from "./helpOpen.js"
import { useKeys } from "./keyboard.js"
import { Page, titleOf } from "./Pages.js"

const { Part: Help } = lazy<object>(() => import("./Help.js").then((module) => module.Help), () => <></>)

const Shell = () => {
  useKeys({
    "?": () => (helpOpen.value = true),
    "Mod+k": () => (paletteOpen.value = true),
    p: () => (paused.value = !paused.value),
    "g o": () => navigate(href("")),
    "g r": () => navigate(href("runs")),
    "g t": () => navigate(href("tasks")),
    "g d": () => navigate(href("dead-letters")),
    "g s": () => navigate(href("schedules")),
    "g i": () => navigate(href("instances")),
    "g a": () => navigate(href("audit"))
  })
  return (
    <div class="app">
      <a class="skip" href="#main">{t.skip}</a>
      <Header />
      <Banners />
      <main id="main" tabIndex={-1}>
        <Page route={route.value} />
      </main>
      <Toasts>
        <BatchTray />
      </Toasts>
      {helpOpen.value ? <Help /> : null}
      {paletteOpen.value ? <Palette /> : null}
      {wanted.value === null ? null : <PaletteDialogs />}
      <SessionEnded />
    </div>
  )
}

export const App = () => {
  const title = titleOf(route.value)
  useEffect(() => {
    document.title = `${title} · ${config.title}`
  }, [title])
  return route.value.page === "login" ? <LoginPage /> : <Shell />
}
