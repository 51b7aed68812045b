/**
 * How a Node server outlives its clients, and ends at once although they keep connections open.
 */
import * as Duration from "effect/Duration"

/** The part of `http.Server` and `https.Server` that is needed here. */
export interface NodeServer {
  on(event: "connection", listener: (socket: { on(event: "error", listener: () => void): unknown }) => void): unknown
  close(done?: (error?: Error) => void): this
  closeIdleConnections(): void
  closeAllConnections(): void
}

/** How long a server may take to close. */
export interface ClosePromptlyOptions {
  /** How long requests in flight may take to finish once the server closes. Default 1 second. */
  readonly grace?: Duration.DurationInput | undefined
}

/**
 * Makes `server.close()` end within `grace`, whatever clients do: `NodeHttpServer.layer(() => closePromptly(createServer()), …)`.
 *
 * Without it Node waits, for ever, for clients that connected and sent nothing or half a request, and with it the process
 * that was asked to stop. Requests in flight are answered; each connection is closed as soon as it is idle.
 *
 * It also keeps the process alive when a client asks for an upgrade and then resets the connection: Node hands over such a
 * socket without a listener for its errors, and an error that nobody listens to ends the process.
 */
export const closePromptly = <S extends NodeServer>(server: S, options: ClosePromptlyOptions = {}): S => {
  const grace = Duration.toMillis(options.grace ?? "1 second")
  server.on("connection", (socket) => socket.on("error", () => {}))
  const close = server.close.bind(server)
  server.close = (done) => {
    const idle = setInterval(() => server.closeIdleConnections(), 20)
    const all = setTimeout(() => server.closeAllConnections(), grace)
    return close((error) => {
      clearInterval(idle)
      clearTimeout(all)
      done?.(error)
    })
  }
  return server
}
