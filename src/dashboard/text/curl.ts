/** A request as a command for a terminal: whatever is in it, the shell reads it as one word. No credentials: a name stands for them. Pure. */

export interface Command {
  readonly method: "GET" | "POST" | "DELETE"
  readonly url: string
  readonly body?: unknown
}

/** In single quotes nothing means anything to a shell but the quote itself. */
export const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

export const curlOf = ({ body, method, url }: Command): string =>
  [
    "curl -u USER:PASSWORD",
    ...method === "GET" ? [] : [`-X ${method}`],
    ...body === undefined ? [] : ["-H 'content-type: application/json'", `-d ${quote(JSON.stringify(body))}`],
    quote(url)
  ].join(" ")
