/** A request of this app as a command for a shell. Pure. */

// Inside single quotes a shell reads everything as it stands, but for the quote.
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** A POST with a JSON body. `user` is asked for a password. */
export const curlOf = (url: string, body: unknown, user?: string): string =>
  [
    "curl",
    ...user === undefined ? [] : ["-u", quoted(user)],
    "-H",
    "'content-type: application/json'",
    "-d",
    quoted(JSON.stringify(body)),
    quoted(url)
  ].join(" ")
