// What a bundler keeps of the package: how large it is, and that what is not imported is not there.
import assert from "node:assert/strict"
import { posix } from "node:path"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"

/** The chunks that are loaded at once; what is behind a dynamic import is not. */
const loaded = (outputs, entry) => {
  const reached = new Set([entry])
  for (const file of reached) {
    for (const { external, kind, path } of outputs[file].imports) {
      if (!external && kind === "import-statement") reached.add(path)
    }
  }
  return reached
}

/**
 * `code`, bundled in the project with the packages that ours needs left outside: its size as it is sent, and the files of the package in it,
 * from dist on.
 */
export const bundle = async (project, pkg, code) => {
  const outside = Object.keys({ ...pkg.dependencies, ...pkg.peerDependencies }).flatMap((name) => [name, `${name}/*`])
  const { metafile, outputFiles } = await build({
    absWorkingDir: project,
    stdin: { contents: code, resolveDir: project, sourcefile: "entry.js" },
    outdir: "bundle",
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    external: outside,
    metafile: true,
    write: false,
    logLevel: "silent"
  })
  const entry = Object.keys(metafile.outputs).find((file) => metafile.outputs[file].entryPoint === "entry.js")
  const chunks = loaded(metafile.outputs, entry)
  const inside = `node_modules/${pkg.name}/dist/`
  const files = [...chunks].flatMap((file) =>
    Object.entries(metafile.outputs[file].inputs).flatMap(([input, { bytesInOutput }]) =>
      input.startsWith(inside) && bytesInOutput > 0 ? [input.slice(inside.length)] : []
    )
  )
  const sent = outputFiles.filter(({ path }) => chunks.has(posix.relative(project, path)))
  const gzip = sent.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0)
  return { files, gzip }
}

/** Each bundle of the budget, and what of it must not be there. Answers the sizes by name. */
export const check = async (project, pkg, bundles) => {
  const sizes = {}
  for (const [name, { code, without }] of Object.entries(bundles)) {
    const { files, gzip } = await bundle(project, pkg, code)
    assert(files.length > 0, `the bundle of ${code} has nothing of ${pkg.name}`)
    const strangers = files.filter((file) => without.some((start) => file.startsWith(start)))
    assert.deepEqual(strangers, [], `a bundler keeps what ${code} does not need`)
    sizes[name] = gzip
  }
  return sizes
}
