/** The reports of the public API (`npm run api`), on a small package. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, describe, expect, it } from "vitest"

const { programOf, publicSymbols, reportOf } = await import(
  new URL("../scripts/api/report.mjs", import.meta.url).href
)

const root = fs.mkdtempSync(path.join(os.tmpdir(), "taskflow-api-"))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const report = (files: Readonly<Record<string, string>>, entries: ReadonlyArray<string>, of: string): string => {
  fs.rmSync(root, { recursive: true, force: true })
  fs.mkdirSync(path.join(root, "dist"), { recursive: true })
  fs.writeFileSync(path.join(root, "package.json"), JSON.stringify({ name: "small", type: "module" }))
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(root, "dist", `${name}.d.ts`), text)
  const at = entries.map((entry) => path.join(root, "dist", `${entry}.d.ts`))
  const program = programOf(at)
  return reportOf(program, path.join(root, "dist", `${of}.d.ts`), "small", root, publicSymbols(program, at))
}

const thing = `import type { Hidden } from "./hidden.js"
/** Words that may change. */
export declare const make: (hidden: Hidden) => void;
/**
 * Made otherwise.
 * @deprecated since 1.1: use
 * make
 */
export declare const gone: () => void;
export interface Named {
  /** More words. */
  readonly a: string;
}
declare const Thing_base: new () => { readonly b: number };
export declare class Thing extends Thing_base {}
export {};
`

const files = {
  index: `export * as Thing from "./Thing.js"\nexport { type Named as Renamed } from "./Thing.js"\n`,
  Thing: thing,
  hidden:
    `import type { Deeper } from "./deeper.js"\nexport interface Hidden { readonly deeper: Deeper }\nexport type Unseen = 1\n`,
  deeper: `export type Deeper = "deeper" | Deeper[]\n`
}

describe("a report", () => {
  it("has what is exported by module and name without comments, and what that lets see", () => {
    expect(report(files, ["index"], "index")).toBe(`# small

Made by \`npm run api\`.

\`\`\`ts
// as Renamed
interface Named {
    readonly a: string;
}
\`\`\`

## Thing

\`\`\`ts
interface Named {
    readonly a: string;
}

class Thing extends Thing_base {
}

/** @deprecated since 1.1: use make */
const gone: () => void;

const make: (hidden: Hidden) => void;
\`\`\`

## Not exported, and seen in the above

### Thing

\`\`\`ts
const Thing_base: new () => {
    readonly b: number;
};
\`\`\`

### deeper

\`\`\`ts
type Deeper = "deeper" | Deeper[];
\`\`\`

### hidden

\`\`\`ts
interface Hidden {
    readonly deeper: Deeper;
}
\`\`\`
`)
  })

  it("does not repeat what another subpath exports", () => {
    const both = {
      ...files,
      more: `export type { Hidden } from "./hidden.js"\nexport type { Deeper } from "./deeper.js"\n`
    }
    expect(report(both, ["index", "more"], "index")).not.toMatch(/^interface Hidden/m)
    expect(report(both, ["index", "more"], "more")).toMatch(/^interface Hidden/m)
  })

  it("is the same in whatever order things are declared", () => {
    const [imports, ...declarations] = thing.split(/^(?=\/\*\*|(?<!\*\/\n)(?:export |declare ))/m)
    const turned = `${imports}${declarations.reverse().join("")}`
    expect(turned).not.toBe(thing)
    expect(report({ ...files, Thing: turned }, ["index"], "index")).toBe(report(files, ["index"], "index"))
  })
})
