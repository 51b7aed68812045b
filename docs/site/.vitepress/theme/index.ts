/* eslint-disable simple-import-sort/imports -- The style stands behind that of the theme, which it changes. */
import theme from "vitepress/theme-without-fonts"
import "./style.css"

export default theme
