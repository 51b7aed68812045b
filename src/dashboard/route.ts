/** Paths below the dashboard and what they show. Pure. */

export type Route =
  | { readonly page: "login" }
  | { readonly page: "home" }
  | { readonly page: "runs" }
  | { readonly page: "run"; readonly id: string }
  | { readonly page: "tasks" }
  | { readonly page: "task"; readonly name: string }
  | { readonly page: "deadLetters" }
  | { readonly page: "schedules" }
  | { readonly page: "instances" }
  | { readonly page: "audit" }
  | { readonly page: "unknown"; readonly path: string }

const decoded = (text: string): string | null => {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

/** `path` begins behind the slash of the dashboard. */
export const routeOf = (path: string): Route => {
  const [section = "", name, ...rest] = path.split("/").filter((part) => part !== "")
  const unknown = { page: "unknown", path } as const
  if (rest.length > 0) return unknown
  if (section === "" || section === "overview" && name === undefined) return { page: "home" }
  if (section === "tasks" && name === undefined) return { page: "tasks" }
  if (section === "tasks" && name !== undefined) {
    const task = decoded(name)
    return task === null ? unknown : { page: "task", name: task }
  }
  if (section === "dead-letters" && name === undefined) return { page: "deadLetters" }
  if (section === "schedules" && name === undefined) return { page: "schedules" }
  if (section === "instances" && name === undefined) return { page: "instances" }
  if (section === "audit" && name === undefined) return { page: "audit" }
  if (section !== "runs") return unknown
  if (name === undefined) return { page: "runs" }
  const id = decoded(name)
  return id === null ? unknown : { page: "run", id }
}

export const runPath = (id: string): string => `runs/${encodeURIComponent(id)}`
