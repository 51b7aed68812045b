import effectPlugin from "@effect/eslint-plugin"
import js from "@eslint/js"
import simpleImportSort from "eslint-plugin-simple-import-sort"
import sortDestructureKeys from "eslint-plugin-sort-destructure-keys"
import tseslint from "typescript-eslint"

/**
 * Under `exactOptionalPropertyTypes` a caller cannot hand on a value that may be undefined unless the option says so.
 * Every optional property inside an interface or type alias named `…Options` therefore spells out `| undefined`.
 */
const explicitOptionalUndefined = {
  meta: {
    type: "problem",
    fixable: "code",
    schema: [],
    messages: {
      property: "Optional property of \"{{owner}}\" must include \"| undefined\" in its type.",
      method: "Write the optional method of \"{{owner}}\" as a property whose type includes \"| undefined\"."
    }
  },
  create(context) {
    const accepting = new Set(["TSUndefinedKeyword", "TSUnknownKeyword", "TSAnyKeyword"])
    const needsParentheses = new Set(["TSFunctionType", "TSConstructorType", "TSConditionalType", "TSInferType"])
    const acceptsUndefined = (type) =>
      accepting.has(type.type) || (type.type === "TSUnionType" && type.types.some(acceptsUndefined))
    const ownerOf = (node) => {
      for (let current = node.parent; current; current = current.parent) {
        if (current.type === "TSInterfaceDeclaration" || current.type === "TSTypeAliasDeclaration") {
          return current.id.name.endsWith("Options") ? current.id.name : undefined
        }
      }
      return undefined
    }
    return {
      TSPropertySignature(node) {
        const type = node.typeAnnotation?.typeAnnotation
        if (!node.optional || type === undefined || acceptsUndefined(type)) return
        const owner = ownerOf(node)
        if (owner === undefined) return
        context.report({
          node,
          messageId: "property",
          data: { owner },
          fix: (fixer) =>
            needsParentheses.has(type.type)
              ? [fixer.insertTextBefore(type, "("), fixer.insertTextAfter(type, ") | undefined")]
              : fixer.insertTextAfter(type, " | undefined")
        })
      },
      TSMethodSignature(node) {
        const owner = node.optional ? ownerOf(node) : undefined
        if (owner !== undefined) context.report({ node, messageId: "method", data: { owner } })
      }
    }
  }
}

const barrels = ["effect", "@effect/platform"]
const barrelPattern = "/^(effect|@effect\\u002Fplatform)$/"

export default tseslint.config(
  { ignores: ["**/dist/", "**/coverage/", "docs/site/generated/", "docs/site/.cache/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.recommended],
    rules: {
      "@typescript-eslint/array-type": ["error", { default: "generic", readonly: "generic" }],
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      "@typescript-eslint/no-unused-vars": ["error", {
        argsIgnorePattern: "^_",
        caughtErrorsIgnorePattern: "^_",
        destructuredArrayIgnorePattern: "^_",
        // `const { dropped, ...rest } = value` is how a key is left out.
        ignoreRestSiblings: true,
        varsIgnorePattern: "^_"
      }],
      // A class tag is an empty interface with a name, and a namespace beside a value carries its types.
      "@typescript-eslint/no-empty-object-type": "off",
      "@typescript-eslint/no-namespace": "off",
      // `Effect.gen(function*() { return … })` is legal without a yield.
      "require-yield": "off"
    }
  },
  {
    files: ["**/*.{ts,tsx,js,mjs}"],
    plugins: {
      "@effect": effectPlugin,
      "simple-import-sort": simpleImportSort,
      "sort-destructure-keys": sortDestructureKeys
    },
    rules: {
      "@effect/dprint": ["error", {
        config: {
          indentWidth: 2,
          lineWidth: 120,
          semiColons: "asi",
          quoteStyle: "alwaysDouble",
          trailingCommas: "never",
          operatorPosition: "maintain",
          "arrowFunction.useParentheses": "force",
          // Imports belong to simple-import-sort; a barrel keeps its reading order.
          "module.sortImportDeclarations": "maintain",
          "module.sortExportDeclarations": "maintain",
          "importDeclaration.sortNamedImports": "maintain",
          "exportDeclaration.sortNamedExports": "maintain"
        }
      }],
      "object-shorthand": "error",
      "simple-import-sort/imports": ["error", { groups: [["^\\u0000", "^node:", "^@?\\w", "^", "^\\."]] }],
      "sort-destructure-keys/sort-destructure-keys": "error"
    }
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    plugins: { local: { rules: { "explicit-optional-undefined": explicitOptionalUndefined } } },
    rules: {
      "@effect/no-import-from-barrel-package": ["error", { packageNames: barrels }],
      // The forms the rule above does not look at: `import * as All from "effect"` and re-exports.
      "no-restricted-syntax": [
        "error",
        {
          selector: `ImportDeclaration[importKind!="type"][source.value=${barrelPattern}] > ImportNamespaceSpecifier`,
          message: "Import the module (\"effect/Effect\"), not the package barrel."
        },
        {
          selector: `:matches(ExportAllDeclaration, ExportNamedDeclaration)[source.value=${barrelPattern}]`,
          message: "Re-export from the module (\"effect/Effect\"), not the package barrel."
        }
      ],
      "@typescript-eslint/no-explicit-any": "error",
      "local/explicit-optional-undefined": "error",
      "no-console": "error"
    }
  },
  {
    // Type-level tests and fakes meet the generic seams head on.
    files: ["test/**/*.ts"],
    rules: { "@typescript-eslint/no-explicit-any": "off" }
  },
  {
    files: ["**/*.{js,mjs}"],
    languageOptions: { globals: { console: "readonly", process: "readonly", URL: "readonly" } }
  }
)
