/**
 * The bundled program on disk, and V8's code cache for it.
 *
 * V8 takes a cache for any source of equal length and then runs the old code. So bundle and cache are named by the
 * bundle's hash, which the build puts into the launcher; the cache also by what of Node it depends on. The cache lies
 * beside the bundle, is made at build or install (`makeCache.ts`), and is only read when `bd` runs. V8 reads all of it at
 * once: so there is one for what reads and one for what changes, neither with the code of the other.
 */
import { readFileSync } from "node:fs"
import * as path from "node:path"
import { setFlagsFromString } from "node:v8"
import { Script } from "node:vm"

export interface Bundle {
  readonly file: string
  readonly cacheFile: string
}

/** What the code in a cache is for. With the other one a command runs as well, and starts a little later. */
export type Use = "reading" | "changing"

const reading = new Set(["blocked", "count", "list", "ready", "search", "show", "stale", "stats", "status"])

/** By the first word that is no flag. */
export const useOf = (words: ReadonlyArray<string>): Use =>
  reading.has(words.find(word => !word.startsWith("-")) ?? "") ? "reading" : "changing"

export const locate = (directory: string, hash: string, use: Use): Bundle => ({
  file: path.join(directory, `bd-${hash}.cjs`),
  cacheFile: path.join(directory, `bd-${hash}-${use}-node-${process.version}-${process.platform}-${process.arch}.cache`)
})

/**
 * V8 for a program that ends after a tenth of a second. To be called before `load`, by who makes the cache too: a cache
 * is taken only under the flags that it was made under.
 *
 * Only on Node 20: a V8 that does not know a flag tells of it on stderr.
 */
export const tuneV8 = (): void => {
  if (!process.versions.v8.startsWith("11.3.")) return
  // optimizing begins after a tenth of a second, just when most commands end: it may wait nine times as long
  setFlagsFromString("--interrupt-budget=600000")
  // the nursery grows by this, from 1 MB: by more each of its pages is touched once
  setFlagsFromString("--semi-space-growth-factor=2")
}

export interface Loaded {
  readonly script: Script
  /** Runs the program as the module `file` would run. */
  readonly run: (require: NodeJS.Require) => void
}

/** What the build writes into the file of the bundle: put together here, all of it would be copied at every start. */
export const wrap = (program: string): string =>
  `(function (exports, require, module, __filename, __dirname) {${program}\n})`

/** Compiles the bundle, which esbuild writes in ASCII, from the cache where there is one that V8 accepts. */
export const load = ({ file, cacheFile }: Bundle): Loaded => {
  const source = readFileSync(file, "latin1")
  let cachedData: Buffer | undefined
  try {
    cachedData = readFileSync(cacheFile)
  } catch {
    // Only slower without.
  }
  const script = new Script(source, cachedData === undefined ? { filename: file } : { filename: file, cachedData })
  return {
    script,
    run: require => {
      const module = { exports: {} }
      script.runInThisContext()(module.exports, require, module, file, path.dirname(file))
    }
  }
}
