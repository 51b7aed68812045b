/** A stack trace as a person reads it: what the application wrote first, what libraries did folded away. Pure. */

export interface Frame {
  readonly text: string
  readonly own: boolean
  /** Where it is, the part that an editor can open. */
  readonly place: string | null
}

export interface Stack {
  /** The lines before the first frame. */
  readonly head: string
  readonly frames: ReadonlyArray<Frame>
}

const isFrame = (line: string): boolean => /^\s+at\s/.test(line)
// A function without a name may be anybody's; a place without a file is the engine's.
const isLibrary = (line: string): boolean =>
  /node_modules|\bnode:|\(<anonymous>\)|at <anonymous>$|internal\//.test(line)

const placeOf = (line: string): string | null =>
  /\(?((?:file:\/\/)?[^\s()]+:\d+(?::\d+)?)\)?\s*$/.exec(line)?.[1] ?? null

export const readStack = (text: string): Stack => {
  const lines = text.split("\n")
  const first = lines.findIndex(isFrame)
  const frames = lines.filter(isFrame).map((line): Frame => ({
    text: line.trim(),
    own: !isLibrary(line),
    place: placeOf(line)
  }))
  return { head: (first < 0 ? lines : lines.slice(0, first)).join("\n").trim(), frames }
}

/** The name that stands before the message in the first line of a stack, where the message itself does not begin with one. */
export const nameIn = ({ head }: Stack, message: string): string => {
  const [first = ""] = message.split("\n", 1)
  const name = head.split("\n", 1)[0]?.slice(0, -`: ${first}`.length) ?? ""
  return first !== "" && head.startsWith(`${name}: ${first}`) && /^[A-Za-z_$][\w$.]*$/.test(name) ? name : ""
}

/** "GatewayTimeout: upstream did not answer" in its name and the rest. */
export const splitError = (message: string): readonly [string, string] => {
  const [whole, name] = /^([A-Za-z_$][\w$.]*(?:Error|Exception|Timeout|Failure|Declined)?):\s/.exec(message) ?? []
  return whole === undefined || name === undefined ? ["", message] : [name, message.slice(whole.length)]
}
