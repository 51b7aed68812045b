/** Starts the app on the page that the server sent. */
import "./style/main.css"
import { render } from "preact"
import { startBatches } from "./batches/store.js"
import { startClock } from "./clock.js"
import { config } from "./config.js"
import { startPauses } from "./live/pauses.js"
import { startLive } from "./live/store.js"
import { startLocation } from "./location.js"
import { startSession } from "./session.js"
import { startTheme } from "./settings.js"
import { App } from "./shell/App.js"
import { startKeyboard } from "./shell/keyboard.js"

startTheme()
startLocation()
startClock()
if (config.page === "app") {
  startSession()
  startKeyboard()
  startBatches()
  startLive()
  startPauses()
}

const root = document.getElementById("root")
if (root !== null) render(<App />, root)
