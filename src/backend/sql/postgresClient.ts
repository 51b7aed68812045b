/** What a client of the backend's own is made with, where the application says nothing. */
import type { PgClientConfig } from "@effect/sql-pg/PgClient"
import { longestSilence } from "./silence.js"

/** An option that is given as `undefined` is not given. */
export const withDefaults = <Config extends PgClientConfig>(config: Config) => ({
  ...config,
  applicationName: config.applicationName ?? "effect-taskflow",
  // Without a limit the driver waits for ever for a server that takes the connection and says nothing.
  connectTimeout: config.connectTimeout ?? longestSilence
})
