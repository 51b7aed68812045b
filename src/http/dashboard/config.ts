/** What the server tells the web app with its page: shared by both, so it loads nothing. */

export interface PageConfig {
  readonly page: "app" | "login"
  readonly title: string
  readonly environment: string | null
  /** Whether there is a login with a name and a password. */
  readonly login: boolean
  /** Names the build of server and app: another one is a reason to load the page again. */
  readonly build: string
}
