/**
 * The Chromium that drives the dashboard, and vitest's setup of it: one for all files of a run, started when the first of them
 * asks, each visitor a context of its own. A start costs a second, and there are a dozen files.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { type BrowserServer, chromium } from "playwright-core"

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the address of the browser is asked for. */
    readonly chromium: string
  }
}

export const executable = process.env["CHROMIUM"] ?? "/usr/bin/chromium"

export const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--font-render-hinting=none"
]

export const setup = async (
  { provide }: { readonly provide: (key: "chromium", value: string) => void }
): Promise<() => Promise<void>> => {
  let started: Promise<BrowserServer> | undefined
  const start = () => started ??= chromium.launchServer({ executablePath: executable, args: flags, host: "127.0.0.1" })
  const asked = createServer((_, response) => {
    start().then(
      (server) => response.end(server.wsEndpoint()),
      (error: unknown) => response.writeHead(500).end(String(error))
    )
  })
  await new Promise<void>((resolve) => asked.listen(0, "127.0.0.1", resolve))
  // What waits for a question must not keep a run alive that was asked to end.
  asked.unref()
  const { port } = asked.address() as AddressInfo // safe: it listens on a port
  provide("chromium", `http://127.0.0.1:${port}`)
  return async () => {
    asked.close()
    asked.closeAllConnections()
    await (await started?.catch(() => undefined))?.close()
  }
}
