/** As much of a Dockerfile and of a .dockerignore as this repository's need: to check them, and to do what they say without an engine. */

export interface Instruction {
  /** `RUN`, `COPY`, … */
  readonly name: string
  /** What follows it, in one line. */
  readonly text: string
}

export interface Stage {
  readonly image: string
  /** What the others call it. */
  readonly name: string | null
  readonly instructions: ReadonlyArray<Instruction>
}

export const parseDockerfile = (text: string): ReadonlyArray<Stage> => {
  const lines = text.replace(/^#.*\n/gm, "").replace(/\\\n\s*/g, " ").split("\n").filter((line) => line.trim() !== "")
  const stages: Array<{ image: string; name: string | null; instructions: Array<Instruction> }> = []
  for (const line of lines) {
    const [, name, rest] = /^([A-Z]+) (.*)$/.exec(line) ?? []
    if (name === undefined || rest === undefined) throw new Error(`no instruction: ${line}`)
    const [, image, stage] = name === "FROM" ? /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? [] : []
    if (image !== undefined) stages.push({ image, name: stage ?? null, instructions: [] })
    else if (stages.length === 0) throw new Error(`before the first FROM: ${line}`)
    else stages.at(-1)!.instructions.push({ name, text: rest })
  }
  return stages
}

export interface Copy {
  /** The stage it copies from; null is the folder that is built. */
  readonly from: string | null
  readonly sources: ReadonlyArray<string>
  readonly to: string
}

export const copyOf = ({ text }: Instruction): Copy => {
  const [, from, paths] = /^(?:--from=(\S+) )?(.*)$/.exec(text)!
  const parts = paths!.split(/\s+/)
  return { from: from ?? null, sources: parts.slice(0, -1), to: parts.at(-1)! }
}

/** `A=1 B=2` */
export const variablesOf = ({ text }: Instruction): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text.split(/\s+/).map((pair) => {
      const at = pair.indexOf("=")
      return [pair.slice(0, at), pair.slice(at + 1)]
    })
  )

/** What a HEALTHCHECK or a CMD in its JSON form runs. */
export const commandOf = ({ text }: Instruction): ReadonlyArray<string> => {
  const command: unknown = JSON.parse(text.slice(text.indexOf("[")))
  if (!Array.isArray(command) || !command.every((part) => typeof part === "string")) {
    throw new Error(`no command: ${text}`)
  }
  return command
}

const patternOf = (line: string): RegExp =>
  new RegExp(
    `^${
      line.split(/(\*\*|\*)/).map((part) =>
        part === "**" ? ".*" : part === "*" ? "[^/]*" : part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")
      ).join("")
    }$`
  )

/** Whether a .dockerignore keeps a path out: the last line that fits it, or a folder above it, decides. */
export const ignoredBy = (dockerignore: string): (path: string) => boolean => {
  const rules = dockerignore.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => ({
    out: !line.startsWith("!"),
    pattern: patternOf(line.replace(/^!/, ""))
  }))
  return (path) => {
    const parts = path.split("/")
    const above = parts.map((_, index) => parts.slice(0, index + 1).join("/"))
    return rules.filter(({ pattern }) => above.some((one) => pattern.test(one))).at(-1)?.out ?? false
  }
}
