/** Runs before the rest of the app is read: asks for what the page will show first. */
import { askAhead } from "./api/request.js"
import { config, pathOf } from "./config.js"
import { routeOf } from "./route.js"
import { firstPage, queryOf } from "./runs/query.js"

const url = new URL(location.href)

if (config.page === "app" && routeOf(pathOf(url)).page === "runs") {
  askAhead("./", firstPage(queryOf((name) => url.searchParams.get(name))))
}
