/** The menu at the end of a row: what is done seldom, and each action of the row as a command for a terminal. */
import type { ComponentChildren } from "preact"
import { address } from "../api/request.js"
import { type Command, curlOf } from "../text/curl.js"
import { t } from "../text/en.js"
import { IconButton } from "./controls.js"
import { copy } from "./copy.js"
import { Menu, MenuItem } from "./Menu.js"

interface CurlItemProps {
  readonly label: string
  readonly method?: Command["method"]
  /** Of the endpoint, below the mount. */
  readonly path: string
}

export const CurlItem = ({ label, method = "POST", path }: CurlItemProps) => (
  <MenuItem onSelect={() => void copy(curlOf({ method, url: address(path).href }))}>{t.curl.of(label)}</MenuItem>
)

/** `of` names the row, for those who do not see it. */
export const MoreMenu = ({ children, of }: { readonly of: string; readonly children: ComponentChildren }) => (
  <Menu
    label={`${t.menu}: ${of}`}
    button={(open, toggle) => (
      <IconButton
        small
        kind="quiet"
        icon="more"
        label={`${t.menu}: ${of}`}
        expanded={open}
        popover="menu"
        onClick={toggle}
      />
    )}
  >
    {children}
  </Menu>
)
