/**
 * Builds what exists into `dist/`: the program from `src/cli/bd.ts`, the library from `src/index.ts`.
 *
 * `bin/bd.cjs` loads `bin/bd-HASH.cjs` by V8's code cache (see `src/cli/launcher`). The launcher names its bundle, so
 * replacing it is the step in which a new build takes effect, and programs that run meanwhile are not disturbed.
 * What one command alone needs and all would read lies beside the bundle, as `bin/NAME-HASH.cjs`.
 */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { type BuildOptions, build, type Plugin } from "esbuild"
import * as Bundle from "../src/cli/launcher/Bundle.ts"
import { plugins } from "./program/plugins.ts"

const root = path.resolve(import.meta.dirname, "..")

/** Modules that the program loads from files of their own: they are large, and one command needs them. */
const apart: Readonly<Record<string, string>> = { graph: "src/cli/graph/Page.ts" }

/** Leaves these modules out of the program, which finds them beside itself. */
const leftOut = (files: ReadonlyMap<string, string>): Plugin => ({
  name: "left-out",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\./ }, ({ kind, path: module, resolveDir }) => {
      const file = kind === "dynamic-import" ? files.get(path.join(resolveDir, module)) : undefined
      return file === undefined ? undefined : { path: `./${file}`, external: true }
    })
  }
})

const common = {
  bundle: true,
  minify: true,
  platform: "node",
  target: "node20",
  // A CommonJS bundle is what a code cache can be made for.
  format: "cjs",
  // found where it is installed, with its native add-on
  external: ["better-sqlite3"],
  // `vm.Script` has no `import()`; `require` does the same for what is bundled.
  supported: { "dynamic-import": false },
  legalComments: "none",
  // one byte a character: half the memory, and nothing to decode when it is read
  charset: "ascii",
  logLevel: "warning",
  // a stand-in that lacks a name
  logOverride: { "import-is-undefined": "error" },
  write: false
} as const satisfies BuildOptions

const bundled = async (
  entry: string,
  define: Record<string, unknown> = {},
  apart: ReadonlyMap<string, string> = new Map()
): Promise<string> => {
  const { outputFiles } = await build({
    ...common,
    entryPoints: [entry],
    plugins: [...plugins, leftOut(apart)],
    define: {
      ...Object.fromEntries(Object.entries(define).map(([name, value]) => [name, JSON.stringify(value)])),
      // Effect's clock counts by `process.hrtime`, and asks this only for the time of the start; it is dear to load
      performance: "undefined"
    }
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error(`${entry}: nothing was built`)
  return file.text.replace(/^#!.*\n/, "")
}

const replaceFile = (file: string, content: string, mode = 0o644): void => {
  const written = `${file}.${process.pid}`
  writeFileSync(written, content)
  chmodSync(written, mode)
  renameSync(written, file)
}

const hashOf = (...parts: ReadonlyArray<string | Buffer>): string => {
  const hash = createHash("sha256")
  for (const part of parts) hash.update(part)
  return hash.digest("hex").slice(0, 16)
}

/** Words to which the program always has the same answer. */
const askedOften = ["--version", "-v", "--help", "-h"]

/** What the program answers to each of them alone. */
const render = (launcher: string): Record<string, string> => {
  const env = { PATH: process.env["PATH"] }
  return Object.fromEntries(
    askedOften.map(word => [word, execFileSync(process.execPath, [launcher, word], { encoding: "utf8", env })])
  )
}

/** Bundles `entry` as the program `bd` into `directory`, with its launcher and code cache. */
export const buildProgram = async (
  entry: string,
  directory: string,
  define: Record<string, string> = {}
): Promise<void> => {
  mkdirSync(directory, { recursive: true })
  const files = new Map<string, string>()
  for (const [name, module] of Object.entries(apart)) {
    const text = await bundled(path.join(root, module))
    const file = `${name}-${hashOf(text)}.cjs`
    replaceFile(path.join(directory, file), text)
    files.set(path.join(root, module), file)
  }
  const program = await bundled(entry, define, files)
  // how it is loaded belongs to it: a code cache is good for the program and the flags that it was made under
  const loading = ["Bundle.ts", "makeCache.ts"].map(name => readFileSync(path.join(root, "src/cli/launcher", name)))
  const hash = hashOf(program, ...loading)
  const launcher = (name: string, rendered: Record<string, string> = {}) =>
    bundled(path.join(root, `src/cli/launcher/${name}.ts`), { __BUNDLE_HASH__: hash, __RENDERED__: rendered })
  replaceFile(Bundle.locate(directory, hash, "reading").file, Bundle.wrap(program))
  const bd = path.join(directory, "bd.cjs")
  const writeLauncher = async (rendered: Record<string, string>) =>
    replaceFile(bd, `#!/usr/bin/env node\n${await launcher("main", rendered)}`, 0o755)
  await writeLauncher({})
  const makeCache = path.join(directory, "makeCache.cjs")
  replaceFile(makeCache, await launcher("makeCache"))
  execFileSync(process.execPath, [makeCache], { stdio: "inherit" })
  await writeLauncher(render(bd))
  for (const name of readdirSync(directory)) {
    const [, kind, version = ""] = /^(\w+)-([0-9a-f]{16})[-.]/.exec(name) ?? []
    const current = kind === "bd" ? version === hash : [...files.values()].includes(name)
    if (kind !== undefined && !current) rmSync(path.join(directory, name))
  }
}

/** Puts the code of `@effect/sql-sqlite-node` into the library (see the module); what that needs stays outside. */
const buildInSqliteClient = async (): Promise<void> => {
  const module = path.join(root, "dist/store/SqliteClient")
  await build({
    entryPoints: [path.join(root, "src/store/SqliteClient.ts")],
    outfile: `${module}.js`,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    external: ["effect", "@effect/experimental", "@effect/sql", "better-sqlite3"],
    logLevel: "warning"
  })
  // no type of the library names it
  rmSync(`${module}.d.ts`, { force: true })
}

/** What git says of this clone; empty where there is none. */
const git = (...words: ReadonlyArray<string>): string => {
  try {
    return execFileSync("git", words, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()
  } catch {
    return ""
  }
}

const main = async (): Promise<void> => {
  const program = path.join(root, "src/cli/bd.ts")
  if (existsSync(program)) {
    const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { version: string }
    await buildProgram(program, path.join(root, "dist/bin"), {
      __EFFECT_BEADS_VERSION__: version,
      __EFFECT_BEADS_COMMIT__: git("rev-parse", "HEAD"),
      __EFFECT_BEADS_BRANCH__: git("rev-parse", "--abbrev-ref", "HEAD")
    })
  }
  if (existsSync(path.join(root, "src/index.ts"))) {
    const tsc = path.join(root, "node_modules/.bin/tsc")
    execFileSync(tsc, ["-p", path.join(root, "tsconfig.build.json")], { stdio: "inherit" })
    await buildInSqliteClient()
  }
}

if (process.argv[1] === import.meta.filename) await main()
