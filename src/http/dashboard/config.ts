/** What the server tells the web app with its page: shared by both, so it loads nothing. */

export type EnvironmentColor = "red" | "amber" | "green" | "blue"

/** A view of runs that everybody is offered: a name, and the page below the dashboard, as `runs?q=status%3Afailed`. */
export interface SharedView {
  readonly name: string
  readonly path: string
}

export interface PageConfig {
  readonly page: "app" | "login"
  readonly title: string
  readonly environment: string | null
  readonly environmentColor: EnvironmentColor | null
  /** Empty in the page of the login, which tells nothing of tasks. */
  readonly views: ReadonlyArray<SharedView>
  /** Whether there is a login with a name and a password. */
  readonly login: boolean
  /** Names the build of server and app: another one is a reason to load the page again. */
  readonly build: string
  /** Of the app alone: whether lists have previews of arguments, for those who may see them. */
  readonly previews: boolean
  /** Of the app alone: how long what ended is kept, in milliseconds, by how it ended; null for ever. */
  readonly kept: Readonly<Record<"success" | "failed" | "interrupted" | "cancelled", number | null>> | null
}
