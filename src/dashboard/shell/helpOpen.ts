/** Whether the help of the keys is shown. It is loaded when somebody first asks for it. */
import { signal } from "@preact/signals"

export const helpOpen = signal(false)
