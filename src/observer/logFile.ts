/**
 * One log file: appended to, and either rotated by us or followed when somebody else rotates it.
 *
 * Lines that could not be written stay pending, so a full disk costs nothing but time as long as there is room to wait.
 */
import type { BigIntStats } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export interface LogFileSettings {
  readonly path: string
  readonly mode: "rotate" | "watched"
  /** Bytes. 0: never rotated. */
  readonly maxBytes: number
  /** 0: never rotated. */
  readonly backupCount: number
}

/** A call of the file system that failed. */
export interface FileTrouble {
  readonly code: string
  readonly message: string
}

export interface LogFile {
  /** Opens the file, or finds out why not. */
  readonly ready: Effect.Effect<void, FileTrouble>
  /** Adds lines, each without an end of line. */
  readonly add: (lines: ReadonlyArray<string>) => void
  /** Writes what is pending. */
  readonly flush: Effect.Effect<void, FileTrouble>
  /** Lines added and not written. */
  readonly pending: () => number
  readonly close: Effect.Effect<void>
}

interface Opened {
  readonly handle: fs.FileHandle
  readonly dev: bigint
  readonly ino: bigint
  /** Pipes and devices are never renamed. */
  readonly isRegular: boolean
  size: number
}

// Milliseconds until a rotation that failed is tried again; meanwhile the file grows.
const rotateAgainAfter = 60_000

const call = <A>(run: () => Promise<A>): Effect.Effect<A, FileTrouble> =>
  Effect.tryPromise({
    try: run,
    catch: (error) => ({
      code: error instanceof Error && "code" in error ? String(error.code) : "",
      message: error instanceof Error ? error.message : String(error)
    })
  })

const unlessMissing = <A>(self: Effect.Effect<A, FileTrouble>): Effect.Effect<A | null, FileTrouble> =>
  Effect.catchIf(self, ({ code }) => code === "ENOENT", () => Effect.succeed(null))

/** `onRotationFailed` is told of a rotation that failed; the lines go on into the same file. */
export const make = (
  settings: LogFileSettings,
  onRotationFailed: (trouble: FileTrouble) => Effect.Effect<void>,
  openFile: (path: string) => Promise<fs.FileHandle> = (path) => fs.open(path, "a")
): LogFile => {
  const { backupCount, maxBytes, mode } = settings
  let opened: Opened | null = null
  let pending: Array<Buffer> = []
  // Bytes of the first pending line that are in the file already.
  let written = 0
  let rotateFrom = Number.NEGATIVE_INFINITY

  const close = Effect.suspend(() => {
    const file = opened
    opened = null
    return file === null ? Effect.void : Effect.ignore(call(() => file.handle.close()))
  })

  const open = Effect.gen(function*() {
    yield* call(() => fs.mkdir(path.dirname(settings.path), { recursive: true }))
    // Interrupted between the two, the handle would be open and nobody's.
    yield* Effect.uninterruptible(Effect.gen(function*() {
      const handle = yield* call(() => openFile(settings.path))
      const stats = yield* Effect.tapError(
        call(() => handle.stat({ bigint: true })),
        () => Effect.ignore(call(() => handle.close()))
      )
      opened = { handle, dev: stats.dev, ino: stats.ino, isRegular: stats.isFile(), size: Number(stats.size) }
    }))
  })

  // Another file: a line that was cut by the end of the old one is written whole.
  const reopen = Effect.zipRight(close, open).pipe(Effect.tap(() =>
    Effect.sync(() => {
      written = 0
    })
  ))

  const isAnother = (file: Opened, stats: BigIntStats | null): boolean =>
    stats === null || stats.ino !== file.ino || stats.dev !== file.dev || Number(stats.size) < file.size

  const ready = Effect.suspend(() => {
    const file = opened
    if (file === null) return open
    if (mode === "rotate") return Effect.void
    return Effect.flatMap(
      unlessMissing(call(() => fs.stat(settings.path, { bigint: true }))),
      (stats) => isAnother(file, stats) ? reopen : Effect.void
    )
  })

  const shift = Effect.gen(function*() {
    for (let index = backupCount; index >= 1; index -= 1) {
      const from = index === 1 ? settings.path : `${settings.path}.${index - 1}`
      yield* unlessMissing(call(() => fs.rename(from, `${settings.path}.${index}`)))
    }
  })

  // The file is closed first: Windows renames no open one.
  const rotate = close.pipe(
    Effect.zipRight(shift),
    Effect.catchAll((trouble) =>
      Effect.zipRight(
        Effect.map(Clock.currentTimeMillis, (now) => {
          rotateFrom = now + rotateAgainAfter
        }),
        onRotationFailed(trouble)
      )
    ),
    Effect.zipRight(open)
  )

  const mayRotate = (file: Opened, now: number): boolean =>
    mode === "rotate" && maxBytes > 0 && backupCount > 0 && file.isRegular && now >= rotateFrom

  const isFull = (file: Opened): boolean => written === 0 && file.size > 0 && file.size + pending[0]!.length > maxBytes

  // As many lines as fit; at least one. A file that is not rotated takes all of them.
  const next = (file: Opened, now: number): Buffer => {
    const limit = mayRotate(file, now) ? maxBytes - file.size : Number.POSITIVE_INFINITY
    let count = 1
    let bytes = pending[0]!.length
    while (count < pending.length && bytes + pending[count]!.length <= limit) {
      bytes += pending[count]!.length
      count += 1
    }
    return Buffer.concat(pending.slice(0, count)).subarray(written)
  }

  const advance = (file: Opened, bytes: number): void => {
    file.size += bytes
    let rest = written + bytes
    let whole = 0
    while (whole < pending.length && rest >= pending[whole]!.length) {
      rest -= pending[whole]!.length
      whole += 1
    }
    pending = pending.slice(whole)
    written = rest
  }

  const writeOnce = Effect.gen(function*() {
    if (opened === null) yield* open
    const now = yield* Clock.currentTimeMillis
    if (mayRotate(opened!, now) && isFull(opened!)) yield* rotate
    const file = opened!
    const chunk = next(file, now)
    const { bytesWritten } = yield* call(() => file.handle.write(chunk))
    advance(file, bytesWritten)
  })

  return {
    ready,
    add: (lines) => {
      for (const line of lines) pending.push(Buffer.from(`${line}\n`, "utf8"))
    },
    flush: Effect.zipRight(
      ready,
      Effect.whileLoop({ while: () => pending.length > 0, body: () => writeOnce, step: () => {} })
    ),
    pending: () => pending.length,
    close
  }
}
