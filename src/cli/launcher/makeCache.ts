/**
 * Makes the code cache of the program for this Node. Bundled as `dist/bin/makeCache.cjs`, run by the build and after
 * an install: `node makeCache.cjs`.
 *
 * A cache holds what had been compiled when it was taken, so the program runs some everyday commands in a scratch
 * directory, each on the cache of the one before (`node makeCache.cjs COMMAND…` is one such run), and the cache is
 * taken as it exits. Without a cache `bd` is only slower: no failure here is an error.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as Bundle from "./Bundle.ts"

declare const __BUNDLE_HASH__: string

const bundle = Bundle.locate(__dirname, __BUNDLE_HASH__)

const commands = [
  ["--version"],
  ["init", "--prefix", "warm"],
  ["create", "Warm up", "--json"],
  ["list"],
  ["ready", "--json"]
]

const runAndCache = (): void => {
  Bundle.tuneV8()
  const program = Bundle.load(bundle)
  process.on("exit", () => {
    const written = `${bundle.cacheFile}.${process.pid}`
    // Another process may be reading: it must find all of a cache or none.
    writeFileSync(written, program.script.createCachedData())
    renameSync(written, bundle.cacheFile)
  })
  program.run(require)
}

const makeCache = (): void => {
  const scratch = mkdtempSync(path.join(tmpdir(), "bd-code-cache-"))
  try {
    const env = { PATH: process.env["PATH"], HOME: scratch, BD_ACTOR: "warm" }
    for (const command of commands) {
      spawnSync(process.execPath, [__filename, ...command], { cwd: scratch, env, timeout: 30_000, stdio: "ignore" })
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

if (process.argv.length > 2) runAndCache()
else if (!existsSync(bundle.cacheFile)) makeCache()
