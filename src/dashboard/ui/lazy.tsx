/**
 * Parts of the app that are loaded when they are first shown, so that the first visit loads little.
 *
 * A part that is not on the server any more means that the server has another version: the page is loaded again, once. If that
 * did not help, a person decides.
 */
import { type ComponentType, h, type JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import { config } from "../config.js"
import { t } from "../text/en.js"
import { Blank } from "./Blank.js"
import { Button } from "./controls.js"

const reloadedKey = "taskflow:reloaded"

/** Whether the page was loaded again because of this; not a second time for the same version. */
const reloadOnce = (): boolean => {
  try {
    if (sessionStorage.getItem(reloadedKey) === config.build) return false
    sessionStorage.setItem(reloadedKey, config.build)
  } catch {
    return false
  }
  location.reload()
  return true
}

const NotLoaded = () => (
  <Blank
    alert
    title={t.notLoaded}
    actions={<Button onClick={() => location.reload()}>{t.live.reload}</Button>}
  />
)

export interface Lazy<P extends object> {
  readonly Part: (props: P) => JSX.Element
  /** Loads it before it is needed. */
  readonly preload: () => void
}

export const lazy = <P extends object>(load: () => Promise<ComponentType<P>>, waiting: () => JSX.Element): Lazy<P> => {
  let loaded: ComponentType<P> | null = null
  let loading: Promise<void> | null = null
  const ready = (): Promise<void> =>
    loading ??= load().then((part) => {
      loaded = part
    }, (error) => {
      loading = null
      throw error
    })
  return {
    preload: () => void ready().catch(() => {}),
    Part: (props) => {
      const [state, setState] = useState<"waiting" | "ready" | "failed">("waiting")
      useEffect(() => {
        if (loaded !== null) return
        let here = true
        ready().then(() => here && setState("ready"), () => here && !reloadOnce() && setState("failed"))
        return () => {
          here = false
        }
      }, [])
      return loaded !== null ? h(loaded, props) : state === "failed" ? <NotLoaded /> : waiting()
    }
  }
}
