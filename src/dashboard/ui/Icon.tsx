/** The icons: lines on a grid of 16, drawn in the colour of the text. */

const shapes = {
  search: <path d="M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14" />,
  close: <path d="m4 4 8 8M12 4l-8 8" />,
  check: <path d="m3.5 8.5 3 3 6-7" />,
  chevron: <path d="m4.5 6.5 3.5 3.5 3.5-3.5" />,
  up: <path d="M8 13V3M4 7l4-4 4 4" />,
  down: <path d="M8 3v10M4 9l4 4 4-4" />,
  clock: <path d="M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Zm0-9.5V8l2.3 1.5" />,
  columns: <path d="M2.5 3.5h11v9h-11zM6.2 3.5v9M9.8 3.5v9" />,
  download: <path d="M8 2.5v7M5 7l3 3 3-3M2.5 13.5h11" />,
  pause: <path d="M5.5 3.5v9M10.5 3.5v9" />,
  play: <path d="M5 3.2v9.6L12.5 8z" />,
  sun: (
    <path d="M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm0-9.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7" />
  ),
  moon: <path d="M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1Z" />,
  screen: <path d="M2 3h12v8H2zM5.5 13.5h5M8 11v2.5" />,
  person: <path d="M8 8a2.7 2.7 0 1 0 0-5.4A2.7 2.7 0 0 0 8 8Zm-5 5.5c.5-2.4 2.5-3.7 5-3.7s4.5 1.3 5 3.7" />,
  bookmark: <path d="M4.5 2.500h7v11L8 10.800l-3.500 2.700z" />,
  link:
  <path d="M6.7 9.3 9.3 6.700M7.5 4.5 9 3a2.8 2.8 0 0 1 4 4l-1.5 1.500M8.5 11.5 7 13a2.8 2.8 0 0 1-4-4l1.5-1.5" />,
  expand: <path d="M9.5 2.500h4v4M13.5 2.5 9 7M6.5 13.500h-4v-4M2.5 13.5 7 9" />,
  more: <path d="M3.5 8h.01M8 8h.01M12.5 8h.01" stroke-width="2" />,
  edit: <path d="M3 13l.7-3L10.500 3.200l2.300 2.300L6 12.300z" />,
  copy: <path d="M5.5 5.500h7v7h-7zM3.5 10.500v-7h7" />,
  back: <path d="M13 8H3M7 4 3 8l4 4" />,
  arrow: <path d="M3 8h10M9 4l4 4-4 4" />,
  key: (
    <path d="M6 9.800a2.9 2.9 0 1 1 1.300-5.500A2.9 2.9 0 0 1 8.700 7.700L13.5 12.500v1.500h-2v-1.500h-1.500V11L8 9.300M5.800 6.500h.01" />
  ),
  rescued: (
    <path d="M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Zm0-3.800a2.2 2.200 0 1 0 0-4.400 2.200 2.200 0 0 0 0 4.400ZM3.800 3.800l2.600 2.600M12.200 3.800 9.600 6.400M3.800 12.200l2.600-2.600M12.200 12.200 9.600 9.600" />
  ),
  lock: <path d="M4 7.500h8v6H4zM5.5 7.500V5.200a2.5 2.5 0 0 1 5 0v2.3" />,
  warning: <path d="M8 2.5 14 13H2zM8 6.500v3M8 11.400v.01" />,
  // Statuses: each has a shape of its own, so that no colour is needed to tell them apart.
  pending: <circle cx="8" cy="8" r="5.5" stroke-dasharray="2.6 1.72" />,
  running: (
    <>
      <circle cx="8" cy="8" r="5.5" opacity=".3" />
      <path d="M8 2.500A5.5 5.5 0 0 1 13.5 8" />
    </>
  ),
  retrying: <path d="M13 8a5 5 0 1 1-1.6-3.700M13 2.500v3h-3" />,
  success: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="m5.6 8.2 1.7 1.7 3.2-3.6" />
    </>
  ),
  failed: (
    <>
      <circle cx="8" cy="8" r="6" fill="currentColor" stroke="none" />
      <path class="cut" d="m6 6 4 4M10 6l-4 4" />
    </>
  ),
  interrupted: <path d="M9 2 4 9h3.500L7 14l5-7H8.500z" />,
  cancelled: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="m4.2 11.8 7.6-7.6" />
    </>
  )
}

export type IconName = keyof typeof shapes

/** Says nothing to a screen reader: what it means is in the words beside it. */
export const Icon = ({ name, size = 16 }: { readonly name: IconName; readonly size?: 12 | 14 | 16 }) => (
  <svg
    class={name === "running" ? "icon spin" : "icon"}
    viewBox="0 0 16 16"
    width={size}
    height={size}
    aria-hidden="true"
  >
    {shapes[name]}
  </svg>
)

export const Mark = () => (
  <svg class="mark" viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
    <rect width="32" height="32" rx="8" />
    <path d="M5 17h5l3-8 6 14 3-6h5" />
  </svg>
)
