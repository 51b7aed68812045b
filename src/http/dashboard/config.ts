/** What the server tells the web app with its page: shared by both, so it loads nothing. */

export interface PageConfig {
  readonly page: "app" | "login"
  readonly title: string
  readonly environment: string | null
  /** Whether there is a login with a name and a password. */
  readonly login: boolean
  /** Names the build of server and app: another one is a reason to load the page again. */
  readonly build: string
  /** Of the app alone: whether lists have previews of arguments, for those who may see them. */
  readonly previews: boolean
  /** Of the app alone: how long what ended is kept, in milliseconds, by how it ended; null for ever. */
  readonly kept: Readonly<Record<"success" | "failed" | "interrupted" | "cancelled", number | null>> | null
}
