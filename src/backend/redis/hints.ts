/** Waking the other instances, and being woken, by pub/sub: sent beside the scripts, heard on a connection of its own. */
import * as Notices from "../../internal/notices.js"
import type { Connection } from "./connection.js"

export type Hints = Omit<Notices.Notices, "tell">

export const make = (
  { db, root, send, subscribe }: Pick<Connection, "db" | "root" | "send" | "subscribe">,
  { notify }: { readonly notify: boolean }
): Hints => {
  // Channels are of all databases of a server.
  const name = `${root}hints:${db}`
  return Notices.make(
    notify ? { listen: (hear) => subscribe(name, hear), send: (message) => send("PUBLISH", name, message) } : null
  )
}
