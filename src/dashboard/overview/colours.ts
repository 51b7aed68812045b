/** Colours of the style sheet for a canvas, which knows nothing of it: looked up where they are used, so a theme changes them. */

export type Colour = (token: string) => string

/** `host`: where the colours are to be those of. */
export const coloursOf = (host: HTMLElement): Colour => {
  const probe = document.createElement("i")
  probe.hidden = true
  host.append(probe)
  return (token) => {
    probe.style.color = `var(${token})`
    return getComputedStyle(probe).color
  }
}
