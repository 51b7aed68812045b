/** The tray of batches, loaded when there is one to show. */
import { lazy } from "../ui/lazy.js"
import { shown } from "./store.js"

const { Part, preload } = lazy<object>(() => import("./Tray.js").then((module) => module.Tray), () => <></>)

export const preloadTray = preload

export const BatchTray = () => shown.value.length === 0 ? null : <Part />
