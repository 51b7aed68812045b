/** The button of saved views, beside the filter. What it opens is loaded then. */
import { t } from "../text/en.js"
import { IconButton } from "../ui/controls.js"
import { lazy } from "../ui/lazy.js"
import { Menu } from "../ui/Menu.js"
import { type Wish, wish } from "./wish.js"

const { Part: ViewsMenu, preload } = lazy<object>(
  () => import("./ViewsMenu.js").then((module) => module.ViewsMenu),
  () => <></>
)
const { Part: ViewDialog } = lazy<{ readonly wish: Wish }>(
  () => import("./ViewsMenu.js").then((module) => module.ViewDialog),
  () => <></>
)

export const Views = () => (
  <>
    <Menu
      role="group"
      label={t.views.title}
      button={(open, toggle) => (
        <span id="views" onMouseEnter={preload}>
          <IconButton icon="bookmark" label={t.views.title} expanded={open} onClick={toggle} />
        </span>
      )}
    >
      <ViewsMenu />
    </Menu>
    {wish.value === null ? null : <ViewDialog wish={wish.value} />}
  </>
)
