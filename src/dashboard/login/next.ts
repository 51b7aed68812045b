/** Where to go after the login. Pure. */

/** An address of this dashboard, whatever `next` says: one that leads elsewhere is as good as none. */
export const nextOf = (next: string | null, home: URL): string => {
  if (next === null || !URL.canParse(next, home)) return home.href
  const url = new URL(next, home)
  return url.origin === home.origin && url.pathname.startsWith(home.pathname) ? url.href : home.href
}
