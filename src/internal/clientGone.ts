/**
 * A client that went away before it had its response.
 */
import { clientAbortFiberId } from "@effect/platform/HttpServerError"
import * as Cause from "effect/Cause"
import * as HashSet from "effect/HashSet"

/** Whether an effect ended only because its client left. */
export const isClientGone = (cause: Cause.Cause<unknown>): boolean =>
  Cause.isInterruptedOnly(cause) && HashSet.has(Cause.interruptors(cause), clientAbortFiberId)

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

/**
 * Calls `run` once the connection of Node's `IncomingMessage` is closed; never for any other source. The answer stops
 * listening. What is written to such a client is never reported as written, so the end of the response is not enough.
 */
export const whenGone = (source: unknown, run: () => void): () => void => {
  const socket = socketOf(source)
  if (socket === undefined) return () => {}
  if (socket.destroyed) run()
  else socket.once("close", run)
  return () => socket.off("close", run)
}
