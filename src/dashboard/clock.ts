/**
 * The time, as this app sees it: the one file that reads the browser's clock. What the server says of time is compared with the
 * server's clock, whose distance is known from the stream.
 */
import { signal } from "@preact/signals"

let ahead = 0

/** Epoch milliseconds of the browser. */
export const local = (): number => Date.now()

/** Epoch milliseconds of the server, as far as it said. */
export const serverNow = (): number => Date.now() + ahead

/** The server's clock showed this just now. */
export const heard = (serverMillis: number): void => {
  ahead = serverMillis - Date.now()
}

/** The server's time, once a second, for ages and durations that grow. */
export const now = signal(serverNow())

/** Starts the one timer that everything that grows reads from. It rests while nobody can see it. */
export const startClock = (): void => {
  setInterval(() => {
    if (!document.hidden) now.value = serverNow()
  }, 1_000)
}
