// How the dashboard is bundled. Run by scripts/dashboard.mjs, which then compresses the files and lists them.
import { fileURLToPath } from "node:url"

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

export default {
  root: here("."),
  // Relative: the app finds its files wherever it is mounted.
  base: "./",
  publicDir: false,
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    outDir: here("../../dist/dashboard"),
    emptyOutDir: true,
    target: "es2022",
    // `light-dark()` is kept: older browsers show the light theme.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
    reportCompressedSize: false,
    rollupOptions: { input: [here("first.ts"), here("main.tsx")] }
  }
}
