/** A run beside the list: the list goes on, and the panel can be made wider. */
import { href } from "../location.js"
import { runPath } from "../route.js"
import { boundPanel, maxPanel, minPanel, panelWidth } from "../settings.js"
import { t } from "../text/en.js"
import { IconButton } from "../ui/controls.js"
import { Icon } from "../ui/Icon.js"
import { Splitter } from "../ui/Splitter.js"
import { RunView } from "./lazyRun.js"

export const RunPanel = ({ id, onClose }: { readonly id: string; readonly onClose: () => void }) => (
  <>
    <Splitter
      label={t.run.resize}
      width={panelWidth.value}
      min={minPanel}
      max={maxPanel}
      onWidth={(width) => (panelWidth.value = boundPanel(width))}
    />
    <aside class="panel" aria-label={t.run.panel} style={{ width: `${panelWidth.value}px` }}>
      <RunView
        id={id}
        extra={
          <>
            <a class="btn only" href={href(runPath(id))} aria-label={t.run.fullPage} title={t.run.fullPage}>
              <Icon name="expand" />
            </a>
            <IconButton icon="close" kind="quiet" label={t.close} onClick={onClose} />
          </>
        }
      />
    </aside>
  </>
)
