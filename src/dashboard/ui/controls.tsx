/** Buttons and small marks that everything is made of. */
import type { ComponentChildren } from "preact"
import type { ShownStatus } from "../api/types.js"
import { t } from "../text/en.js"
import { Icon, type IconName } from "./Icon.js"

interface ButtonProps {
  readonly icon?: IconName | undefined
  readonly kind?: "primary" | "danger" | "quiet" | undefined
  readonly small?: boolean | undefined
  readonly disabled?: boolean | undefined
  /** Why it is disabled, or what it does beyond its words. */
  readonly title?: string | undefined
  readonly pressed?: boolean | undefined
  /** Where the focus begins in a dialog. */
  readonly first?: boolean | undefined
  /** What it is to those who do not see what stands beside it. */
  readonly label?: string | undefined
  readonly onClick?: ((event: MouseEvent) => void) | undefined
  readonly children?: ComponentChildren
}

const classes = (kind: ButtonProps["kind"], small: boolean | undefined, more = ""): string =>
  `btn ${kind ?? ""} ${small === true ? "sm" : ""} ${more}`

/** A disabled button stays in the order of the keyboard, so that its reason can be read. */
export const Button = (
  { children, disabled, first, icon, kind, label, onClick, pressed, small, title }: ButtonProps
) => (
  <button
    type="button"
    class={classes(kind, small)}
    aria-label={label}
    title={title}
    autofocus={first}
    aria-disabled={disabled === true ? true : undefined}
    aria-pressed={pressed}
    onClick={(event) => disabled === true ? event.preventDefault() : onClick?.(event)}
  >
    {icon === undefined ? null : <Icon name={icon} size={14} />}
    {children}
  </button>
)

interface IconButtonProps extends Omit<ButtonProps, "children" | "icon"> {
  readonly icon: IconName
  readonly label: string
  readonly expanded?: boolean | undefined
  readonly popover?: "menu" | "dialog" | undefined
}

export const IconButton = (
  { disabled, expanded, icon, kind, label, onClick, popover, pressed, small, title }: IconButtonProps
) => (
  <button
    type="button"
    class={classes(kind, small, "only")}
    aria-label={label}
    title={title ?? label}
    aria-disabled={disabled === true ? true : undefined}
    aria-pressed={pressed}
    aria-expanded={expanded}
    aria-haspopup={popover}
    onClick={(event) => disabled === true ? event.preventDefault() : onClick?.(event)}
  >
    <Icon name={icon} size={small === true ? 14 : 16} />
  </button>
)

/** A status as a shape, a word and a colour. */
export const Status = ({ status }: { readonly status: ShownStatus }) => (
  <span class={`st ${status}`}>
    <Icon name={status} />
    <span>{t.status[status]}</span>
  </span>
)

export const Chip = ({ status }: { readonly status: ShownStatus }) => (
  <span class={`chip ${status}`}>
    <Icon name={status} size={14} />
    {t.status[status]}
  </span>
)

/** A moment, with its full form for whoever asks. */
export const Key = ({ children }: { readonly children: ComponentChildren }) => <kbd>{children}</kbd>
