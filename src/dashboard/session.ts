/** Who uses the app, and what they may do. */
import { computed, signal } from "@preact/signals"
import * as endpoints from "./api/endpoints.js"
import { isProblem } from "./api/problem.js"
import { whenUnauthorized } from "./api/request.js"
import type { Permission, Session } from "./api/types.js"
import { place } from "./config.js"

/** Null until the server said. */
export const session = signal<Session | null>(null)

/** The server does not know any more who asks: what is shown stays, and a login is asked for over it. */
export const ended = signal(false)

/** Counts logins: what waited for one begins again. */
export const logins = signal(0)

export const may = (permission: Permission): boolean => session.value?.permissions.includes(permission) ?? false

/** Nothing can be changed: said once in the header instead of at every button alone. */
export const readOnly = computed(() => {
  const { permissions } = session.value ?? {}
  return permissions !== undefined && permissions.every((one) => one === "arguments" || one === "audit")
})

export const readSession = async (): Promise<void> => {
  try {
    session.value = await endpoints.session()
    ended.value = false
  } catch (error) {
    if (!isProblem(error)) throw error
  }
}

/** Logs in where the session ended; everything else stays as it is. */
export const logIn = async (username: string, password: string): Promise<void> => {
  session.value = await endpoints.login(username, password)
  ended.value = false
  logins.value += 1
}

export const logOut = async (): Promise<void> => {
  await endpoints.logout()
  location.assign(place("../auth/login"))
}

export const startSession = (): void => {
  whenUnauthorized(() => {
    ended.value = true
  })
  void readSession()
}
