/** The palette, loaded when somebody first asks for it. */
import { lazy } from "../ui/lazy.js"

export const { Part: Palette, preload: preloadPalette } = lazy<object>(
  () => import("./Palette.js").then((module) => module.Palette),
  () => <></>
)

export const { Part: PaletteDialogs } = lazy<object>(
  () => import("./dialogs.js").then((module) => module.PaletteDialogs),
  () => <></>
)
