/**
 * The memory of this process. Needs `--expose-gc`; measure in a process of its own (`child.ts`).
 */

const mebibyte = 1024 * 1024

/** In MiB. `peak` is the most the process ever held, by the kernel's count. */
export interface Memory {
  readonly peak: number
  readonly rss: number
  readonly heapUsed: number
}

/** What is held now; `heapUsed` after a full collection is what is really kept. */
export const now = (): Memory => {
  const { heapUsed, rss } = process.memoryUsage()
  // maxRSS is in KiB.
  return { peak: process.resourceUsage().maxRSS / 1024, rss: rss / mebibyte, heapUsed: heapUsed / mebibyte }
}

/** The same after collecting what nothing refers to. */
export const afterCollection = (): Memory => {
  if (globalThis.gc === undefined) throw new Error("run node with --expose-gc")
  globalThis.gc()
  globalThis.gc()
  return now()
}
