/**
 * Requests that were sent before the app began, by their addresses: what a page will ask first is under way while the rest of the
 * app is still read. Whoever asks the same gets that answer, once.
 */

const under = new Map<string, Promise<Response>>()

export const ask = (url: URL, init: RequestInit): void => {
  const answer = fetch(url, init)
  // Whoever takes it hears of it.
  answer.catch(() => {})
  under.set(url.href, answer)
}

export const take = (url: URL): Promise<Response> | null => {
  const answer = under.get(url.href) ?? null
  under.delete(url.href)
  return answer
}

/** What was not asked for until now may be older than what is known. */
export const forget = (): void => under.clear()
