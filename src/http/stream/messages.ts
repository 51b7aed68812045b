/**
 * Server-sent events as they come over the wire, for clients: text in pieces of any size becomes messages. Loads nothing.
 */

/** `id` stays null where a message has none. */
export interface Message {
  readonly id: string | null
  readonly data: string
}

/** Give it the text as it comes; it answers the messages that are complete. Comments are none. */
export const reader = (): (text: string) => ReadonlyArray<Message> => {
  let rest = ""
  return (text) => {
    const blocks = (rest + text).split("\n\n")
    rest = blocks.pop() ?? ""
    return blocks.flatMap((block) => {
      let id: string | null = null
      const data: Array<string> = []
      for (const line of block.split("\n")) {
        if (line.startsWith("id: ")) id = line.slice(4)
        else if (line.startsWith("data: ")) data.push(line.slice(6))
      }
      return data.length === 0 ? [] : [{ id, data: data.join("\n") }]
    })
  }
}
