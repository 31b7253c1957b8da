/**
 * Makes the code caches of the program for this Node. Bundled as `dist/bin/makeCache.cjs`, run by the build and after
 * an install: `node makeCache.cjs`.
 *
 * A cache holds what had been compiled when it was taken, so the program runs some everyday commands in a scratch
 * project, each on the cache of the one before (`node makeCache.cjs COMMAND…` is one such run), and the cache is
 * taken as it exits. Without a cache `bd` is only slower: no failure here is an error.
 */
import { type SpawnSyncOptions, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as Bundle from "./Bundle.ts"

declare const __BUNDLE_HASH__: string

const bundleFor = (use: Bundle.Use) => Bundle.locate(__dirname, __BUNDLE_HASH__, use)

const runAndCache = (words: ReadonlyArray<string>): void => {
  Bundle.tuneV8()
  const bundle = bundleFor(Bundle.useOf(words))
  const program = Bundle.load(bundle)
  process.on("exit", () => {
    const written = `${bundle.cacheFile}.${process.pid}`
    // Another process may be reading: it must find all of a cache or none.
    writeFileSync(written, program.script.createCachedData())
    renameSync(written, bundle.cacheFile)
  })
  program.run(require)
}

/** What people and agents run most. */
const everyday = (id: string): Readonly<Record<Bundle.Use, ReadonlyArray<ReadonlyArray<string>>>> => ({
  reading: [["list"], ["ready", "--json"], ["show", id]],
  changing: [
    ["create", "Warm up", "--json"],
    ["update", id, "--priority", "1"],
    ["close", id]
  ]
})

const makeCaches = (missing: ReadonlyArray<Bundle.Use>): void => {
  const scratch = mkdtempSync(path.join(tmpdir(), "bd-code-cache-"))
  const issueFile = path.join(scratch, ".beads/issues.jsonl")
  const options: SpawnSyncOptions = {
    cwd: scratch,
    env: { PATH: process.env["PATH"], HOME: scratch, BD_ACTOR: "warm" },
    timeout: 30_000
  }
  /** Without a cache, so that what it needs is in none. */
  const run = (...words: ReadonlyArray<string>): string =>
    String(spawnSync(process.execPath, [path.join(__dirname, "bd.cjs"), ...words], options).stdout).trim()
  try {
    run("init", "--prefix", "warm")
    const commands = everyday(run("q", "Warm up"))
    for (const words of missing.flatMap(use => commands[use])) {
      // as if another line had come by git: what takes it in is used by whoever looks first
      if (existsSync(issueFile)) {
        writeFileSync(issueFile, readFileSync(issueFile, "utf8").replace(/"title":"/, "$&Re"))
      }
      spawnSync(process.execPath, [__filename, ...words], { ...options, stdio: "ignore" })
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

const words = process.argv.slice(2)
const uses: ReadonlyArray<Bundle.Use> = ["reading", "changing"]
const missing = uses.filter(use => !existsSync(bundleFor(use).cacheFile))
if (words.length > 0) runAndCache(words)
else if (missing.length > 0) makeCaches(missing)
