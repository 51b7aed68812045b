/**
 * How a worker is started: the entry, and the options of Node.js that go with it. From the build the entry is JavaScript. From
 * the sources (tests and examples of this repository) it is TypeScript, which a preloaded line makes loadable.
 */
import { typesLoaded } from "./protocol.js"
import { registering } from "./tsx.js"

const fromSource = import.meta.url.endsWith(".ts")

/** What a worker runs. */
export const entry = new URL(fromSource ? "./entry.ts" : "./entry.js", import.meta.url)

const preload = (): string => {
  const modules = registering(import.meta.url) ?? []
  const code = modules.map((url, index) =>
    `import { register as register${index} } from ${JSON.stringify(url)}; register${index}();`
  )
  const loaded = `globalThis[Symbol.for(${JSON.stringify(Symbol.keyFor(typesLoaded))})] = true`
  return `data:text/javascript,${encodeURIComponent(`${code.join("")} ${loaded}`)}`
}

const ofSource = (): ReadonlyArray<string> =>
  fromSource ? ["--conditions=@effect-taskflow/source", "--import", preload()] : []

// An option and, unless it is written with "=", the value behind it.
const dropped = (options: ReadonlyArray<string>, names: RegExp, withValue: boolean): ReadonlyArray<string> => {
  const kept: Array<string> = []
  for (let index = 0; index < options.length; index += 1) {
    const [name, value] = options[index]!.split("=", 2)
    if (!names.test(name!)) kept.push(options[index]!)
    else if (withValue && value === undefined) index += 1
  }
  return kept
}

// Two processes cannot have one debugger's port, and the code of `node -e` is the parent's.
const inherited = (): ReadonlyArray<string> =>
  dropped(dropped(process.execArgv, /^--inspect/, false), /^(-e|--eval|-p|--print|-pe|--input-type)$/, true)

const conditions = (): ReadonlyArray<string> => {
  const { execArgv } = process
  return execArgv.flatMap((option, index) => {
    if (/^(-C|--conditions)=/.test(option)) return [option]
    return option === "-C" || option === "--conditions" ? [`--conditions=${execArgv[index + 1]}`] : []
  })
}

/** For a process. */
export const processOptions = (
  given: ReadonlyArray<string> | undefined,
  memoryLimit: number | null
): ReadonlyArray<string> => {
  const options = given ?? inherited()
  const limit = memoryLimit === null ? [] : [`--max-old-space-size=${mebibytes(memoryLimit)}`]
  return [...options, ...limit, ...ofSource()]
}

/** For a thread; undefined lets it have those of this process, of which not all may be named. */
export const threadOptions = (given: ReadonlyArray<string> | undefined): ReadonlyArray<string> | undefined =>
  given === undefined && !fromSource ? undefined : [...given ?? conditions(), ...ofSource()]

/** Whole MiB, as the limits of Node.js count. */
export const mebibytes = (bytes: number): number => Math.max(1, Math.ceil(bytes / (1024 * 1024)))
