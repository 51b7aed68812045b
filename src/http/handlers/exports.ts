/** What a filter shows, as a file. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Exporting from "../exporting.js"
import { logged, type Parts } from "../parts.js"
import type { TaskApi } from "../TaskApi.js"

export const layer = (api: TaskApi, parts: Parts) =>
  HttpApiBuilder.group(api, "exports", (group) =>
    group
      .handleRaw("csv", ({ urlParams }) => logged(Exporting.response(parts, "csv", urlParams)))
      .handleRaw("ndjson", ({ urlParams }) => logged(Exporting.response(parts, "ndjson", urlParams))))
