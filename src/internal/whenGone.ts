/**
 * A client of Node that went away. What is written to it afterwards is never reported as written.
 */

interface Socket {
  readonly destroyed: boolean
  once(event: "close", listener: () => void): unknown
  off(event: "close", listener: () => void): unknown
}

const socketOf = (source: unknown): Socket | undefined => {
  const socket: unknown = typeof source === "object" && source !== null && "socket" in source
    ? source.socket
    : undefined
  const isSocket = typeof socket === "object" && socket !== null && "destroyed" in socket && "once" in socket &&
    "off" in socket
  // safe: an emitter that can be destroyed, as Node's sockets
  return isSocket ? socket as Socket : undefined
}

/** Calls `run` once the connection of Node's `IncomingMessage` is closed; never for any other source. The answer stops listening. */
export const whenGone = (source: unknown, run: () => void): () => void => {
  const socket = socketOf(source)
  if (socket === undefined) return () => {}
  if (socket.destroyed) run()
  else socket.once("close", run)
  return () => socket.off("close", run)
}
